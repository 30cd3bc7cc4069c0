// Multiply importance-weighted: the mean of M bounds of K draws each. More bounds keep the signal in the
// encoder's gradient that more draws in one bound take away (Rainforth et al. 2018).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The mean of M importance-weighted bounds of K draws each, in nats per example (Rainforth et al. 2018,
/// section 4): one draw in each gives the evidence lower bound with M samples, one bound `IWAE`.
public struct MIWAE<Model: LatentVariableModel>: MultiSampleBound
where Model.Posterior: ReparameterizedDistribution {
  public let settings: MIWAEDescription

  public init(_ settings: MIWAEDescription) { self.settings = settings }

  /// `[M K, batch]` as `[M, K, batch]`.
  private func grouped(_ logWeights: Tensor) -> Tensor {
    logWeights.reshaped(
      [settings.estimates, settings.samples] + logWeights.shape.suffix(logWeights.rank - 1))
  }

  public func bound(_ logWeights: Tensor) -> Tensor {
    grouped(logWeights).logMeanExp(axis: 1).mean(axes: [0])
  }

  /// As of one bound, within each.
  public func doublyReparameterizedShare(_ logWeights: Tensor) -> Tensor {
    softmax(grouped(logWeights), axis: 1).reshaped(logWeights.shape)
  }
}

/// The mean of importance-weighted bounds in words.
public struct MIWAEDescription: MultiSampleDescription {
  public static let name = "miwae"
  public static let origin = Origin(
    "the mean of several importance-weighted bounds", paper: "Rainforth et al. 2018",
    equation: "section 4", test: "LatentModelsTests/MultiSampleBoundTests.swift")

  /// Bounds for each example.
  public var estimates = 5
  public var samples = 10
  public var estimator = EncoderEstimator.pathwise

  public init() {}

  public var draws: Int { estimates * samples }

  public func validate() throws { try check(estimates: estimates, samples: samples) }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(of: model, for: estimator)
    return MIWAE<Model>(self)
  }
}

extension ObjectiveDescription {
  /// Both positive, and not too many together.
  func check(estimates: Int, samples: Int) throws {
    try check(samples: estimates, "estimates")
    try check(samples: samples, "samples")
    let most = ObjectiveSettings.maximumSamples
    try check(
      estimates * samples <= most, "samples", samples,
      "at most \(most / estimates) for \(estimates) estimates")
  }
}
