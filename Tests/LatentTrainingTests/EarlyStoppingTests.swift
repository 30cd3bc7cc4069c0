// Patience: counted in epochs without progress, and not forgotten by a resumed run.

import Latent
import Testing

@testable import LatentTraining

@Suite struct EarlyStoppingTests {
  static let state = TrainingState(
    epoch: 1, batch: 0, batchesPerEpoch: 1, epochs: 100, step: 1, makeCheckpoint: { Checkpoint() })

  static func metrics(_ loss: Double) throws -> EpochMetrics {
    var average = TermAverage()
    average.add(loss, [], examples: 1)
    return EpochMetrics(
      epoch: 1, step: 1, training: TermAverage(), validation: average, learningRate: 1, seconds: 0)
  }

  /// The number of epochs after which it stops, nil when it does not.
  static func epochs(_ event: inout EarlyStopping, _ losses: [Double]) throws -> Int? {
    for (index, loss) in losses.enumerated()
    where try event.epochEnded(state, metrics(loss)) != .goOn {
      return index + 1
    }
    return nil
  }

  struct Case: Sendable {
    var patience: Int
    var threshold = 0.0
    var losses: [Double]
    var stopsAfter: Int?
  }

  @Test(arguments: [
    Case(patience: 0, losses: [5, 4, 4], stopsAfter: 3),
    Case(patience: 1, losses: [5, 4, 4, 3, 3, 3], stopsAfter: 6),
    Case(patience: 2, losses: [5, 6, 7, 4, 5, 6, 3], stopsAfter: nil),
    Case(patience: 2, losses: [5, 6, 7, 8], stopsAfter: 4),
    Case(patience: 0, threshold: 0.5, losses: [5, 4, 3.6], stopsAfter: 3),
    Case(patience: 0, losses: [5, .nan], stopsAfter: 2),
    Case(patience: 1, losses: [.nan, 3, 2], stopsAfter: nil),
  ]) func patience(example: Case) throws {
    var event = EarlyStopping(patience: example.patience, threshold: example.threshold)
    #expect(try EarlyStoppingTests.epochs(&event, example.losses) == example.stopsAfter)
  }

  @Test func theReasonSaysWhatHappened() throws {
    var event = EarlyStopping(patience: 0)
    _ = try event.epochEnded(EarlyStoppingTests.state, EarlyStoppingTests.metrics(2.5))
    let verdict = try event.epochEnded(EarlyStoppingTests.state, EarlyStoppingTests.metrics(3))
    #expect(verdict == .stop(reason: "no progress for 1 epochs; best loss 2.5"))
  }

  @Test func savedAndRestored() throws {
    for cut in 1...6 {
      let losses = [5, 6, 4, 5, 6, 7, 8] as [Double]
      var first = EarlyStopping(patience: 3)
      #expect(try EarlyStoppingTests.epochs(&first, Array(losses[..<cut])) == nil)
      var second = EarlyStopping(patience: 3)
      second.restore(first.saved)
      #expect(try EarlyStoppingTests.epochs(&second, Array(losses[cut...])) == 7 - cut)
    }
  }

  /// A run that cannot make progress stops after the same epoch, resumed or not.
  @Test func inARun() throws {
    func trainer() -> TinyTrainer { tinyTrainer(optimizer: SGD(learningRate: 1e-12)) }
    func fit(_ trainer: inout TinyTrainer, stop: Int, _ keep: Kept) throws {
      try trainer.fit(
        tinyData(), epochs: 100, batchSize: 8, validation: tinyData(10, seed: 2),
        events: [
          .stopEarly(patience: 4, threshold: 10),
          StopAfter(step: stop, atEpochEnd: true, keep: keep),
        ], handlesSignals: false)
    }
    var whole = trainer()
    try fit(&whole, stop: -1, Kept())
    #expect(whole.epoch == 6)
    let keep = Kept()
    var first = trainer()
    #expect(throws: Enough.self) { try fit(&first, stop: 18, keep) }
    var second = trainer()
    try second.resume(from: Checkpoint(decoding: keep.bytes))
    try fit(&second, stop: -1, keep)
    #expect(second.epoch == 6)
    #expect(try second.bytes == whole.bytes)
  }
}
