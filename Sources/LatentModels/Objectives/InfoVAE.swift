// The divergence of each posterior weighed apart from that of their aggregate (Zhao, Song and Ermon 2019,
// "InfoVAE: balancing learning and inference in variational autoencoders", the InfoVAE family).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + (1 - alpha) kl + (alpha + lambda - 1) MMD²(draws of q, draws of p)`.
///
/// `alpha` 0 and `lambda` 1 is the evidence lower bound; `alpha` 1 is the MMD-VAE.
public struct InfoVAE<Model: LatentVariableModel>: Objective, DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: InfoVAEDescription

  public init(_ settings: InfoVAEDescription) { self.settings = settings }

  public var smallestBatch: Int { settings.distance.smallestSample }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    let (reconstruction, kl) = pass.means(for: Settings.purpose)
    let y = pass.prior.draws(beside: pass.posterior, using: &context.random)
    let mmd = settings.distance(pass.z, y)
    let (alpha, lambda) = (settings.alpha, settings.lambda)
    return LossTerms(
      total: reconstruction + kl.weighted(1 - alpha) + mmd.weighted(alpha + lambda - 1),
      terms: [("reconstruction", reconstruction), ("kl", kl), (settings.distance.term, mmd)],
      klMethod: pass.divergenceMethod)
  }
}

/// InfoVAE in words.
public struct InfoVAEDescription: ReparameterizedObjectiveDescription {
  public static let name = "info"
  public static let origin = Origin(
    "the divergence of each posterior weighed apart from their aggregate's",
    paper: "Zhao et al. 2019", equation: "the InfoVAE family",
    test: "LatentModelsTests/CodeDistanceTests.swift")

  /// How much of the divergence of each posterior is given up.
  public var alpha = 0.0
  /// The weight of the aggregate's divergence where nothing is given up.
  public var lambda = 1000.0
  /// The form of the kernel.
  public var kernel = MaximumMeanDiscrepancy.Kernel.rbf
  /// The scales of the kernels that are added.
  public var scales = [1.0]

  public init() {}

  /// How far the aggregate is from the prior.
  var distance: MaximumMeanDiscrepancy { MaximumMeanDiscrepancy(kernel, scales: scales) }

  /// A negative weight would drive codes away from the prior.
  public func validate() throws {
    try check(alpha <= 1 && alpha.isFinite, "alpha", alpha, "1 or less")
    try check(
      lambda.isFinite && alpha + lambda >= 1, "lambda", lambda,
      "\(1 - alpha) or more (alpha + lambda >= 1)")
    try check(scales: scales, "scales")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireDivergence(of: model)
    return InfoVAE<Model>(self)
  }
}
