// Autoencoders without noise. A decoder that is kept smooth takes the place of the noise that codes have in a
// variational one (Ghosh et al. 2020, "From variational to deterministic autoencoders", the losses L_RAE).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What keeps the decoder of an autoencoder without noise smooth.
public enum DecoderPenalty: Sendable, Hashable {
  /// Nothing.
  case none
  /// The sum of squares of all trained parameters below `decoder`. In the loss, hence
  /// divided by Adam's second moments like everything else: not decoupled weight decay.
  case weights
  /// The squared Frobenius norm of d mean(x | z) / dz at the code, estimated without bias by
  /// |J^T v|² with one vector v of random signs for each example (Hutchinson 1990). It is the decoder's
  /// alone; the encoder is moved by where it puts the code.
  case gradient
}

/// `reconstruction + embedding * |z|²/2 + weight * penalty`, where z is the mean of the posterior.
public struct RegularizedAutoencoder<
  Model: LatentVariableModel, Settings: RegularizedAutoencoderDescription
>: Objective, DescribedObjective {
  public let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let z = q.requiredMean(for: "an autoencoder without noise")
    let (penalty, embedding) = (Settings.penalty, settings.embedding)
    let likelihood: Model.Likelihood
    var terms: [(name: String, value: Tensor)] = []
    switch penalty {
    case .none, .weights:
      likelihood = model.checkedLikelihood(of: z, leading: q.batchShape, &context)
      if penalty == .weights { terms = [("weights", squaredWeights(of: model))] }
    case .gradient:
      let (decoded, slope) = decodeWithSlope(model, z, q.batchShape, &context)
      likelihood = decoded
      terms = [("gradient", slope)]
    }
    let reconstruction = settings.cost.distortion(likelihood, x, observedIn: context).mean()
    if penalty == .none && embedding == 0 {
      return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
    }
    let length = square(z).sum() * (0.5 / Double(z.shape[0]))
    let regularizer = terms.first?.value
    terms = [("reconstruction", reconstruction), ("embedding", length)] + terms
    return LossTerms(context, weights: [embedding, settings.weight], terms: terms) { weights in
      let total = reconstruction + length.weighted(weights[0])
      return regularizer.map { total + $0.weighted(weights[1]) } ?? total
    }
  }

  private func squaredWeights(of model: Model) -> Tensor {
    let squares = model.decoderParameters.map { square($0).sum() }
    require(!squares.isEmpty, "\(Model.self) has no trained parameters below 'decoder'")
    return squares.dropFirst().reduce(squares[0], +)
  }

  /// The likelihood at z and the mean over the batch of the probed squared norm of its mean's Jacobian, from
  /// one pass: the derivative is itself recorded where parameters are differentiated.
  private func decodeWithSlope(
    _ model: Model, _ z: Tensor, _ batch: Shape, _ context: inout LayerContext
  ) -> (likelihood: Model.Likelihood, slope: Tensor) {
    let result = valueAndGradient(
      at: [z],
      withAuxiliary: { inputs in
        let likelihood = model.checkedLikelihood(of: inputs[0], leading: batch, &context)
        let mean = likelihood.requiredMean(for: "a gradient penalty")
        let signs = (context.random.uniformTensor(mean.shape, mean.dtype) .< 0.5) * 2 - 1
        return ((mean * signs).sum(), likelihood)
      })
    let slope = result.gradients[0].map { square($0).sum() / Double(z.shape[0]) }
    return (result.auxiliary, slope ?? .scalar(0, z.dtype))
  }
}

extension Module {
  /// The trained parameters below `decoder`.
  fileprivate var decoderParameters: [Tensor] {
    let pattern: PathPattern = "decoder.**"
    return namedParameters.filter { $0.isTrained && pattern.matches($0.path) }.map(\.tensor)
  }
}

/// Autoencoders without noise in words: of length and penalty nothing counts where nothing is said.
public protocol RegularizedAutoencoderDescription: ObjectiveDescription {
  /// What keeps the decoder smooth.
  static var penalty: DecoderPenalty { get }
  /// The weight of half the squared length of codes.
  var embedding: WeightSchedule { get }
  /// The weight of the penalty.
  var weight: WeightSchedule { get }
  /// What reconstructions cost.
  var cost: ReconstructionCost { get set }
}

extension RegularizedAutoencoderDescription {
  public static var penalty: DecoderPenalty { .none }
  public var embedding: WeightSchedule { 0 }
  public var weight: WeightSchedule { 0 }

  public func validate() throws {
    try check(weight: embedding, "embedding")
    try check(weight: weight, "weight")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireParts(of: model)
    return RegularizedAutoencoder<Model, Self>(self)
  }

  /// - Throws: `ModelRequirementError` where the model lacks what the loss is made of.
  func requireParts<Model: LatentVariableModel>(of model: Model) throws {
    try requireMeanOfPosterior(model)
    if Self.penalty == .gradient {
      try requireMeanOfLikelihood(model)
    } else {
      try requireMeanOfLikelihood(model, for: cost)
    }
    if Self.penalty == .weights && model.decoderParameters.isEmpty {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "none in \(Model.self)",
        expected: "trained parameters below 'decoder'")
    }
  }
}

/// The plain autoencoder in words.
public struct AutoencoderDescription: RegularizedAutoencoderDescription {
  public static let name = "ae"
  public static let origin = Origin(
    "a plain autoencoder: reconstructions from the posterior's mean",
    paper: "Hinton and Salakhutdinov 2006", equation: "1",
    test: "LatentModelsTests/RegularizedAutoencoderTests.swift")

  public var cost = ReconstructionCost.likelihood

  public init() {}
}

/// The regularised autoencoder with small decoder weights, in words.
public struct RegularizedWeightsDescription: RegularizedAutoencoderDescription {
  public static let name = "rae-l2"
  public static let origin = Origin(
    "an autoencoder with short codes and small weights of its decoder",
    paper: "Ghosh et al. 2020", equation: "L_RAE with L2",
    test: "LatentModelsTests/RegularizedAutoencoderTests.swift")
  public static let penalty = DecoderPenalty.weights

  public var embedding: WeightSchedule = 1e-4
  public var weight: WeightSchedule = 1e-7
  public var cost = ReconstructionCost.squared

  public init() {}
}

/// The regularised autoencoder with a decoder of small slope, in words.
public struct RegularizedGradientDescription: RegularizedAutoencoderDescription {
  public static let name = "rae-gp"
  public static let origin = Origin(
    "an autoencoder with short codes and a decoder of small slope", paper: "Ghosh et al. 2020",
    equation: "L_RAE with GP", test: "LatentModelsTests/RegularizedAutoencoderTests.swift")
  public static let penalty = DecoderPenalty.gradient

  public var embedding: WeightSchedule = 1e-4
  public var weight: WeightSchedule = 5e-8
  public var cost = ReconstructionCost.squared

  public init() {}
}
