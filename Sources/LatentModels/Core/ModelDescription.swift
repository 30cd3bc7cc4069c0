// A ready-made model in words, so that a checkpoint knows what it holds and the command-line tools
// need no flags to open it.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A ready network, the shape of its data, its posterior and its likelihood; JSON in checkpoints and configuration
/// files, where the network's own settings stand beside the others:
///
///     {"architecture": "mlp", "hidden": [400], "latentSize": 20, "inputShape": [28, 28, 1],
///      "posterior": {"name": "diagonal"}, "prior": {"name": "standard"}, "likelihood": "bernoulli"}
public struct ModelDescription: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The likelihoods of ready decoders, by the words for them in files.
  public enum Likelihood: String, Sendable, Hashable, Codable, CaseIterable {
    /// Binary data, or gray values from 0 to 1 as soft targets.
    case bernoulli
    /// Gray values from 0 to 1, with a density.
    case continuousBernoulli = "continuous-bernoulli"
    /// Normal with one learned standard deviation.
    case normal
    /// Normal with standard deviation 1.
    case unitNormal = "unit-normal"
    /// Bytes, each conditioned on those before it.
    case categorical

    /// The last step of a decoder with this likelihood; nil where it takes more than one step, so that
    /// decoders are made for it.
    public var head: (any LikelihoodHead)? {
      switch self {
      case .bernoulli: BernoulliHead()
      case .continuousBernoulli: ContinuousBernoulliHead()
      case .normal: NormalHead(.shared())
      case .unitNormal: NormalHead(.fixed(1))
      case .categorical: nil
      }
    }

    /// Traps where there is none.
    var requiredHead: any LikelihoodHead {
      guard let head else { fatalError("the likelihood \(rawValue) is no head of a decoder") }
      return head
    }
  }

  /// The network and its sizes.
  public var network: any NetworkDescription
  /// Shape of one example, channels last.
  public var inputShape: [Int]
  /// What the encoder ends in.
  public var posterior: PosteriorSettings
  /// Where latents are before any data: the posterior's own unless one was set.
  public var prior: PriorSettings {
    get { chosenPrior ?? PriorSettings(posterior.description.standardPrior) }
    set { chosenPrior = newValue }
  }
  private var chosenPrior: PriorSettings?
  /// What the decoder ends in.
  public var likelihood: Likelihood

  /// Any network between any ends; `validate` says whether they suit each other and the data. The prior is
  /// the posterior's own unless another is given.
  public init(
    _ network: any NetworkDescription, inputShape: [Int],
    posterior: any PosteriorDescription = DiagonalPosterior(),
    prior: (any PriorDescription)? = nil, likelihood: Likelihood = .bernoulli
  ) {
    self.network = network
    self.inputShape = inputShape
    self.posterior = PosteriorSettings(posterior)
    chosenPrior = prior.map { PriorSettings($0) }
    self.likelihood = likelihood
  }

  /// The ready network of this name with settings for data of this shape.
  /// - Throws: `ModelDescriptionError`, which lists the names.
  public init(named name: String, inputShape: [Int]) throws {
    guard let preset = ModelDescription.presets.first(where: { $0.name == name }) else {
      let names = ModelDescription.presets.map(\.name).joined(separator: ", ")
      throw ModelDescriptionError(key: "architecture", found: "'\(name)'", expected: names)
    }
    self.init(
      preset.network(inputShape), inputShape: inputShape, posterior: preset.posterior,
      likelihood: preset.likelihood)
  }

  /// The largest number of parameters a described model may have: a file's description is
  /// checked against this before anything is allocated.
  public static let maximumParameters = 1 << 30

  /// The most layers, or blocks of a level, that a described model may have: each takes time and
  /// memory beside its parameters, however few these are.
  public static let maximumDepth = 10_000

  /// Checks every number. - Throws: `ModelDescriptionError`.
  public func validate() throws {
    func check(_ condition: Bool, _ key: String, _ found: String, _ expected: String) throws {
      if !condition { throw ModelDescriptionError(key: key, found: found, expected: expected) }
    }
    try check(
      (1...Shape.maximumRank - 2).contains(inputShape.count) && inputShape.allSatisfy { $0 > 0 },
      "inputShape", "\(inputShape)", "1 to \(Shape.maximumRank - 2) positive sizes")
    let limit = ModelDescription.maximumParameters
    let inputs = inputShape.reduce((1, false)) { product, size in
      let (value, overflow) = product.0.multipliedReportingOverflow(by: size)
      return (value, product.1 || overflow)
    }
    try check(
      !inputs.1 && inputs.0 <= limit, "inputShape", "\(inputShape)", "at most \(limit) elements")
    let possible = type(of: network).likelihoods
    try check(
      possible.contains(likelihood), "likelihood", "\(likelihood.rawValue)",
      possible.map(\.rawValue).joined(separator: ", ")
        + " for the network \(type(of: network).architecture)")
    try network.validate(inputShape: inputShape)
    try validateLatents(network.latentShape(inputShape: inputShape))
    try check(
      parameterCount <= Double(limit), "parameters",
      (Int(exactly: parameterCount).map { "\($0)" } ?? "\(parameterCount)") + " for \(network)",
      "at most \(limit)")
  }

  /// Checks both ends of the latents, and that they meet.
  private func validateLatents(_ latentShape: [Int]) throws {
    let (q, p) = (posterior.description, prior.description)
    let network = type(of: self.network)
    for (key, name, names) in [
      ("posterior.name", posterior.name, network.posteriors),
      ("prior.name", prior.name, network.priors),
    ] {
      if let names, !names.contains(name) {
        throw ModelDescriptionError(
          key: key, found: "'\(name)'",
          expected: names.joined(separator: ", ") + " for the network \(network.architecture)")
      }
    }
    try q.validate()
    try q.validate(latentShape: latentShape)
    try p.validate()
    if p.space != q.space {
      let names = PriorSettings.all.filter { $0.init().space == q.space }.map { $0.name }
      throw ModelDescriptionError(
        key: "prior.name", found: "'\(prior.name)', on \(p.space)",
        expected: "one on \(q.space), as the posterior '\(posterior.name)'"
          + (names.isEmpty ? "" : ": " + names.joined(separator: ", ")))
    }
    if p.asksEncoder && likelihood == .categorical {
      throw ModelDescriptionError(
        key: "prior.name",
        found: "'\(prior.name)', with inputs of its own that are numbers, for text",
        expected: "another prior")
    }
    try p.validate(latentShape: latentShape, inputShape: inputShape, posterior: q)
    let outputs = q.outputCount(latents: latentShape.last ?? 1)
    if outputs > Double(ModelDescription.maximumParameters) {
      throw ModelDescriptionError(
        key: "posterior.name",
        found: "'\(posterior.name)' with \(outputs) numbers for latents \(latentShape)",
        expected: "at most \(ModelDescription.maximumParameters)")
    }
  }

  /// The number of trained parameters of a valid description, without making the model.
  public var parameterCount: Double {
    let latentShape = network.latentShape(inputShape: inputShape)
    let latents = latentShape.last ?? 1
    return network.parameterCount(
      inputShape: inputShape,
      posteriorOutputs: Int(posterior.description.outputCount(latents: latents)),
      likelihood: likelihood)
      + posterior.description.parameterCount(latents: latents)
      + prior.description.parameterCount(
        latentShape: latentShape, inputShape: inputShape, posterior: posterior.description)
  }

  /// The described model with first weights from `random`.
  /// - Throws: `ModelDescriptionError`.
  public func makeModel(using random: inout RandomStream) throws -> any LatentVariableModel {
    try validate()
    let (inputShape, latentShape) = (
      Shape(inputShape), Shape(network.latentShape(inputShape: inputShape))
    )
    // The ends have streams of their own: networks start as they do with any other ends.
    var (first, second) = (random.split("posterior"), random.split("prior"))
    let model = network.makeModel(
      inputShape: inputShape,
      posterior: posterior.description.makeHead(latentShape: latentShape, using: &first),
      prior: prior.description.makePrior(
        latentShape: latentShape, inputShape: inputShape, posterior: posterior.description,
        using: &second),
      likelihood: likelihood, using: &random)
    return try posterior.description.completed(model, latentShape: latentShape)
  }

  /// `mlp(hidden: [400], latentSize: 20, activation: relu), diagonal, bernoulli`, with the prior where it is not
  /// the posterior's own.
  public var description: String {
    let own = PriorSettings(posterior.description.standardPrior)
    let ends = prior == own ? posterior.name : "\(posterior.name), \(prior.name)"
    return "\(network), \(ends), \(likelihood.rawValue)"
  }

  // MARK: Equality and files

  public static func == (first: ModelDescription, second: ModelDescription) -> Bool {
    AnyHashable(first.network) == AnyHashable(second.network)
      && first.inputShape == second.inputShape && first.posterior == second.posterior
      && first.prior == second.prior && first.likelihood == second.likelihood
  }

  public func hash(into hasher: inout Hasher) {
    hasher.combine(AnyHashable(network))
    hasher.combine(inputShape)
    hasher.combine(posterior)
    hasher.combine(prior)
    hasher.combine(likelihood)
  }

  private enum CodingKeys: String, CodingKey {
    case architecture, inputShape, posterior, prior, likelihood
  }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let saved = try container.decode(String.self, forKey: .architecture)
    // The first versions had one posterior for each network.
    let isPoint = saved == MLPNetwork.autoencoder
    posterior =
      try container.decodeIfPresent(PosteriorSettings.self, forKey: .posterior)
      ?? (isPoint ? PosteriorSettings(PointPosterior()) : PosteriorSettings())
    chosenPrior = try container.decodeIfPresent(PriorSettings.self, forKey: .prior)
    let name = isPoint ? MLPNetwork.architecture : saved
    guard let type = ModelDescription.networks.first(where: { $0.architecture == name }) else {
      let names = ModelDescription.networks.map { $0.architecture }.joined(separator: ", ")
      throw ModelDescriptionError(key: "architecture", found: "'\(name)'", expected: names)
    }
    network = try type.init(from: decoder)
    inputShape = try container.decode([Int].self, forKey: .inputShape)
    likelihood = try container.decode(Likelihood.self, forKey: .likelihood)
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(type(of: network).architecture, forKey: .architecture)
    try container.encode(inputShape, forKey: .inputShape)
    try container.encode(posterior, forKey: .posterior)
    try container.encode(prior, forKey: .prior)
    try container.encode(likelihood, forKey: .likelihood)
    try network.encode(to: encoder)
  }
}

/// A described model that cannot be built.
public struct ModelDescriptionError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The setting.
  public let key: String
  /// What it was.
  public let found: String
  /// What it may be.
  public let expected: String

  public var description: String { "model description: \(key) is \(found), expected \(expected)" }
}
