// Encoders that lag behind (He et al. 2019): a decoder that can do without latents learns to, before the encoder
// has found out what to put there. So the encoder is trained until it has caught up before the decoder
// moves, as long as the latents still gain information that way.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The evidence lower bound, maximised by an encoder that goes ahead (He et al. 2019, algorithm 1), in nats
/// per example.
///
/// `encoder` (with the prior, where that has parameters) moves at every step along the bound, `decoder`
/// along its reconstruction at the same draws when it is due:
/// 1. While training is aggressive, the decoder waits until the encoder has caught up: until the mean loss
///    of `window` steps is no lower than that of the `window` before, or `limit` steps have passed.
/// 2. With each move of the decoder the mutual information of data and codes is estimated, as the mean of
///    log q(z_i | x_i) - log (1/B) sum_j q(z_i | x_j) over the batch. Over `period` such moves it is
///    averaged; the first average below the best one ends the aggressive phase for good.
/// 3. From then on both move at every step, which is training by `ELBO` with two optimisers.
///
/// The paper looks at the information of a validation set after each epoch, and at batches of their own in
/// the inner loop; a rule of turns sees one batch at a time. Where the policy stands is saved with the run.
public struct LaggingInference<Model: LatentVariableModel>: DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: LaggingInferenceDescription

  public init(_ settings: LaggingInferenceDescription) { self.settings = settings }

  /// Where the policy stands.
  public struct Parts: Module {
    /// A `LaggingPolicy.State` as numbers, `[8]`.
    public var state: Tensor

    public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visitBuffer(&state, "state")
    }
  }

  public func makeParts(for model: Model, using random: inout RandomStream) -> Parts {
    Parts(state: Tensor(LaggingPolicy.State().numbers.map { Float($0) }))
  }

  public var turns: [Turn] {
    [
      Turn("encoder", moves: ["encoder.**", "prior.**"]), Turn("decoder", moves: ["decoder.**"]),
    ]
  }

  public func isDue(_ turn: Int, step: Int, _ parts: Parts) -> Bool {
    turn == 0 || LaggingPolicy.State(parts.state.doubles).decoderMoves
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    if turn == 1 {
      let z = context.fields[codesField] ?? model.draw(of: x, &context).detached
      let likelihood = model.checkedLikelihood(of: z, leading: [x.shape[0]], &context)
      return LossTerms(
        total: -(likelihood.logProbability(of: x, observedIn: context).mean()), terms: [])
    }
    let pass = model.variationalPass(x, &context)
    let (reconstruction, kl) = pass.means(for: Settings.purpose)
    var terms = LossTerms(
      context, weights: [settings.beta], terms: [("reconstruction", reconstruction), ("kl", kl)],
      klMethod: pass.divergenceMethod
    ) { reconstruction + kl.weighted($0[0]) }
    terms.handover = [codesField: pass.z]
    if context.isTraining { note(terms.total, pass, parts, &context) }
    return terms
  }

  /// Where the policy stands after this step. A loss that is no number ends the step anyway.
  private func note(
    _ loss: Tensor, _ pass: VariationalPass<Model.Posterior>, _ parts: Parts,
    _ context: inout LayerContext
  ) {
    var state = LaggingPolicy.State(parts.state.doubles)
    guard state.isAggressive else { return }
    let information = state.isDue ? mutualInformation(pass.posterior, pass.z) : nil
    settings.policy.advance(&state, loss: loss.item, information: information)
    context.update(parts.state) { Tensor(state.numbers).converted(to: $0.dtype) }
  }
}

/// What the encoder's turn leaves for the decoder's.
private let codesField = "lagging.codes"

/// Lagging inference networks in words.
public struct LaggingInferenceDescription: ReparameterizedObjectiveDescription {
  public static let name = "lagging"
  public static let origin = Origin(
    "the bound with an encoder that is trained ahead of the decoder", paper: "He et al. 2019",
    equation: "algorithm 1", test: "LatentModelsTests/GameTests.swift")

  public static let requirement =
    "a reparameterised posterior whose density is known at any value"

  /// The weight of the divergence.
  public var beta: WeightSchedule = 1
  /// Steps of the encoder whose mean loss is compared with that of as many before.
  public var window = 10
  /// The most steps that the decoder waits for.
  public var limit = 100
  /// Moves of the decoder over which the information of the codes is averaged.
  public var period = 100

  public init() {}

  /// When the decoder moves.
  var policy: LaggingPolicy { LaggingPolicy(window: window, limit: limit, period: period) }

  public func validate() throws {
    try check(weight: beta, "beta")
    for (key, value) in [("window", window), ("limit", limit), ("period", period)] {
      try check((1...1_000_000).contains(value), key, value, "1 to 1000000")
    }
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireEvaluablePosterior(of: model)
    return LaggingInference<Model>(self)
  }
}
