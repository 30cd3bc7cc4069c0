// Reconstructions, and codes that as a whole are distributed like the prior, however each is (Tolstikhin et
// al. 2018, "Wasserstein auto-encoders", algorithm 2; Kolouri et al. 2019, "Sliced-Wasserstein autoencoder").

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + weight * distance(codes, draws of the prior)`.
///
/// Codes are draws of the posterior, which may be a point. The prior is not moved by the distance.
public struct WassersteinAutoencoder<
  Model: LatentVariableModel, Settings: WassersteinAutoencoderDescription
>: Objective, DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  public var smallestBatch: Int { settings.distance.smallestSample }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let prior = model.prior(q.dtype, &context)
    let z = q.reparameterizedSample(using: &context.random)
    let y = prior.draws(beside: q, using: &context.random)
    let likelihood = model.checkedLikelihood(of: z, leading: q.batchShape, &context)
    let reconstruction = settings.cost.distortion(likelihood, x, observedIn: context).mean()
    let distance = settings.distance(from: z, to: y, using: &context.random)
    return LossTerms(
      context, weights: [settings.lambda],
      terms: [("reconstruction", reconstruction), (settings.distance.term, distance)]
    ) { reconstruction + distance.weighted($0[0]) }
  }
}

/// Wasserstein autoencoders in words.
public protocol WassersteinAutoencoderDescription: ReparameterizedObjectiveDescription {
  /// How far codes are from the prior.
  associatedtype Distance: CodeDistance
  /// How far codes are from the prior.
  var distance: Distance { get }
  /// The weight of the distance.
  var lambda: WeightSchedule { get set }
  /// What reconstructions cost.
  var cost: ReconstructionCost { get set }
}

extension WassersteinAutoencoderDescription {
  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model, for: cost)
    return WassersteinAutoencoder<Model, Self>(self)
  }
}

/// The Wasserstein autoencoder with a maximum mean discrepancy, in words.
public struct WassersteinMMDDescription: WassersteinAutoencoderDescription {
  public static let name = "wae-mmd"
  public static let origin = Origin(
    "a Wasserstein autoencoder: codes matched to the prior by kernels",
    paper: "Tolstikhin et al. 2018", equation: "4, algorithm 2",
    test: "LatentModelsTests/CodeDistanceTests.swift")

  public var lambda: WeightSchedule = 10
  /// The form of the kernel.
  public var kernel = MaximumMeanDiscrepancy.Kernel.imq
  /// The scales of the kernels that are added.
  public var scales = MaximumMeanDiscrepancy.manyScales
  public var cost = ReconstructionCost.squared

  public init() {}

  public var distance: MaximumMeanDiscrepancy { MaximumMeanDiscrepancy(kernel, scales: scales) }

  public func validate() throws {
    try check(weight: lambda, "lambda")
    try check(scales: scales, "scales")
  }
}

/// The sliced Wasserstein autoencoder in words.
public struct SlicedWassersteinDescription: WassersteinAutoencoderDescription {
  public static let name = "sliced-wae"
  public static let origin = Origin(
    "a Wasserstein autoencoder: codes matched to the prior along random lines",
    paper: "Kolouri et al. 2019", equation: "algorithm 1",
    test: "LatentModelsTests/CodeDistanceTests.swift")

  public var lambda: WeightSchedule = 10
  /// The lines that codes are projected onto, new in each step.
  public var directions = 50
  public var cost = ReconstructionCost.squared

  public init() {}

  public var distance: SlicedWasserstein { SlicedWasserstein(directions: directions) }

  public func validate() throws {
    try check(weight: lambda, "lambda")
    try check(samples: directions, "directions")
  }
}

extension ObjectiveDescription {
  /// - Throws: `ModelRequirementError` where `cost` needs a mean that the likelihood lacks.
  func requireMeanOfLikelihood<Model: LatentVariableModel>(
    _ model: Model, for cost: ReconstructionCost
  ) throws {
    if cost == .squared { try requireMeanOfLikelihood(model, or: ", or the cost 'likelihood'") }
  }

  /// Scales of kernels.
  func check(scales: [Double], _ key: String) throws {
    try check(
      (1...64).contains(scales.count) && scales.allSatisfy { $0 > 0 && $0.isFinite }, key, scales,
      "1 to 64 positive numbers")
  }
}
