// A run that stopped anywhere and went on is, bit for bit, the run that never stopped: parameters,
// moments, counters, averages, metrics and batches.

import Latent
import Testing

@Suite struct ResumeTests {
  /// One way to train.
  struct Setting: Sendable, CustomTestStringConvertible {
    let name: String
    let optimizer: @Sendable () -> any Optimizer
    let schedule: @Sendable () -> any LearningRateSchedule
    var average: Double?

    var testDescription: String { name + (average == nil ? "" : ", averaged") }

    func trainer() -> TinyTrainer {
      tinyTrainer(
        optimizer: optimizer(), schedule: schedule(), clipping: .norm(5), average: average)
    }
  }

  static let optimizers: [(String, @Sendable () -> any Optimizer)] = [
    ("Adam", { Adam(learningRate: 0.02, weightDecay: 0.01) }),
    ("AdamW", { Adam.adamW(learningRate: 0.02) }),
    ("Adamax", { Adamax(learningRate: 0.02) }),
    ("SGD", { SGD(learningRate: 0.05, momentum: 0.9, nesterov: true) }),
    ("RMSprop", { RMSprop(learningRate: 0.01, momentum: 0.5, isCentered: true) }),
  ]

  static let schedules: [(String, @Sendable () -> any LearningRateSchedule)] = [
    ("plateau", { ReduceOnPlateau(decay: 0.5, patience: 0, threshold: 0.05) }),
    ("cosine", { CosineSchedule(warmup: 7, total: 60, floor: 0.1) }),
  ]

  static let settings = optimizers.flatMap { optimizer in
    schedules.flatMap { schedule in
      [nil, 0.9].map {
        Setting(
          name: "\(optimizer.0), \(schedule.0)", optimizer: optimizer.1, schedule: schedule.1,
          average: $0)
      }
    }
  }

  static let epochs = 10
  static let batchesPerEpoch = 6

  /// Trains up to the end or to `stop`; the last batch of an epoch is smaller than the others.
  static func train(
    _ trainer: inout TinyTrainer, stop: (step: Int, atEpochEnd: Bool)?, _ keep: Kept
  ) throws -> [UInt8]? {
    trainer.checksData = false  // the look reads batches besides
    do {
      try trainer.fit(
        Watched(base: tinyData(), keep: keep), epochs: epochs, batchSize: 8,
        validation: tinyData(10, seed: 5), transform: DynamicBinarization(),
        events: [
          .stopEarly(patience: 100), Recorder(keep: keep),
          StopAfter(step: stop?.step ?? -1, atEpochEnd: stop?.atEpochEnd ?? false, keep: keep),
        ], handlesSignals: false)
      return nil
    } catch is Enough {
      return keep.bytes
    }
  }

  /// Two ends of epochs, one before and one after the validation, and three other steps.
  static func stops(seed: UInt64) -> [(step: Int, atEpochEnd: Bool)] {
    var random = RandomStream(seed: seed)
    let ends = random.permutation(epochs - 1).prefix(2).map { ($0 + 1) * batchesPerEpoch }
    let middle = random.permutation(epochs * batchesPerEpoch - 1).map { $0 + 1 }
      .filter { $0 % batchesPerEpoch != 0 }.prefix(3)
    return ([(ends[0], false), (ends[1], true)] + middle.map { ($0, false) }).sorted { $0.0 < $1.0 }
  }

  @Test(arguments: settings) func stoppedIsUninterrupted(setting: Setting) throws {
    let whole = Kept()
    var uninterrupted = setting.trainer()
    #expect(try ResumeTests.train(&uninterrupted, stop: nil, whole) == nil)
    #expect(uninterrupted.step == 60 && uninterrupted.epoch == 10)

    for seed in [1, 2] as [UInt64] {
      let parts = Kept()
      var trainer = setting.trainer()
      let stops = ResumeTests.stops(seed: seed)
      for stop in stops {
        let bytes = try #require(try ResumeTests.train(&trainer, stop: stop, parts))
        trainer = setting.trainer()
        #expect(try trainer.resume(from: Checkpoint(decoding: bytes)).isEmpty)
        #expect(trainer.step == stop.step, "\(stops)")
        // Saving what was just read changes nothing.
        #expect(try trainer.bytes == bytes, "\(stops)")
      }
      #expect(try ResumeTests.train(&trainer, stop: nil, parts) == nil)
      #expect(try trainer.bytes == uninterrupted.bytes, "stopped at \(stops)")
      #expect(parts.epochs.map(\.figures) == whole.epochs.map(\.figures), "stopped at \(stops)")
      #expect(parts.batches == whole.batches, "stopped at \(stops)")
    }
  }

