// Any objective with codes that agree with what another network knows of the data (Yao, Yang and Wang 2025, arXiv
// 2501.01423, VA-VAE).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Any objective inside, plus `weight * (cosine + distance)`: both costs of ``Alignment`` of the projected code with the
/// features of a frozen network, or with those that come with the batch.
///
/// The code is the mean of the posterior (of an encoder pass of its own; the paper takes a draw), each place of it
/// projected linearly to the width of the features, without a bias; the projection is trained with the encoder. Features
/// are means over the part of the picture that a code stands for; codes without places stand for all of it. The paper
/// scales the weight by the ratio of two gradients at the encoder's last layer; here it is what it says, in nats.
///
/// ```swift
/// Aligned(around: ELBO(beta: 0.1), through: encoder) { $0.weight = 20 }
/// ```
public struct Aligned<Model: LatentVariableModel, Inner: TrainingObjective>: WrapperObjective
where Inner.Model == Model {
  public let settings: AlignedDescription
  public let inside: Inner
  /// What is looked through; nil where features come with the batch, or from the random network of the settings.
  public let network: (any FeatureNetwork)?

  /// With a network whose parameters stay as they are. Traps where a setting is out of its range.
  public init(
    around inside: Inner, through network: any FeatureNetwork, file: StaticString = #fileID,
    line: UInt = #line, _ change: (inout AlignedDescription) -> Void = { _ in }
  ) {
    let settings = AlignedDescription.standard(file: file, line: line) {
      $0.features = "\(type(of: network))"
      change(&$0)
    }
    self.init(settings, around: inside, through: network)
  }

  /// With features `[batch, width]` or `[batch, height, width, channels]` from the field `features` of each batch.
  public init(
    around inside: Inner, featuresOfWidth width: Int, file: StaticString = #fileID,
    line: UInt = #line, _ change: (inout AlignedDescription) -> Void = { _ in }
  ) {
    let settings = AlignedDescription.standard(file: file, line: line) {
      $0.features = "\(AlignedDescription.batchName):\(width)"
      change(&$0)
    }
    self.init(settings, around: inside, through: nil)
  }

  init(_ settings: AlignedDescription, around inside: Inner, through network: (any FeatureNetwork)?)
  {
    self.settings = settings
    self.inside = inside
    self.network = network
  }

  // MARK: What is inside

  /// The turns inside; the one that moves the encoder moves the projection too.
  public var turns: [Turn] {
    inside.turns.enumerated().map { index, turn in
      index != encoderTurn
        ? turn
        : Turn(
          turn.name, moves: turn.parameters + [PathPattern("\(Turn.partsName).alignment.**")],
          every: turn.every, optimizer: turn.optimizer)
    }
  }
  public func settle(
    _ model: inout Model, _ parts: AlignedParts<Inner.Parts>, except frozen: [PathPattern]
  ) { inside.settle(&model, parts.inside, except: frozen) }
  public func isDue(_ turn: Int, step: Int, _ parts: AlignedParts<Inner.Parts>) -> Bool {
    inside.isDue(turn, step: step, parts.inside)
  }

  /// The first one of models without a part of that name.
  private var encoderTurn: Int {
    inside.turns.firstIndex { $0.parameters.match("encoder") } ?? 0
  }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> AlignedParts<Inner.Parts> {
    let inner = inside.makeParts(for: model, using: &random)
    let codes = model.latentShape
    let (features, width): (FrozenFeatures?, Int)
    if let given = AlignedDescription.batchWidth(settings.features) {
      (features, width) = (nil, given)
    } else {
      let shape = InputForm(of: model).shape
      let opened = network ?? settings.randomNetwork(for: shape)
      let seen = opened.features(of: .zeros([1] + shape, opened.dtype))
      features = FrozenFeatures(opened)
      width = chosen(seen, codes).shape[-1]
    }
    return AlignedParts(
      inside: inner, features: features,
      projection: Linear(
        codes.rank == 3 ? codes[2] : codes.count, width, bias: false, using: &random))
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: AlignedParts<Inner.Parts>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    // Its noise is none of the objective's inside, and what it sees moves no buffer a second time.
    var own = context
    var terms = inside.loss(of: turn, model, parts.inside, x, &context)
    if turn != encoderTurn { return terms }
    own.random = own.random.split("alignment")
    let codes = model.checkedPosterior(of: x, &own).requiredMean(for: AlignedDescription.purpose)
    let shape = codes.shape.suffix(codes.rank - 1)
    let rows =
      shape.rank == 3
      ? codes.reshaped([x.shape[0], -1, shape[2]])
      : codes.flattened(from: 1)
        .expandingDimension(at: 1)
    let costs = settings.alignment(
      parts.projection(rows), features(of: x, parts, context, shape).detached)
    let value = costs.cosine + costs.distance
    let now = context.isTraining ? settings.weight.value(step: context.step) : settings.weight.final
    if terms.afterWarmup != nil || now != settings.weight.final {
      terms.afterWarmup = (terms.afterWarmup ?? terms.total) + value.weighted(settings.weight.final)
    }
    terms.total = terms.total + value.weighted(now)
    terms.terms += [("cosine", costs.cosine), ("distance", costs.distance)]
    return terms
  }

  /// `[batch, places, width]`.
  private func features(
    of x: Tensor, _ parts: AlignedParts<Inner.Parts>, _ context: LayerContext, _ codes: Shape
  ) -> Tensor {
    if let network = parts.features {
      return chosen(network.features(of: x), codes).atPlaces(of: codes)
    }
    guard let given = context.fields[AlignedDescription.field] else {
      fatalError(
        "\(AlignedDescription.purpose): the batch has no field '\(AlignedDescription.field)', only "
          + context.fields.keys.sorted().joined(separator: ", "))
    }
    require(
      given.rank > 1 && given.shape[0] == x.shape[0]
        && given.shape[-1] == parts.projection.outputSize,
      "features of shape \(given.shape), expected [\(x.shape[0]), ..., \(parts.projection.outputSize)]"
    )
    return given.converted(to: parts.projection.weight.dtype).atPlaces(of: codes)
  }

  private func chosen(_ seen: [Feature], _ codes: Shape) -> Tensor {
    do { return try settings.feature(of: seen, for: codes).values } catch { fatalError("\(error)") }
  }
}

