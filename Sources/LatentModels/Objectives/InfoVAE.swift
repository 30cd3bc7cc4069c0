// The divergence of each posterior weighed apart from that of their aggregate (Zhao, Song and Ermon 2019,
// "InfoVAE: balancing learning and inference in variational autoencoders", equation 6).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + (1 - alpha) kl + (alpha + lambda - 1) MMD²(draws of q, draws of p)`.
///
/// `alpha` 0 and `lambda` 1 is the evidence lower bound; `alpha` 1 is the MMD-VAE.
public struct InfoVAE<Model: LatentVariableModel>: Objective
where Model.Posterior: ReparameterizedDistribution {
  /// How much of the divergence of each posterior is given up: the weight of the mutual information.
  public let alpha: Double
  /// The weight of the aggregate's divergence where nothing is given up.
  public let lambda: Double
  /// How far the aggregate is from the prior.
  public let distance: MaximumMeanDiscrepancy

  /// Traps where `alpha` is above 1, or `alpha + lambda` below: a negative weight would drive codes away
  /// from the prior.
  public init(
    alpha: Double, lambda: Double,
    distance: MaximumMeanDiscrepancy = MaximumMeanDiscrepancy(.rbf, scales: [1]),
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      alpha <= 1 && alpha + lambda >= 1 && lambda.isFinite && alpha.isFinite,
      "InfoVAE with alpha \(alpha), lambda \(lambda): expected alpha <= 1 <= alpha + lambda",
      file: file, line: line)
    self.alpha = alpha
    self.lambda = lambda
    self.distance = distance
  }

  public var smallestBatch: Int { distance.smallestSample }
  public var summary: String { "InfoVAE(alpha: \(alpha), lambda: \(lambda), \(distance))" }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    guard let divergence = pass.divergence else {
      fatalError("InfoVAE needs a posterior with a density: found \(Model.Posterior.self)")
    }
    let (reconstruction, kl) = (-(pass.logLikelihood.mean()), divergence.mean())
    let y = pass.prior.draws(beside: pass.posterior, using: &context.random)
    let mmd = distance(pass.z, y)
    return LossTerms(
      total: reconstruction + kl.weighted(1 - alpha) + mmd.weighted(alpha + lambda - 1),
      terms: [("reconstruction", reconstruction), ("kl", kl), (distance.term, mmd)],
      klMethod: pass.divergenceMethod)
  }
}

/// InfoVAE in words.
public struct InfoVAEDescription: ReparameterizedObjectiveDescription {
  public static let name = "info"
  public static let origin = Origin(
    "the divergence of each posterior weighed apart from their aggregate's",
    paper: "Zhao et al. 2019", equation: "6")

  /// How much of the divergence of each posterior is given up.
  public var alpha = 0.0
  /// The weight of the aggregate's divergence where nothing is given up.
  public var lambda = 1000.0
  /// The form of the kernel.
  public var kernel = MaximumMeanDiscrepancy.Kernel.rbf
  /// The scales of the kernels that are added.
  public var scales = [1.0]

  public init() {}

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
    return InfoVAE<Model>(
      alpha: alpha, lambda: lambda, distance: MaximumMeanDiscrepancy(kernel, scales: scales))
  }
}
