// Reweighted wake-sleep (Bornschein and Bengio 2015): the decoder follows the importance-weighted bound,
// the encoder a loss of its own, so that nothing is differentiated through draws. The two losses are of
// disjoint parameters: the encoder's is no gradient of the decoder's bound.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Two players, for posteriors of any kind whose density is known (Bornschein and Bengio 2015, equations 4
/// and 8, and section 2.3). Needs a model whose parameters lie under `encoder`, `decoder` and `prior`.
///
/// The decoder and the prior minimise -log 1/K sum_k w_k, whose gradient is that of
/// -sum_k w~_k log p(x, z_k). The encoder minimises the cross entropy from the true posterior, estimated
/// awake or asleep. Both see the parameters before the step.
public struct ReweightedWakeSleep<Model: LatentVariableModel>: DescribedObjective {
  public let settings: ReweightedWakeSleepDescription

  public init(_ settings: ReweightedWakeSleepDescription) { self.settings = settings }

  public var turns: [Turn] { [.decoder, .encoder] }

  private static var draws: String { "wakeSleep.draws" }
  private static var weights: String { "wakeSleep.weights" }

  public func loss(
    of turn: Int, _ model: Model, _ parts: NoParts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    if turn == 0 { return decoderLoss(model, x, &context) }
    let isAwake = settings.phase == .wake
    return LossTerms(
      total: isAwake ? wakeLoss(model, x, &context) : sleepLoss(model, x.shape[0], &context),
      terms: [])
  }

  private func decoderLoss(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.fixedDraws(x, samples: settings.samples, &context)
    let logWeights = pass.logWeights
    var terms = pass.loss(bound: logWeights.logMeanExp(), logWeights)
    if settings.phase == .wake {
      terms.handover = [
        Self.draws: pass.z, Self.weights: softmax(logWeights.detached, axis: 0),
      ]
    }
    return terms
  }

  private func wakeLoss(_ model: Model, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    guard let z = context.fields[Self.draws], let weights = context.fields[Self.weights] else {
      fatalError("the encoder's turn of wake-sleep comes after the decoder's of the same step")
    }
    let q = model.checkedPosterior(of: x, &context)
    return -((weights * q.evaluable.logProbability(of: z)).sum(axes: [0]).mean())
  }

  /// Dreams are whole, whatever a mask hides of the data.
  private func sleepLoss(
    _ model: Model, _ count: Int, _ context: inout LayerContext
  ) -> Tensor {
    let mask = context.fields.removeValue(forKey: FieldName.mask)
    defer { context.fields[FieldName.mask] = mask }
    let z = model.samplePrior(count, fields: context.fields, using: &context.random)
    let dream = model.decode(z, fields: context.fields).sample(using: &context.random)
    let q = model.checkedPosterior(of: dream, &context)
    return -(q.evaluable.logProbability(of: z).mean())
  }
}

/// What the encoder of `ReweightedWakeSleep` learns from.
public enum EncoderPhase: String, SettingWord {
  /// The data: -sum_k w~_k log q(z_k | x), with the draws and the weights of the decoder's turn.
  case wake
  /// The model: -log q(z | x) of z from the prior and x from the likelihood.
  case sleep
}

/// Reweighted wake-sleep in words.
public struct ReweightedWakeSleepDescription: ObjectiveDescription {
  public static let name = "rws"
  public static let origin = Origin(
    "reweighted wake-sleep: the encoder learns from weighted draws or from dreams",
    paper: "Bornschein and Bengio 2015", equation: "4, 8 and section 2.3",
    test: "LatentModelsTests/FixedDrawTests.swift")

  /// Latent draws for each example.
  public var samples = 10
  /// What the encoder learns from.
  public var phase = EncoderPhase.wake

  public init() {}

  public func validate() throws { try check(samples: samples, "samples") }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireEvaluablePosterior(of: model)
    try requireEncoderAndDecoder(of: model)
    return ReweightedWakeSleep<Model>(self)
  }
}
