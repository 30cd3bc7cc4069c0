// The divergence in three parts with a weight each: what latents tell of the example, how they depend on each
// other, and how each differs from its prior (Chen et al. 2018, "Isolating sources of disentanglement in
// variational autoencoders", equation 4).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + alpha I(z; n) + beta TC(z) + gamma sum_j KL(q(z_j) || p(z_j))`, in nats per example.
///
/// All three are estimated with one draw of each posterior. They add up to log q(z | x) - log p(z), which is
/// reported as `kl`: with weights of 1 this is the one-sample evidence lower bound whatever the estimator.
/// An estimate of the total correlation may be negative and is left so.
public struct TotalCorrelation<Model: DiagonalNormalModel>: Objective, DescribedObjective {
  public let settings: TotalCorrelationDescription

  /// Traps unless the number of examples is said.
  public init(_ settings: TotalCorrelationDescription) {
    require(settings.examples > 0, "TotalCorrelation needs the training set's number of examples")
    self.settings = settings
  }

  public var smallestBatch: Int { settings.estimator == .weighted ? 1 : 2 }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    terms(of: model.variationalPass(x, density: true, &context), context)
  }

  /// The loss of a pass that has the density of its draws.
  func terms(of pass: VariationalPass<DiagonalNormal>, _ context: LayerContext) -> LossTerms {
    guard let own = pass.logPosterior else { fatalError("a pass without densities") }
    let weights = settings.estimator.logWeights(
      batch: pass.z.shape[0], examples: settings.examples, pass.z.dtype)
    let (joint, marginals) = pass.posterior.aggregateLogProbabilities(
      of: pass.z, logWeights: weights)
    let prior = pass.logPrior
    let reconstruction = -(pass.logLikelihood.mean())
    let information = (own - joint).mean()
    let correlation = (joint - marginals).mean()
    let marginal = (marginals - prior).mean()
    return LossTerms(
      context, weights: [settings.alpha, settings.beta, settings.gamma],
      terms: [
        ("reconstruction", reconstruction), ("kl", (own - prior).mean()),
        ("mutualInformation", information), ("totalCorrelation", correlation),
        ("marginalKL", marginal),
      ], klMethod: .monteCarlo(samples: 1)
    ) { weights in
      reconstruction + information.weighted(weights[0]) + correlation.weighted(weights[1])
        + marginal.weighted(weights[2])
    }
  }
}

/// The decomposed divergence in words.
public struct TotalCorrelationDescription: DiagonalNormalObjectiveDescription {
  public static let name = "beta-tc"
  public static let origin = Origin(
    "the divergence in three parts: information, total correlation, marginals",
    paper: "Chen et al. 2018", equation: "4, appendix C",
    test: "LatentModelsTests/AggregatePosteriorTests.swift")

  /// The weight of the mutual information between latents and examples.
  public var alpha: WeightSchedule = 1
  /// The weight of the total correlation.
  public var beta: WeightSchedule = 6
  /// The weight of the divergence of the marginals from the prior.
  public var gamma: WeightSchedule = 1
  /// How a batch stands for the training set.
  public var estimator = AggregateEstimator.symmetric
  /// Examples of the training set; 0 stands for those that the run has.
  public var examples = 0

  public init() {}

  public func validate() throws {
    try check(weight: alpha, "alpha")
    try check(weight: beta, "beta")
    try check(weight: gamma, "gamma")
    try check((0...1_000_000_000_000).contains(examples), "examples", examples, "0 or more")
  }

  public func makeDiagonalNormal<Model: DiagonalNormalModel>(
    for model: Model, _ facts: TrainingFacts
  ) -> any TrainingObjective<Model> {
    var settings = self
    if examples == 0 { settings.examples = facts.examples }
    return TotalCorrelation<Model>(settings)
  }
}
