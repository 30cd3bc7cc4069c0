// Which epoch is the best one where no validation set says so: the warm-up of a divergence that is
// nearly free at first must not decide it.

import Latent
import Testing

@Suite struct SelectionTests {
  static let warmups: [Warmup] = [
    .none, .linear(steps: 40), .linear(steps: 1000), .cyclic(period: 20),
  ]

  /// A run that gets better with every step, though its loss rises with the weight of a divergence
  /// of 400 nats.
  struct Improving: Objective {
    let warmup: Warmup
    var summary: String { "Improving(\(warmup))" }

    func callAsFunction(
      _ model: Point, _ x: Tensor, _ context: inout LayerContext
    ) -> LossTerms {
      let rest = model.x.sum() * 0 + (20 - 0.1 * Double(context.step))
      let factor = warmup.factor(step: context.step)
      return LossTerms(
        total: rest + 400 * factor, terms: [("rest", rest)],
        afterWarmup: factor == 1 ? nil : rest + 400)
    }
  }

  @Test(arguments: warmups) func theWarmupDoesNotDecide(warmup: Warmup) throws {
    try withTemporaryFolder { folder in
      let keep = Kept()
      var trainer = Trainer(
        Point(), objective: Improving(warmup: warmup), optimizer: SGD(learningRate: 1),
        schedule: ReduceOnPlateau(decay: 0.5, patience: 0, threshold: 0), seed: 0)
      try trainer.fit(
        tinyData(), epochs: 8, batchSize: 8,
        events: [.saveEvery(to: folder), .stopEarly(patience: 1), Recorder(keep: keep)],
        handlesSignals: false)
      // Nothing stopped it, the rate was not lowered, and the last epoch is the best one.
      #expect(trainer.epoch == 8 && trainer.stopReason == nil)
      #expect(keep.epochs.map(\.learningRate) == Array(repeating: 1, count: 8))
      let best = try Checkpoint(contentsOf: "\(folder)/\(RunFolder.best)")
      #expect(try best.encoded() == RunFolder.newest(in: folder).checkpoint.encoded())
      let plain = keep.epochs.map(\.training.loss)
      #expect((plain[1] < plain[0]) == (warmup == .none), "\(plain)")
    }
  }

  static func elbo(_ warmup: Warmup) -> TinyTrainer {
    Trainer(
      tinyModel(), objective: ELBO(beta: 8, warmup: warmup), optimizer: Adam(learningRate: 1e-2),
      seed: 3)
  }

  static func fit(_ trainer: inout TinyTrainer, _ keep: Kept, stop: Int = -1) throws {
    try trainer.fit(
      tinyData(), epochs: 5, batchSize: 8,
      events: [Recorder(keep: keep), StopAfter(step: stop, keep: keep)], handlesSignals: false)
  }

  @Test(arguments: warmups) func termsCountInFull(warmup: Warmup) throws {
    let keep = Kept()
    var trainer = SelectionTests.elbo(warmup)
    try SelectionTests.fit(&trainer, keep)
    for epoch in keep.epochs {
      let reconstruction = try #require(epoch.training["reconstruction"])
      let loss = reconstruction + 8 * (try #require(epoch.training["kl"]))
      #expect(abs(epoch.selectionLoss - loss) < 1e-5 * loss)
      if warmup == .none { #expect(epoch.selectionLoss == epoch.training.loss) }
    }
  }

  /// In the middle of an epoch the sum so far is saved; checkpoints of the first versions have none.
  @Test(arguments: [true, false]) func resumedInTheMiddle(hasSum: Bool) throws {
    let (whole, parts) = (Kept(), Kept())
    let warmup = Warmup.linear(steps: 100)
    var uninterrupted = SelectionTests.elbo(warmup)
    try SelectionTests.fit(&uninterrupted, whole)
    var first = SelectionTests.elbo(warmup)
    #expect(throws: Enough.self) { try SelectionTests.fit(&first, parts, stop: 15) }
    var checkpoint = try Checkpoint(decoding: parts.bytes)
    if !hasSum { checkpoint.arrays["progress/sumAfterWarmup"] = nil }
    var second = SelectionTests.elbo(warmup)
    try second.resume(from: checkpoint)
    try SelectionTests.fit(&second, parts)
    #expect(parts.epochs.map(\.figures) == whole.epochs.map(\.figures))
    #expect(try second.bytes == uninterrupted.bytes)
    let (found, expected) = (parts.epochs.map(\.selectionLoss), whole.epochs.map(\.selectionLoss))
    #expect(found.enumerated().allSatisfy { $0 == 2 || $1 == expected[$0] })
    if hasSum {
      #expect(found[2] == expected[2])
    } else {
      #expect(found[2] > whole.epochs[2].training.loss && found[2] < expected[2])
    }
  }
}
