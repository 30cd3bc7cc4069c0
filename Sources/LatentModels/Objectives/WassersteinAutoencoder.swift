// Reconstructions, and codes that as a whole are distributed like the prior, however each is (Tolstikhin et
// al. 2018, "Wasserstein auto-encoders", algorithm 2; Kolouri et al. 2019, "Sliced-Wasserstein autoencoder").

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + weight * distance(codes, draws of the prior)`.
///
/// Codes are draws of the posterior, which may be a point. The prior is not moved by the distance.
public struct WassersteinAutoencoder<Model: LatentVariableModel>: Objective
where Model.Posterior: ReparameterizedDistribution {
  /// How far codes are from the prior.
  public let distance: any CodeDistance
  /// The weight of the distance.
  public let weight: WeightSchedule
  /// What reconstructions cost.
  public let cost: ReconstructionCost

  /// Traps where the weight is negative.
  public init(
    _ distance: any CodeDistance, weight: WeightSchedule, cost: ReconstructionCost = .squared,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(weight.isWeight, "a distance of codes with weight \(weight)", file: file, line: line)
    self.distance = distance
    self.weight = weight
    self.cost = cost
  }

  public var smallestBatch: Int { distance.smallestSample }
  public var summary: String {
    "WassersteinAutoencoder(\(distance), weight: \(weight), cost: \(cost.rawValue))"
  }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let prior = model.prior(q.dtype, &context)
    let z = q.reparameterizedSample(using: &context.random)
    let y = prior.draws(beside: q, using: &context.random)
    let likelihood = model.checkedLikelihood(of: z, leading: q.batchShape, &context)
    let reconstruction = cost.distortion(likelihood, x, observedIn: context).mean()
    let distance = distance(from: z, to: y, using: &context.random)
    return LossTerms(
      context, weights: [weight],
      terms: [("reconstruction", reconstruction), (self.distance.term, distance)]
    ) { reconstruction + distance.weighted($0[0]) }
  }
}

/// The Wasserstein autoencoder with a maximum mean discrepancy, in words.
public struct WassersteinMMDDescription: ReparameterizedObjectiveDescription {
  public static let name = "wae-mmd"
  public static let origin = Origin(
    "a Wasserstein autoencoder: codes matched to the prior by kernels",
    paper: "Tolstikhin et al. 2018", equation: "4, algorithm 2")

  /// The weight of the discrepancy.
  public var lambda: WeightSchedule = 10
  /// The form of the kernel.
  public var kernel = MaximumMeanDiscrepancy.Kernel.imq
  /// The scales of the kernels that are added.
  public var scales = MaximumMeanDiscrepancy.manyScales
  /// What reconstructions cost.
  public var cost = ReconstructionCost.squared

  public init() {}

  public func validate() throws {
    try check(weight: lambda, "lambda")
    try check(scales: scales, "scales")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model, for: cost)
    return WassersteinAutoencoder<Model>(
      MaximumMeanDiscrepancy(kernel, scales: scales), weight: lambda, cost: cost)
  }
}

/// The sliced Wasserstein autoencoder in words.
public struct SlicedWassersteinDescription: ReparameterizedObjectiveDescription {
  public static let name = "sliced-wae"
  public static let origin = Origin(
    "a Wasserstein autoencoder: codes matched to the prior along random lines",
    paper: "Kolouri et al. 2019", equation: "13, algorithm 1")

  /// The weight of the distance.
  public var lambda: WeightSchedule = 10
  /// The lines that codes are projected onto, new in each step.
  public var directions = 50
  /// What reconstructions cost.
  public var cost = ReconstructionCost.squared

  public init() {}

  public func validate() throws {
    try check(weight: lambda, "lambda")
    try check(samples: directions, "directions")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model, for: cost)
    return WassersteinAutoencoder<Model>(
      SlicedWasserstein(directions: directions), weight: lambda, cost: cost)
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
