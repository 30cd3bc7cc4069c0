// The importance-weighted bound, log of the mean of K weights (Burda, Grosse and Salakhutdinov 2016): the
// more draws, the closer it is to log p(x).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The importance-weighted bound L_K = log 1/K sum_k w_k, in nats per example (Burda, Grosse and
/// Salakhutdinov 2016, equation 8); one draw gives the evidence lower bound.
///
/// Of data with a mask only observed entries count, which is the bound of Mattei and Frellsen 2019
/// (there called MIWAE, for "missing").
public struct IWAE<Model: LatentVariableModel>: MultiSampleBound
where Model.Posterior: ReparameterizedDistribution {
  public let settings: IWAEDescription

  public init(_ settings: IWAEDescription) { self.settings = settings }

  public func bound(_ logWeights: Tensor) -> Tensor { logWeights.logMeanExp() }

  /// c = w~, and dc / dlog w = w~ (1 - w~).
  public func doublyReparameterizedShare(_ logWeights: Tensor) -> Tensor {
    softmax(logWeights, axis: 0)
  }
}

/// The importance-weighted bound in words.
public struct IWAEDescription: MultiSampleDescription {
  public static let name = "iwae"
  public static let origin = Origin(
    "the importance-weighted bound", paper: "Burda, Grosse and Salakhutdinov 2016", equation: "8",
    test: "LatentModelsTests/MultiSampleBoundTests.swift")

  public var samples = 10
  public var estimator = EncoderEstimator.pathwise

  public init() {}

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(of: model, for: estimator)
    return IWAE<Model>(self)
  }
}
