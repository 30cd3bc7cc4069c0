// Encoders that lag behind (He et al. 2019): a decoder that can do without latents learns to, before the encoder
// has found out what to put there. So the encoder is trained until it has caught up before the decoder
// moves, as long as the latents still gain information that way.

import Foundation
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
public struct LaggingInference<Model: LatentVariableModel>: TrainingObjective
where Model.Posterior: ReparameterizedDistribution {
  /// The weight of the divergence.
  public let beta: WeightSchedule
  /// When the decoder moves.
  public let policy: LaggingPolicy

  /// The paper's policy unless told otherwise.
  public init(beta: WeightSchedule = 1, policy: LaggingPolicy = LaggingPolicy()) {
    self.beta = beta
    self.policy = policy
  }

  public var summary: String {
    "LaggingInference(beta: \(beta), window: \(policy.window), limit: \(policy.limit), "
      + "period: \(policy.period))"
  }

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
    guard let divergence = pass.divergence else {
      fatalError("LaggingInference needs a posterior with a density, not \(Model.Posterior.self)")
    }
    let (reconstruction, kl) = (-(pass.logLikelihood.mean()), divergence.mean())
    var terms = LossTerms(
      context, weights: [beta], terms: [("reconstruction", reconstruction), ("kl", kl)],
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
    policy.advance(&state, loss: loss.item, information: information)
    context.update(parts.state) { Tensor(state.numbers).converted(to: $0.dtype) }
  }
}

/// When the decoder of `LaggingInference` moves.
public struct LaggingPolicy: Sendable, Hashable {
  /// Steps of the encoder whose mean loss is compared with that of as many before.
  public var window: Int
  /// The most steps that the decoder waits for.
  public var limit: Int
  /// Moves of the decoder over which the information is averaged.
  public var period: Int

  /// The paper's inner loop unless told otherwise. Traps unless all are positive.
  public init(
    window: Int = 10, limit: Int = 100, period: Int = 100, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      window > 0 && limit > 0 && period > 0,
      "LaggingPolicy: window \(window), limit \(limit), period \(period)", file: file, line: line)
    self.window = window
    self.limit = limit
    self.period = period
  }

  /// What has been seen so far.
  struct State: Equatable {
    var isAggressive = true
    /// Whether the decoder moves at the next step.
    var isDue = false
    /// Steps of the encoder since the decoder moved.
    var steps = 0
    /// The sum of the losses of the window in progress, and the mean of the one before.
    var sum = 0.0, previous = 0.0
    /// Moves of the decoder in the period in progress, and the sum of the information at them.
    var moves = 0
    var information = 0.0
    /// The largest average of a period.
    var best = 0.0

    var decoderMoves: Bool { !isAggressive || isDue }

    init() {}

    init(_ numbers: [Double]) {
      (isAggressive, isDue, steps) = (numbers[0] != 0, numbers[1] != 0, Int(numbers[2]))
      (sum, previous) = (numbers[3], numbers[4])
      (moves, information, best) = (Int(numbers[5]), numbers[6], numbers[7])
    }

    var numbers: [Double] {
      [
        isAggressive ? 1 : 0, isDue ? 1 : 0, Double(steps), sum, previous, Double(moves),
        information, best,
      ]
    }
  }

  /// After a step of the encoder with this loss; `information` where the decoder moved too.
  func advance(_ state: inout State, loss: Double, information: Double?) {
    if let information {
      (state.isDue, state.steps, state.sum) = (false, 0, 0)
      state.moves += 1
      state.information += information
      guard state.moves == period else { return }
      let average = state.information / Double(period)
      state.isAggressive = average >= state.best
      state.best = max(state.best, average)
      (state.moves, state.information) = (0, 0)
      return
    }
    state.steps += 1
    state.sum += loss
    if state.steps % window == 0 {
      let mean = state.sum / Double(window)
      state.isDue = state.steps > window && mean >= state.previous
      (state.previous, state.sum) = (mean, 0)
    }
    if state.steps >= limit { state.isDue = true }
  }
}

/// The mean of log q(z_i | x_i) - log (1/B) sum_j q(z_i | x_j) in nats, an estimate of the mutual information of
/// data and codes z `[batch, latent...]` that is at most log B.
func mutualInformation(_ posterior: some Distribution, _ z: Tensor) -> Double {
  let (q, z) = (posterior.evaluable, z.detached)
  let count = z.shape[0]
  // Row i holds the densities of z_i under all posteriors.
  let draws = z.expandingDimension(at: 1).broadcast(to: [count] + z.shape)
  let densities = q.logProbability(of: draws).detached
  let own = q.logProbability(of: z).detached
  return (own - densities.logSumExp(axes: [1])).mean().item + log(Double(count))
}

/// What the encoder's turn leaves for the decoder's.
private let codesField = "lagging.codes"

/// Lagging inference networks in words.
public struct LaggingInferenceDescription: ReparameterizedObjectiveDescription {
  public static let name = "lagging"
  public static let origin = Origin(
    "the bound with an encoder that is trained ahead of the decoder", paper: "He et al. 2019",
    equation: "algorithm 1")

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
    return LaggingInference<Model>(
      beta: beta, policy: LaggingPolicy(window: window, limit: limit, period: period))
  }
}
