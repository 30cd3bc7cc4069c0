// Checkpoints that belong to another run are refused with a typed error and leave the trainer as it
// is; damaged ones are passed over.

import Foundation
import Latent
import Testing

@Suite struct WrongCheckpointTests {
  static func trained(_ trainer: TinyTrainer = tinyTrainer()) throws -> TinyTrainer {
    var trainer = trainer
    try trainer.fit(tinyData(), epochs: 2, batchSize: 8, handlesSignals: false)
    return trainer
  }

  /// The text of the error with which `checkpoint` is refused.
  private func refusal(_ trainer: TinyTrainer, _ checkpoint: Checkpoint) throws -> String {
    var trainer = trainer
    let before = try trainer.bytes
    do {
      try trainer.resume(from: checkpoint, path: "run/a.h5")
    } catch {
      #expect(try trainer.bytes == before)
      #expect(
        error is TrainingError || error is ParameterMismatch || error is OptimizerStateMismatch)
      return "\(error)"
    }
    Issue.record("accepted")
    return ""
  }

  @Test func optimizer() throws {
    let saved = try WrongCheckpointTests.trained().checkpoint()
    let text = try refusal(tinyTrainer(optimizer: SGD(learningRate: 0.01, momentum: 0.9)), saved)
    #expect(text.contains("checkpoint run/a.h5: found optimizer Adam(learningRate: 0.01"))
    #expect(text.contains("expected SGD(learningRate: 0.01, momentum: 0.9"))
    #expect(
      try refusal(tinyTrainer(optimizer: Adam(learningRate: 0.02)), saved)
        .contains("expected Adam(learningRate: 0.02"))
  }

  @Test func objectiveAndSeed() throws {
    let saved = try WrongCheckpointTests.trained().checkpoint()
    #expect(
      try refusal(tinyTrainer(beta: 4), saved).contains("found objective ELBO(beta: 1.0"))
    #expect(try refusal(tinyTrainer(seed: 8), saved).contains("found seed 3, expected 8"))
  }

  @Test func schedule() throws {
    let schedules: [any LearningRateSchedule] = [
      ConstantSchedule(), StepSchedule(every: 10), CosineSchedule(total: 100), ReduceOnPlateau(),
    ]
    for (row, found) in schedules.enumerated() {
      let saved = try WrongCheckpointTests.trained(tinyTrainer(schedule: found)).checkpoint()
      for (column, expected) in schedules.enumerated() where row != column {
        let text = try refusal(tinyTrainer(schedule: expected), saved)
        #expect(
          text.contains("found another learning-rate schedule, expected \(type(of: expected))"))
      }
    }
  }

  @Test func model() throws {
    let saved = try WrongCheckpointTests.trained().checkpoint()
    let objective = ELBO<TinyModel>(warmup: .linear(steps: 20))
    var wide = Trainer(
      tinyModel(hidden: 7), objective: objective, optimizer: Adam(learningRate: 1e-2), seed: 3)
    let before = try wide.bytes
    let error = #expect(throws: ParameterMismatch.self) { try wide.resume(from: saved) }
    #expect(error?.different.map(\.path).contains("encoder.hidden.0.weight") == true)
    #expect(try wide.bytes == before)

    var renamed = saved
    renamed.arrays["model/decoder.surplus"] = renamed.arrays.removeValue(
      forKey: "model/decoder.output.weight")
    let text = try refusal(tinyTrainer(), renamed)
    #expect(text.contains("decoder.surplus: in the file, but not in the model"))
    #expect(text.contains("decoder.output.weight: missing in the file"))
  }

  @Test func average() throws {
    let saved = try WrongCheckpointTests.trained().checkpoint()
    #expect(try refusal(tinyTrainer(average: 0.9), saved).contains("missing in the file"))
  }

  @Test func moments() throws {
    var saved = try WrongCheckpointTests.trained().checkpoint()
    saved.arrays["optimizer/moment1"] = NDArray(repeating: 0, shape: [3])
    #expect(try refusal(tinyTrainer(), saved).contains("moment1 [3]"))
    saved.arrays["optimizer/moment1"] = nil
    #expect(try refusal(tinyTrainer(), saved).contains("expected"))
  }

  @Test func records() throws {
    let saved = try WrongCheckpointTests.trained().checkpoint()
    let record = try #require(saved.texts["trainer"])
    var texts: [String?] = [nil, "", "{}", "no JSON", String(record.dropLast(5))]
    for name in ["step", "epoch", "batch", "optimizerStep", "skippedSteps", "termExamples"] {
      let pattern = try Regex("\"\(name)\":[0-9]+")
      texts.append(record.replacing(pattern) { _ in "\"\(name)\":-1" })
      texts.append(record.replacing(pattern) { _ in "\"\(name)\":\"x\"" })
    }
    for text in texts {
      var changed = saved
      changed.texts["trainer"] = text
      #expect(try refusal(tinyTrainer(), changed).contains("expected a trainer's checkpoint"))
    }
    var changed = saved
    changed.arrays["progress/termSums"] = NDArray([1, 2, 3] as [Double])
    #expect(try refusal(tinyTrainer(), changed).contains("found 3 sums"))
    #expect(try refusal(tinyTrainer(), Checkpoint()).contains("no record of a training run"))
  }

  @Test func differencesAreReported() throws {
    var saved = try WrongCheckpointTests.trained().checkpoint()
    saved.texts["trainer"] = saved.texts["trainer"]?
      .replacingOccurrences(of: "\"version\":\"", with: "\"version\":\"0.")
    var trainer = tinyTrainer()
    let differences = try trainer.resume(from: saved)
    #expect(differences.count == 1)
    #expect(differences.first?.hasPrefix("library 0.") == true)
    #expect(trainer.step == 12)
  }

  @Test func damagedFilesArePassedOver() throws {
    try withTemporaryFolder { folder in
      var trainer = tinyTrainer()
      try trainer.fit(
        tinyData(), epochs: 3, batchSize: 8, events: [.saveEvery(to: folder)],
        handlesSignals: false)
      let paths = try RunFolder.checkpoints(in: folder)
      #expect(paths.count == 3)
      var bytes = try [UInt8](Data(contentsOf: URL(fileURLWithPath: paths[0])))
      bytes[bytes.count / 2] ^= 1
      try Data(bytes).write(to: URL(fileURLWithPath: paths[0]))
      #expect(try RunFolder.newest(in: folder).path == paths[1])
      try Data(bytes.prefix(700)).write(to: URL(fileURLWithPath: paths[1]))
      #expect(try RunFolder.newest(in: folder).path == paths[2])
      var resumed = tinyTrainer()
      try resumed.resume(fromFolder: folder)
      #expect(resumed.step == 6)
      // What is done again is what was lost.
      try resumed.fit(
        tinyData(), epochs: 3, batchSize: 8, events: [.saveEvery(to: folder)],
        handlesSignals: false)
      #expect(try RunFolder.newest(in: folder).checkpoint.encoded() == trainer.bytes)

      for path in try RunFolder.checkpoints(in: folder) {
        try Data().write(to: URL(fileURLWithPath: path))
      }
      do {
        try resumed.resume(fromFolder: folder)
        Issue.record("accepted")
      } catch TrainingError.noCheckpoint(folder, let tried) {
        #expect(tried.count == 3)
        for (text, path) in zip(tried, paths) { #expect(text.contains(path)) }
      }
      #expect(resumed.step == 18)
    }
  }

  @Test func emptyAndMissingFolders() throws {
    try withTemporaryFolder { folder in
      #expect(throws: TrainingError.noCheckpoint(folder: folder, tried: [])) {
        try RunFolder.newest(in: folder)
      }
      #expect(throws: StorageError.missing(file: "\(folder)/none")) {
        try RunFolder.newest(in: "\(folder)/none")
      }
    }
  }
}
