// Combination of the evidence lower bound and the importance-weighted one: a compromise between signal for
// the encoder and tightness for the decoder (Rainforth et al. 2018).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// beta ELBO + (1 - beta) L_K, both of the same K draws, in nats per example (Rainforth et al. 2018,
/// section 4): 1 gives the evidence lower bound with K samples, 0 `IWAE`.
public struct CIWAE<Model: LatentVariableModel>: MultiSampleBound
where Model.Posterior: ReparameterizedDistribution {
  public let settings: CIWAEDescription

  public init(_ settings: CIWAEDescription) { self.settings = settings }

  public func bound(_ logWeights: Tensor) -> Tensor {
    logWeights.mean(axes: [0]) * settings.beta + logWeights.logMeanExp() * (1 - settings.beta)
  }

  /// c = beta / K + (1 - beta) w~, and c - dc / dlog w = beta / K + (1 - beta) w~^2.
  public func doublyReparameterizedShare(_ logWeights: Tensor) -> Tensor {
    let weights = softmax(logWeights, axis: 0)
    let beta = settings.beta
    let plain = beta / Double(settings.draws)
    let coefficients = weights * (1 - beta) + plain
    // Where a weight underflows and beta is 0, nothing comes back that could be scaled.
    let safe = Tensor.where(coefficients .> 0, coefficients, coefficients.onesLike)
    return (square(weights) * (1 - beta) + plain) / safe
  }
}

/// The combined bound in words.
public struct CIWAEDescription: MultiSampleDescription {
  public static let name = "ciwae"
  public static let origin = Origin(
    "between the evidence lower bound and the importance-weighted one",
    paper: "Rainforth et al. 2018", equation: "section 4",
    test: "LatentModelsTests/MultiSampleBoundTests.swift")

  public var samples = 10
  /// The weight of the evidence lower bound, 0 to 1.
  public var beta = 0.5
  public var estimator = EncoderEstimator.pathwise

  public init() {}

  public func validate() throws {
    try check(samples: samples, "samples")
    try check((0...1).contains(beta), "beta", beta, "0 to 1")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(of: model, for: estimator)
    return CIWAE<Model>(self)
  }
}
