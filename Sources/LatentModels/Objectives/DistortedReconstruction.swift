// A divergence beside a cost of reconstructions that is no likelihood: chosen for how reconstructions look.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `distortion + beta * kl`; the distortion alone where the posterior is a point.
///
/// A loss, not a bound: the distortion is no log-density, and only `kl` is in nats.
public struct DistortedReconstruction<
  Model: LatentVariableModel, Settings: DistortedReconstructionDescription
>: Objective, DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: Settings

  public init(_ settings: Settings) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let distortion = settings.distortion
    let pass = model.variationalPass(x, &context) { likelihood, context in
      -distortion(likelihood, x, observedIn: context)
    }
    let reconstruction = -(pass.logLikelihood.mean())
    guard let divergence = pass.divergence else {
      return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
    }
    let kl = divergence.mean()
    return LossTerms(
      context, weights: [settings.beta], terms: [("reconstruction", reconstruction), ("kl", kl)],
      klMethod: pass.divergenceMethod
    ) { reconstruction + kl.weighted($0[0]) }
  }
}

/// Costs of reconstructions in words.
public protocol DistortedReconstructionDescription: ReparameterizedObjectiveDescription {
  /// What reconstructions cost.
  var distortion: Distortion { get }
  /// The weight of the divergence.
  var beta: WeightSchedule { get set }
}

/// The log-cosh loss in words.
public struct LogCoshDescription: DistortedReconstructionDescription {
  public static let name = "log-cosh"
  public static let origin = Origin(
    "log-cosh of reconstruction errors: quadratic when small, linear when large",
    paper: "Chen et al. 2019", equation: "f(t; a)", test: "LatentModelsTests/DistortionTests.swift")

  /// The errors at which the cost turns from quadratic to linear are around 1 over this.
  public var sharpness = 10.0
  public var beta: WeightSchedule = 1

  public init() {}

  public var distortion: Distortion { .logCosh(sharpness: sharpness) }

  public func validate() throws {
    try check(sharpness > 0 && sharpness.isFinite, "sharpness", sharpness, "a positive number")
    try check(weight: beta, "beta")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model)
    return DistortedReconstruction<Model, Self>(self)
  }
}

/// The multi-scale structural similarity as a loss, in words.
public struct StructuralSimilarityDescription: DistortedReconstructionDescription {
  public static let name = "ms-ssim"
  public static let origin = Origin(
    "structural similarity of pictures at several scales", paper: "Wang et al. 2003",
    equation: "7", test: "LatentModelsTests/DistortionTests.swift")

  /// The weight of 1 - MS-SSIM, which is at most 1 where squared errors are sums over all pixels.
  public var weight = 1000.0
  /// The difference between the darkest and the brightest value.
  public var range = 1.0
  public var beta: WeightSchedule = 1

  public init() {}

  public var distortion: Distortion {
    .structural(StructuralSimilarity(range: range), weight: weight)
  }

  public func validate() throws {
    try check(weight: weight, "weight")
    try check(range > 0 && range.isFinite, "range", range, "a positive number")
    try check(weight: beta, "beta")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireMeanOfLikelihood(model)
    let shape = facts.inputShape
    let fits =
      shape.rank == 3 && StructuralSimilarity.scales(height: shape[0], width: shape[1]) > 0
    if !fits {
      let least = StructuralSimilarity.window
      throw ModelRequirementError(
        purpose: Self.purpose, found: "inputs of shape \(shape)",
        expected: "pictures [height, width, channels] of \(least) x \(least) pixels or more")
    }
    return DistortedReconstruction<Model, Self>(self)
  }
}
