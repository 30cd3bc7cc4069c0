// Which files are in a run folder, when, and which of them are read again.

import Foundation
import Latent
import Testing

@Suite struct SaveCheckpointsTests {
  private func names(_ folder: String) throws -> [String] { try Folder.names(in: folder) }

  private func run(
    _ saving: SaveCheckpoints, epochs: Int = 6, _ others: [any TrainingEvent] = []
  ) throws -> TinyTrainer {
    var trainer = tinyTrainer()
    try trainer.fit(
      tinyData(), epochs: epochs, batchSize: 8, events: [saving] + others, handlesSignals: false)
    return trainer
  }

  @Test func newestAndBest() throws {
    try withTemporaryFolder { folder in
      _ = try run(.saveEvery(to: folder, keeping: 2))
      #expect(
        try names(folder) == ["best.h5", "checkpoint-000000030.h5", "checkpoint-000000036.h5"])
      #expect(try RunFolder.checkpoints(in: folder).first?.hasSuffix("36.h5") == true)
    }
    try withTemporaryFolder { folder in
      _ = try run(.saveEvery(epochs: 4, to: folder, keeping: 9))
      // The end of the run is saved whatever the interval.
      #expect(
        try names(folder) == ["best.h5", "checkpoint-000000024.h5", "checkpoint-000000036.h5"])
    }
    try withTemporaryFolder { folder in
      _ = try run(.saveEvery(epochs: 100, steps: 5, to: folder, keeping: 100), epochs: 2)
      #expect(
        try names(folder) == ["best.h5"]
          + [5, 10, 12].map { RunFolder.checkpointName(step: $0) })
    }
  }

  /// A step count that meets the end of an epoch must not save the state before the validation.
  @Test func endsOfEpochsAreSavedWhole() throws {
    try withTemporaryFolder { folder in
      let trainer = try run(.saveEvery(steps: 3, to: folder, keeping: 100), epochs: 2)
      let newest = try RunFolder.newest(in: folder)
      #expect(try newest.checkpoint.encoded() == trainer.bytes)
      var resumed = tinyTrainer()
      try resumed.resume(from: Checkpoint(contentsOf: "\(folder)/checkpoint-000000006.h5"))
      #expect(resumed.epoch == 1 && resumed.batch == 0)
      try resumed.resume(from: Checkpoint(contentsOf: "\(folder)/checkpoint-000000009.h5"))
      #expect(resumed.epoch == 1 && resumed.batch == 3)
    }
  }

  /// At every moment at least `keeping` readable checkpoints are there, once so many were written.
  @Test func deletesOnlyAfterwards() throws {
    struct Watch: TrainingEvent {
      let folder: String
      let keep: Kept
      mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
        let readable = try RunFolder.checkpoints(in: folder).filter {
          (try? Checkpoint(contentsOf: $0)) != nil
        }
        keep.texts.append("\(state.step) \(readable.count)")
      }
    }
    try withTemporaryFolder { folder in
      let keep = Kept()
      _ = try run(
        .saveEvery(steps: 1, to: folder, keeping: 2), epochs: 2, [Watch(folder: folder, keep: keep)]
      )
      #expect(
        keep.texts == ["1 1"] + (2...5).map { "\($0) 2" } + ["6 2"] + (7...12).map { "\($0) 2" })
    }
  }

  @Test func leftoversAreSwept() throws {
    try withTemporaryFolder { folder in
      let leftover = "\(folder)/.latent-999999-7.partial"
      try Data("half".utf8).write(to: URL(fileURLWithPath: leftover))
      _ = try run(.saveEvery(to: folder), epochs: 1)
      #expect(try names(folder) == ["best.h5", "checkpoint-000000006.h5"])
    }
  }

  @Test func bestFollowsTheValidationLoss() throws {
    try withTemporaryFolder { folder in
      let keep = Kept()
      // A rate this high makes the validation loss rise now and then.
      var trainer = tinyTrainer(optimizer: Adam(learningRate: 0.3))
      try trainer.fit(
        tinyData(), epochs: 12, batchSize: 8, validation: tinyData(20, seed: 77),
        events: [.saveEvery(to: folder, keeping: 1), Recorder(keep: keep)], handlesSignals: false)
      let losses = keep.epochs.compactMap(\.validation?.loss)
      let best = try #require(losses.min().flatMap { losses.firstIndex(of: $0) }) + 1
      #expect(best < 12, "the seed makes this test say nothing: \(losses)")
      var found = tinyTrainer(optimizer: Adam(learningRate: 0.3))
      try found.resume(from: Checkpoint(contentsOf: "\(folder)/\(RunFolder.best)"))
      #expect(found.epoch == best)
      let loss = try found.evaluate(tinyData(20, seed: 77)).loss
      #expect(loss == losses[best - 1])
      // A resumed run knows what it has to beat.
      let newest = try RunFolder.newest(in: folder).checkpoint
      #expect(newest.arrays["progress/eventNumbers"]?.doubles == [losses[best - 1]])
    }
  }

  @Test func unwritableFoldersAreTypedErrors() throws {
    try withTemporaryFolder { folder in
      try Data("a file".utf8).write(to: URL(fileURLWithPath: "\(folder)/taken"))
      let error = #expect(throws: StorageError.self) {
        _ = try run(.saveEvery(to: "\(folder)/taken/run"), epochs: 1)
      }
      #expect(error?.kind == .cannotWrite)
    }
  }

  @Test func namesAndSteps() {
    #expect(RunFolder.checkpointName(step: 7) == "checkpoint-000000007.h5")
    #expect(RunFolder.checkpointName(step: 12_345_678_901) == "checkpoint-12345678901.h5")
    for step in [0, 7, 999_999_999, 12_345_678_901] {
      #expect(RunFolder.step(of: RunFolder.checkpointName(step: step)) == step)
    }
    for name in ["best.h5", "checkpoint-.h5", "checkpoint-1.txt", "checkpoint-x.h5"] {
      #expect(RunFolder.step(of: name) == nil)
    }
  }
}