  @Test func theSameTrainerGoesOnAfterAStop() throws {
    let setting = ResumeTests.settings[1]
    var uninterrupted = setting.trainer()
    _ = try ResumeTests.train(&uninterrupted, stop: nil, Kept())
    var trainer = setting.trainer()
    for stop in ResumeTests.stops(seed: 3) {
      #expect(try ResumeTests.train(&trainer, stop: stop, Kept()) != nil)
    }
    _ = try ResumeTests.train(&trainer, stop: nil, Kept())
    #expect(try trainer.bytes == uninterrupted.bytes)
  }

  /// Saved numbers find their event where others have come before it.
  @Test(arguments: [[0, 1, 2], [1, 0, 2], [1, 2, 0], [2, 1, 0]])
  func anotherOrderOfEvents(order: [Int]) throws {
    try withTemporaryFolder { folder in
      let events: [any TrainingEvent] = [
        SaveCheckpoints(to: folder), MetricsLog(to: folder), EarlyStopping(patience: 9),
      ]
      func fit(_ trainer: inout TinyTrainer, epochs: Int, _ events: [any TrainingEvent]) throws {
        try trainer.fit(
          tinyData(), epochs: epochs, batchSize: 8, validation: tinyData(10, seed: 5),
          events: events, handlesSignals: false)
      }
      var whole = tinyTrainer()
      try fit(&whole, epochs: 6, events)
      var trainer = tinyTrainer()
      try fit(&trainer, epochs: 4, events)
      try fit(&trainer, epochs: 6, order.map { events[$0] })
      // Back in the first order the numbers are those of the whole run.
      try fit(&trainer, epochs: 6, events)
      #expect(try trainer.bytes == whole.bytes)
    }
  }

  @Test func ownLoopsResumeToo() throws {
    let data = tinyData(16)
    func steps(_ trainer: inout TinyTrainer, _ count: Int) throws {
      for _ in 0..<count {
        try trainer.step(Tensor(try data.batch(0..<16).inputs))
      }
    }
    var whole = tinyTrainer()
    try steps(&whole, 20)
    var first = tinyTrainer()
    try steps(&first, 7)
    var second = tinyTrainer()
    try second.resume(from: Checkpoint(decoding: first.bytes))
    try steps(&second, 13)
    #expect(try second.bytes == whole.bytes)
  }

  @Test func moreEpochsAreTheLongerRun() throws {
    func fit(_ trainer: inout TinyTrainer, epochs: Int) throws {
      try trainer.fit(tinyData(), epochs: epochs, batchSize: 16, handlesSignals: false)
    }
    var whole = tinyTrainer()
    try fit(&whole, epochs: 6)
    var parts = tinyTrainer()
    try fit(&parts, epochs: 2)
    try fit(&parts, epochs: 6)
    #expect(try parts.bytes == whole.bytes)
    try fit(&parts, epochs: 6)
    #expect(try parts.bytes == whole.bytes)
  }

  @Test func anotherBatchSizeInTheMiddleOfAnEpochIsRefused() throws {
    let keep = Kept()
    var trainer = tinyTrainer()
    _ = try? trainer.fit(
      tinyData(), epochs: 2, batchSize: 4, events: [StopAfter(step: 8, keep: keep)],
      handlesSignals: false)
    #expect(throws: TrainingError.wrongPosition(batch: 8, batchesPerEpoch: 3)) {
      try trainer.fit(tinyData(), epochs: 2, batchSize: 16, handlesSignals: false)
    }
  }
}

/// A data set that notes what training took from it.
struct Watched: Dataset {
  let base: ArrayDataset
  let keep: Kept
  var count: Int { base.count }
  var fieldShapes: [String: Shape] { base.fieldShapes }
  var name: String { base.name }

  func batch(at indices: [Int]) throws -> Batch {
    let batch = try base.batch(at: indices)
    keep.batches.append(batch.inputs.floats)
    return batch
  }
}
