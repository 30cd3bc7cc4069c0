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
public struct PIWAE<Model: LatentVariableModel>: TrainingObjective
where Model.Posterior: ReparameterizedDistribution {
  /// What the decoder and the prior follow, and what is reported.
  public let decoderBound: IWAE<Model>
  /// What the encoder follows.
  public let encoderBound: MIWAE<Model>

  /// M bounds of K draws for the encoder, one of M K for the rest. Traps unless both are positive.
  public init(
    estimates: Int, samples: Int, estimator: EncoderEstimator = .pathwise,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    encoderBound = MIWAE(
      estimates: estimates, samples: samples, estimator: estimator, file: file, line: line)
    decoderBound = IWAE(draws: encoderBound.draws, file: file, line: line)
  }

  public var turns: [Turn] { [.decoder, .encoder] }
  public var summary: String {
    "PIWAE(decoder: \(decoderBound.summary), encoder: \(encoderBound.summary))"
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: NoParts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    if turn == 0 { return decoderBound(model, x, &context) }
    // The terms were reported by the first player.
    return LossTerms(total: encoderBound(model, x, &context).total, terms: [])
  }
}

/// The partially importance-weighted bounds in words.
public struct PIWAEDescription: ReparameterizedObjectiveDescription {
  public static let name = "piwae"
  public static let origin = Origin(
    "importance-weighted, with looser bounds for the encoder", paper: "Rainforth et al. 2018",
    equation: "section 4")

  /// Bounds for the encoder, for each example.
  public var estimates = 5
  /// Latent draws for each of them.
  public var samples = 10
  /// How the encoder's gradient is estimated.
  public var estimator = EncoderEstimator.pathwise

  public init() {}

  public func validate() throws { try check(estimates: estimates, samples: samples) }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(of: model, for: estimator)
    try requireEncoderAndDecoder(of: model)
    return PIWAE<Model>(estimates: estimates, samples: samples, estimator: estimator)
  }
}
