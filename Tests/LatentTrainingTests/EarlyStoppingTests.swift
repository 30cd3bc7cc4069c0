// Patience: counted in epochs without progress, and not forgotten by a resumed run.

import Latent
import Testing

@Suite struct EarlyStoppingTests {
  /// A validation set with one example, whose value is another one after each epoch.
  struct Scripted: Dataset {
    let losses: [Float]
    let keep: Kept
    var count: Int { 1 }
    var fieldShapes: [String: Shape] { [Field.inputs: [1]] }
    var name: String { "script" }

    func batch(at indices: [Int]) throws -> Batch {
      keep.texts.append("asked")
      let loss = losses[keep.texts.count - 1]
      return Batch(fields: [Field.inputs: NDArray([loss], shape: [1, 1])], indices: indices)
    }
  }

  /// Trains with these validation losses, as many epochs as there are at most.
  static func fit(
    _ trainer: inout Trainer<Point, MeanInput>, _ event: EarlyStopping, _ losses: [Float]
  ) throws -> Int {
    let data = ArrayDataset(inputs: NDArray([0] as [Float], shape: [1, 1]))
    try trainer.fit(
      data, epochs: trainer.epoch + losses.count, batchSize: 1,
      validation: Scripted(losses: losses, keep: Kept()), events: [event], handlesSignals: false)
    return trainer.epoch
  }

  static func trainer() -> Trainer<Point, MeanInput> {
    Trainer(Point(), objective: MeanInput(), optimizer: SGD(learningRate: 1), seed: 0)
  }

  struct Case: Sendable {
    var patience: Int
    var threshold = 0.0
    var losses: [Float]
    /// Where it stops, or the number of losses.
    var epochs: Int
  }

  @Test(arguments: [
    Case(patience: 1, losses: [5, 4, 4, 4], epochs: 3),
    Case(patience: 2, losses: [5, 4, 4, 3, 3, 3, 3], epochs: 6),
    Case(patience: 3, losses: [5, 6, 7, 4, 5, 6, 3], epochs: 7),
    Case(patience: 3, losses: [5, 6, 7, 8, 1], epochs: 4),
    Case(patience: 1, threshold: 0.5, losses: [5, 4, 3.75, 3], epochs: 3),
  ]) func patience(example: Case) throws {
    var trainer = EarlyStoppingTests.trainer()
    let event = EarlyStopping(patience: example.patience, threshold: example.threshold)
    #expect(try EarlyStoppingTests.fit(&trainer, event, example.losses) == example.epochs)
  }

  @Test func theReasonSaysWhatHappened() throws {
    struct Witness: TrainingEvent {
      var event = EarlyStopping(patience: 1)
      let keep: Kept
      mutating func epochEnded(
        _ state: TrainingState, _ metrics: EpochMetrics
      ) throws -> TrainingVerdict {
        let verdict = try event.epochEnded(state, metrics)
        if case .stop(let reason) = verdict { keep.texts.append(reason) }
        return verdict
      }
    }
    let keep = Kept()
    var trainer = EarlyStoppingTests.trainer()
    try trainer.fit(
      ArrayDataset(inputs: NDArray([0.5] as [Float], shape: [1, 1])), epochs: 9, batchSize: 1,
      events: [Witness(keep: keep)], handlesSignals: false)
    #expect(keep.texts == ["no progress for 1 epoch; best loss 0.5"])
    #expect(trainer.stopReason == keep.texts[0])
    // A call without the event does not repeat the reason of the one before.
    try trainer.fit(
      ArrayDataset(inputs: NDArray([0.5] as [Float], shape: [1, 1])), epochs: 3, batchSize: 1,
      handlesSignals: false)
    #expect(trainer.stopReason == nil && trainer.epoch == 3)
  }

  /// Patience that ends with the last epoch stopped nothing; with more epochs to come it does.
  @Test func completeRunsWereNotStopped() throws {
    var trainer = EarlyStoppingTests.trainer()
    let data = ArrayDataset(inputs: NDArray([0.5] as [Float], shape: [1, 1]))
    for (epochs, isStopped) in [(3, false), (3, false), (4, true)] {
      try trainer.fit(
        data, epochs: epochs, batchSize: 1, events: [.stopEarly(patience: 2)],
        handlesSignals: false)
      #expect(trainer.epoch == 3 && (trainer.stopReason != nil) == isStopped)
    }
  }

  @Test func noPatienceTraps() async {
    await #expect(processExitsWith: .failure) { _ = EarlyStopping(patience: 0) }
  }

  @Test func savedAndRestored() throws {
    // The last cut is where the run stops: what is resumed there has nothing to do.
    for cut in 1...7 {
      let losses = [5, 6, 4, 5, 6, 7, 8, 9] as [Float]
      let event = EarlyStopping(patience: 4)
      var first = EarlyStoppingTests.trainer()
      #expect(try EarlyStoppingTests.fit(&first, event, Array(losses[..<cut])) == cut)
      var second = EarlyStoppingTests.trainer()
      try second.resume(from: Checkpoint(decoding: first.bytes))
      #expect(try EarlyStoppingTests.fit(&second, event, Array(losses[cut...])) == 7)
      #expect(second.stopReason == "no progress for 4 epochs; best loss 4.0")
    }
  }

  /// A run that was stopped, also where its end was cut off: again and again there is nothing to do,
  /// until more patience is asked for.
  @Test func aStoppedRunStaysStopped() throws {
    func fit(_ trainer: inout TinyTrainer, patience: Int, stop: Int = -1, _ keep: Kept) throws {
      try trainer.fit(
        tinyData(), epochs: 100, batchSize: 8, validation: tinyData(10, seed: 2),
        events: [
          .stopEarly(patience: patience, threshold: 10),
          StopAfter(step: stop, atEpochEnd: true, keep: keep),
        ], handlesSignals: false)
    }
    var whole = tinyTrainer()
    try fit(&whole, patience: 2, Kept())
    #expect(whole.epoch == 3)
    let keep = Kept()
    var cut = tinyTrainer()
    #expect(throws: Enough.self) { try fit(&cut, patience: 2, stop: 18, keep) }
    for bytes in [try whole.bytes, keep.bytes] {
      var again = tinyTrainer()
      try again.resume(from: Checkpoint(decoding: bytes))
      for _ in 0..<2 {
        try fit(&again, patience: 2, Kept())
        #expect(try again.bytes == whole.bytes)
        #expect(again.stopReason == whole.stopReason)
      }
      try fit(&again, patience: 4, Kept())
      #expect(again.epoch == 5)
    }
  }

  /// A run that cannot make progress stops after the same epoch, resumed or not.
  @Test func inARun() throws {
    func trainer() -> TinyTrainer { tinyTrainer(optimizer: SGD(learningRate: 1e-12)) }
    func fit(_ trainer: inout TinyTrainer, stop: Int, _ keep: Kept) throws {
      try trainer.fit(
        tinyData(), epochs: 100, batchSize: 8, validation: tinyData(10, seed: 2),
        events: [
          .stopEarly(patience: 5, threshold: 10),
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