/// What an objective with aligned codes brings along: the parts of the one inside, under their own names, and
/// those of the alignment at `objective.alignment`.
public struct AlignedParts<Inside: Module>: Module {
  /// The parts of the objective inside.
  public var inside: Inside
  /// What is looked through; nil where features come with the batch.
  public var features: FrozenFeatures?
  /// From the width of codes to that of features.
  public var projection: Linear

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    inside.visitParameters(&visitor)
    visitor.enter("alignment")
    visitor.visit(&features, "features")
    visitor.visit(&projection, "projection")
    visitor.leave()
  }
}

/// Aligned codes in words.
public struct AlignedDescription: WrapperDescription {
  public static let name = "aligned"
  public static let origin = Origin(
    "a wrapper: codes that agree with features of another network",
    paper: "Yao et al. 2025 (VA-VAE)", equation: "marginal cosine and distance losses",
    test: "LatentModelsTests/AlignedTests.swift")
  public static let requirement = "a posterior with a mean, and what the objective inside needs"

  /// Where features come from: `random` or `random:SEED` for a network of random weights, `batch:WIDTH` for the field
  /// `features` of each batch, else the folder of a run, whose encoder they are of.
  public var features = FeatureSource.randomName
  /// The layer; where there is none, the last, of codes with places the last that keeps places.
  public var layer = ""
  /// What both costs count, in nats.
  public var weight: WeightSchedule = 10
  /// Codes whose cosine with their features is 1 less this, or more, cost nothing.
  public var cosineMargin = 0.5
  /// Cosines of pairs that differ by this, or less, cost nothing.
  public var distanceMargin = 0.25
  /// What codes are trained by besides.
  public var inside = ObjectiveSettings()

  public init() {}

  /// The field of batches with features.
  public static let field = "features"
  /// The word for it, before a colon and the width.
  static let batchName = "batch"

  /// The width of features that come with batches.
  static func batchWidth(_ word: String) -> Int? {
    guard word.hasPrefix("\(batchName):") else { return nil }
    return Int(word.dropFirst(batchName.count + 1)).flatMap { $0 > 0 ? $0 : nil }
  }

  var alignment: Alignment {
    Alignment(cosineMargin: cosineMargin, distanceMargin: distanceMargin)
  }

  public func validate() throws {
    let isOfBatch = features == Self.batchName || features.hasPrefix("\(Self.batchName):")
    try check(
      isOfBatch ? Self.batchWidth(features) != nil : FeatureSource(features) != nil, "features",
      "'\(features)'", "random, random:SEED, batch:WIDTH or the folder of a run")
    try check(weight: weight, "weight")
    try check(weight: cosineMargin, "cosineMargin")
    try check(weight: distanceMargin, "distanceMargin")
    try check(
      !(inside.description is AlignedDescription), "inside.name", "'\(inside.name)'",
      "another objective inside of aligned")
    try validateInside()
  }

  /// Features are those of whole pictures.
  public var asksOnlyAboutTheBatch: Bool { false }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfPosterior(model)
    var network: (any FeatureNetwork)?
    if Self.batchWidth(features) == nil {
      let opened = try openFeatures(features, facts)
      _ = try feature(of: opened.layers, for: model.latentShape)
      network = opened.network
    }
    func open<Inner: TrainingObjective<Model>>(_ inner: Inner) -> any TrainingObjective<Model> {
      Aligned(self, around: inner, through: network)
    }
    return open(try inside.description.make(for: model, facts))
  }

  /// The layer that codes of a shape are aligned with.
  /// - Throws: `SettingError` where there is none with enough places.
  func feature(of seen: [Feature], for codes: Shape) throws -> Feature {
    func fits(_ feature: Feature) -> Bool {
      codes.rank != 3
        || feature.hasPlaces && feature.values.shape[1] >= codes[0]
          && feature.values.shape[2] >= codes[1]
    }
    let candidates = seen.filter(fits)
    if !layer.isEmpty { try check([LayerWeight(layer)], in: seen, "layer") }
    guard
      let found = layer.isEmpty ? candidates.last : candidates.first(where: { $0.name == layer })
    else {
      throw SettingError(
        key: "objective.layer", found: layer.isEmpty ? "none" : "'\(layer)'",
        expected: "a layer with places for codes of shape \(codes): there are "
          + (candidates.isEmpty ? "none" : candidates.map(\.name).joined(separator: ", ")))
    }
    return found
  }

  /// Traps where the settings name a run: `make` opens it.
  func randomNetwork(for shape: Shape) -> any FeatureNetwork {
    guard case .random(let seed)? = FeatureSource(features) else {
      fatalError("\(Self.purpose): nothing has opened the features '\(features)'")
    }
    return FeatureSource.randomNetwork(for: shape, seed: seed)
  }
}

extension Module {
  /// What the module computes in.
  var dtype: DType { namedParameters.first?.tensor.dtype ?? .float32 }
}
