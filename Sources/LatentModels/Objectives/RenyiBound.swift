// Bounds from Renyi's divergence of order alpha: a family with the evidence lower bound at 1 and the
// importance-weighted one at 0 (Li and Turner 2016).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The variational Renyi bound 1 / (1 - alpha) log 1/K sum_k w_k^(1 - alpha), in nats per example (Li and
/// Turner 2016, equation 14).
///
/// It falls as `alpha` rises: 0 gives `IWAE`, 1 the evidence lower bound. Below 0 it approaches the largest
/// log w, and is no lower bound of log p(x) any more.
public struct RenyiBound<Model: LatentVariableModel>: MultiSampleBound
where Model.Posterior: ReparameterizedDistribution {
  public let settings: RenyiDescription

  public init(_ settings: RenyiDescription) { self.settings = settings }

  public func bound(_ logWeights: Tensor) -> Tensor {
    let rest = 1 - settings.alpha
    return rest == 0 ? logWeights.mean(axes: [0]) : (logWeights * rest).logMeanExp() / rest
  }

  /// c = v, the normalised w^(1 - alpha), and dc / dlog w = (1 - alpha) v (1 - v).
  public func doublyReparameterizedShare(_ logWeights: Tensor) -> Tensor {
    let rest = 1 - settings.alpha
    return softmax(logWeights * rest, axis: 0) * rest + settings.alpha
  }
}

/// The Renyi bound in words.
public struct RenyiDescription: MultiSampleDescription {
  public static let name = "renyi"
  public static let origin = Origin(
    "the variational Renyi bound", paper: "Li and Turner 2016", equation: "14",
    test: "LatentModelsTests/MultiSampleBoundTests.swift")

  public var samples = 10
  /// The order of the divergence: 0 gives the importance-weighted bound, 1 the evidence lower bound.
  public var alpha = 0.5
  public var estimator = EncoderEstimator.pathwise

  public init() {}

  public func validate() throws {
    try check(samples: samples, "samples")
    try check(alpha.isFinite, "alpha", alpha, "a finite number")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(of: model, for: estimator)
    return RenyiBound<Model>(self)
  }
}
