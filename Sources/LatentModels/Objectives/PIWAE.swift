// Partially importance-weighted: the decoder learns from the tightest bound that the draws allow, the
// encoder from the mean of looser ones, whose gradient has more signal (Rainforth et al. 2018). Two losses
// of disjoint parameters, so two players.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The decoder and the prior follow one importance-weighted bound of M K draws, the encoder the mean of M
/// bounds of K draws (Rainforth et al. 2018, section 4). Needs a model whose parameters lie under
/// `encoder`, `decoder` and `prior`.
public struct PIWAE<Model: LatentVariableModel>: DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: PIWAEDescription

  public init(_ settings: PIWAEDescription) { self.settings = settings }

  /// What the decoder and the prior follow, and what is reported.
  private var decoderBound: IWAE<Model> { IWAE { $0.samples = settings.draws } }
  /// What the encoder follows.
  private var encoderBound: MIWAE<Model> {
    MIWAE {
      ($0.estimates, $0.samples) = (settings.estimates, settings.samples)
      $0.estimator = settings.estimator
    }
  }

  public var turns: [Turn] { [.decoder, .encoder] }

  public func loss(
    of turn: Int, _ model: Model, _ parts: NoParts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    if turn == 0 { return decoderBound(model, x, &context) }
    // The terms were reported by the first player.
    return LossTerms(total: encoderBound(model, x, &context).total, terms: [])
  }
}

/// The partially importance-weighted bounds in words.
public struct PIWAEDescription: MultiSampleDescription {
  public static let name = "piwae"
  public static let origin = Origin(
    "importance-weighted, with looser bounds for the encoder", paper: "Rainforth et al. 2018",
    equation: "section 4", test: "LatentModelsTests/MultiSampleBoundTests.swift")

  /// Bounds for the encoder, for each example.
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
    try requireEncoderAndDecoder(of: model)
    return PIWAE<Model>(self)
  }
}
