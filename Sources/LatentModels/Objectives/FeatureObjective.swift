// Reconstructions that are compared where a trained network looks, not pixel by pixel. What the comparison is, the
// objectives say; here is what they share.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A bound that is joined, or replaced, by how different data and reconstructions are in layers of a frozen
/// network: `reconstruction * R + weight * sum_l w_l d_l(x, x') + beta * KL`.
///
/// R is -log p(x | z) at a draw z and x' the mean of the likelihood there. A loss, not a bound: only R and KL are in
/// nats. Where the posterior is a point there is no KL. Data must be whole, without a mask.
///
///     Perceptual(through: encoder) { $0.layers = [LayerWeight("convolutions.1")] }
public struct FeatureObjective<Model: LatentVariableModel, Settings: FeatureObjectiveDescription>:
  DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: Settings
  /// What is looked through; nil for the random network of the settings.
  public let network: (any FeatureNetwork)?

  /// The rule that looks through the random network of its settings.
  public init(_ settings: Settings) { self.init(settings, through: nil) }

  init(_ settings: Settings, through network: (any FeatureNetwork)?) {
    self.settings = settings
    self.network = network
  }
}

/// The frozen network of an objective, at `objective.features`.
public struct FeatureParts: Module {
  /// What is looked through.
  public var features: FrozenFeatures

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&features, "features")
  }
}

extension FeatureObjective {
  /// The rule that looks through a network, whose parameters it keeps as they are. Traps where a setting is out of
  /// its range.
  public init(
    through network: any FeatureNetwork, file: StaticString = #fileID, line: UInt = #line,
    _ change: (inout Settings) -> Void = { _ in }
  ) {
    self.init(
      Settings.standard(file: file, line: line) {
        $0.features = "\(type(of: network))"
        change(&$0)
      }, through: network)
  }

  /// Traps where the settings name a run: `ObjectiveDescription.make` opens it.
  public func makeParts(for model: Model, using random: inout RandomStream) -> FeatureParts {
    if let network { return FeatureParts(features: FrozenFeatures(network)) }
    guard case .random(let seed)? = FeatureSource(settings.features) else {
      fatalError("\(Settings.purpose): nothing has opened the features '\(settings.features)'")
    }
    let shape = InputForm(of: model).shape
    return FeatureParts(
      features: FrozenFeatures(FeatureSource.randomNetwork(for: shape, seed: seed)))
  }

  /// The loss of the only player, as of `TrainingObjective`.
  public func loss(
    of turn: Int, _ model: Model, _ parts: FeatureParts, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    require(
      context.fields[FieldName.mask] == nil,
      "the \(Settings.purpose) shows data to a network: they must be whole, without a mask")
    let compare = LayerComparison(layers: settings.layers, difference: Settings.difference)
    let target = parts.features.features(of: x)
    var difference = Tensor.zeros([])
    let pass = model.variationalPass(x, &context) { likelihood, context in
      let rebuilt = likelihood.requiredMean(for: "the \(Settings.purpose)")
      difference = compare(target, parts.features.features(of: rebuilt)).mean()
      return likelihood.logProbability(of: x, observedIn: context)
    }
    let reconstruction = -(pass.logLikelihood.mean())
    let kl = pass.divergence?.mean()
    let base =
      settings.reconstruction == 0 ? nil : reconstruction.weighted(settings.reconstruction)
    return LossTerms(
      context, weights: [settings.weight, settings.beta],
      terms: [("reconstruction", reconstruction), (Settings.name, difference)]
        + (kl.map { [("kl", $0)] } ?? []),
      klMethod: pass.divergenceMethod
    ) { weights in
      let seen = difference.weighted(weights[0])
      let total = base.map { $0 + seen } ?? seen
      return kl.map { total + $0.weighted(weights[1]) } ?? total
    }
  }
}

/// The settings of objectives that look through a network.
public protocol FeatureObjectiveDescription: ReparameterizedObjectiveDescription {
  /// What is looked through: `random` or `random:SEED` for a network of random weights, else the folder of a run,
  /// whose encoder it is.
  var features: String { get set }
  /// The layers that are compared, such as `convolutions.0=0.5`; where there are none, all that keep places.
  var layers: [LayerWeight] { get set }
  /// The weight of what is seen in the layers.
  var weight: WeightSchedule { get set }
  /// The weight of -log p(x | z).
  var reconstruction: Double { get set }
  /// The weight of the divergence.
  var beta: WeightSchedule { get set }
  /// How different two activations `[batch, ...]` of a layer are: `[batch]`.
  static var difference: @Sendable (Tensor, Tensor) -> Tensor { get }
}

extension FeatureObjectiveDescription {
  public static var requirement: String { "a reparameterised posterior, a likelihood with a mean" }

  public func validate() throws {
    try check(features: features)
    try check(weight: weight, "weight")
    try check(weight: reconstruction, "reconstruction")
    try check(weight: beta, "beta")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model)
    let opened = try openFeatures(features, facts)
    try check(layers, in: opened.layers)
    return FeatureObjective<Model, Self>(self, through: opened.network)
  }
}
