// A run as a checkpoint and back. Numbers of the state are binary; text holds only names, integers
// and descriptions.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import LatentStorage

/// The counters of a run.
private struct RunRecord: Codable {
  var step: Int
  var epoch: Int
  var batch: Int
  var skippedSteps: Int
  var seed: UInt64
  var optimizerStep: Int
  var optimizer: String
  var objective: String
  var schedule: Data
  var termNames: [String]
  var termExamples: Int
  var eventNames: [[String]]
  var version: String
  var kernelFamily: String
  /// The players after the first; absent in checkpoints of the first versions.
  var players: [PlayerRecord]?
  var frozen: [PathPattern]?

  /// Whether the counters are such as a trainer writes.
  var isPossible: Bool {
    [step, epoch, batch, skippedSteps, optimizerStep, termExamples].allSatisfy { $0 >= 0 }
  }
}

/// A player after the first one.
private struct PlayerRecord: Codable {
  var name: String
  var optimizerStep: Int
  var optimizer: String
  var schedule: Data

  /// Where its moments stand.
  var prefix: String { "optimizer.\(name)/" }
}

extension JSONEncoder {
  /// Sorted keys: the same state is the same bytes in every process.
  fileprivate static var reproducible: JSONEncoder {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return encoder
  }
}

extension Trainer {
  /// The complete state of the run.
  public func checkpoint() throws -> Checkpoint { try checkpoint(eventStates: eventStates) }

  func checkpoint(eventStates: [[String: Double]]) throws -> Checkpoint {
    var checkpoint = Checkpoint()
    for (path, array) in model.namedArrays { checkpoint.arrays["model/\(path)"] = array }
    for (path, array) in parts.namedArrays { checkpoint.arrays["objective/\(path)"] = array }
    for (name, array) in optimizer.state { checkpoint.arrays["optimizer/\(name)"] = array }
    for (path, array) in average?.model.namedArrays ?? [:] {
      checkpoint.arrays["average/\(path)"] = array
    }
    checkpoint.arrays["progress/termSums"] = NDArray(running.sums)
    if running.termCounts.contains(where: { $0 != running.examples }) {
      checkpoint.arrays["progress/termCounts"] = NDArray(running.termCounts.map(Double.init))
    }
    checkpoint.arrays["progress/sumAfterWarmup"] = NDArray([runningAfterWarmup])
    let names = eventStates.map { $0.keys.sorted() }
    let values = zip(eventStates, names).flatMap { state, names in names.compactMap { state[$0] } }
    checkpoint.arrays["progress/eventNumbers"] = NDArray(values)
    let encoder = JSONEncoder.reproducible
    let others = try players.dropFirst().map { player in
      let record = PlayerRecord(
        name: player.name, optimizerStep: player.optimizer.step,
        optimizer: player.optimizerSummaryAtBase, schedule: try encoder.encode(player.schedule))
      for (name, array) in player.optimizer.state {
        checkpoint.arrays[record.prefix + name] = array
      }
      return record
    }
    let record = RunRecord(
      step: step, epoch: epoch, batch: batch, skippedSteps: skippedSteps, seed: seed,
      optimizerStep: optimizer.step, optimizer: players[0].optimizerSummaryAtBase,
      objective: objective.summary,
      schedule: try encoder.encode(schedule), termNames: running.names,
      termExamples: running.examples, eventNames: names, version: LibraryVersion.current,
      kernelFamily: Threads.kernelFamily, players: others.isEmpty ? nil : others,
      frozen: frozen.isEmpty ? nil : frozen)
    checkpoint.texts = descriptions
    checkpoint.texts["trainer"] = String(decoding: try encoder.encode(record), as: UTF8.self)
    return checkpoint
  }

  /// Continues from a checkpoint; all or nothing.
  /// - Throws: `TrainingError.wrongCheckpoint`, `ParameterMismatch`, `OptimizerStateMismatch`.
  /// - Returns: what differs from the program that wrote it and may change the last bits.
  @discardableResult
  public mutating func resume(
    from checkpoint: Checkpoint, path: String = "in memory"
  ) throws -> [String] {
    var restored = self
    guard let text = checkpoint.texts["trainer"],
      let record = try? JSONDecoder().decode(RunRecord.self, from: Data(text.utf8)),
      record.isPossible
    else {
      throw TrainingError.wrongCheckpoint(
        path: path, found: "no record of a training run", expected: "a trainer's checkpoint")
    }
    func check(_ name: String, _ found: String, _ expected: String) throws {
      if found != expected {
        throw TrainingError.wrongCheckpoint(
          path: path, found: "\(name) \(found)", expected: expected)
      }
    }
    let first = PlayerRecord(
      name: players[0].name, optimizerStep: record.optimizerStep, optimizer: record.optimizer,
      schedule: record.schedule)
    let saved = [first] + (record.players ?? [])
    try check("objective", record.objective, objective.summary)
    try check("players", saved.map(\.name).list, players.map(\.name).list)
    for (record, player) in zip(saved, players) {
      try check("optimizer", record.optimizer, player.optimizerSummaryAtBase)
    }
    try check("seed", "\(record.seed)", "\(seed)")
    try check("frozen parameters", "\(record.frozen ?? [])", "\(frozen)")
    try restored.model.load(checkpoint.arrays(under: "model/"))
    try restored.parts.load(checkpoint.arrays(under: "objective/"))
    for (index, record) in saved.enumerated() {
      try restored.restorePlayer(
        index, checkpoint.arrays(under: index == 0 ? "optimizer/" : record.prefix),
        step: record.optimizerStep,
        decode(like: players[index].schedule, record.schedule, path))
    }
    if restored.average != nil {
      var averaged = restored.model
      try averaged.load(checkpoint.arrays(under: "average/"))
      restored.average?.restore(averaged)
    }
    try restored.restoreAverages(record, checkpoint, path)
    restored.step = record.step
    restored.epoch = record.epoch
    restored.batch = record.batch
    restored.skippedSteps = record.skippedSteps
    self = restored
    var differences: [String] = []
    if record.version != LibraryVersion.current {
      differences.append("library \(record.version), now \(LibraryVersion.current)")
    }
    if record.kernelFamily != Threads.kernelFamily {
      differences.append("kernels \(record.kernelFamily), now \(Threads.kernelFamily)")
    }
    return differences
  }

  /// Continues from the newest readable checkpoint of a run folder.
  @discardableResult
  public mutating func resume(fromFolder folder: String) throws -> [String] {
    let (path, checkpoint) = try RunFolder.newest(in: folder)
    return try resume(from: checkpoint, path: path)
  }

  private func decode(
    like schedule: any LearningRateSchedule, _ data: Data, _ path: String
  ) throws -> any LearningRateSchedule {
    func decoded<Schedule: LearningRateSchedule>(_ like: Schedule) throws -> Schedule {
      try JSONDecoder().decode(Schedule.self, from: data)
    }
    // A schedule may decode what it does not need all of: writing it again shows that.
    guard let result = try? decoded(schedule),
      try JSONEncoder.reproducible.encode(result) == data
    else {
      throw TrainingError.wrongCheckpoint(
        path: path, found: "another learning-rate schedule", expected: "\(type(of: schedule))")
    }
    return result
  }

  private mutating func restoreAverages(
    _ record: RunRecord, _ checkpoint: Checkpoint, _ path: String
  ) throws {
    let sums = checkpoint.arrays["progress/termSums"]?.doubles ?? []
    let numbers = checkpoint.arrays["progress/eventNumbers"]?.doubles ?? []
    // Checkpoints of the first versions have none: the loss as it was stands in for it.
    let afterWarmup = checkpoint.arrays["progress/sumAfterWarmup"]?.doubles ?? [sums.first ?? 0]
    let counts = checkpoint.arrays["progress/termCounts"]?.doubles.compactMap { Int(exactly: $0) }
    guard sums.count == record.termNames.count, afterWarmup.count == 1,
      counts.map({ $0.count == sums.count }) ?? true,
      numbers.count == record.eventNames.reduce(0, { $0 + $1.count })
    else {
      throw TrainingError.wrongCheckpoint(
        path: path, found: "\(sums.count) sums, \(numbers.count) event numbers",
        expected: "those that the record names")
    }
    runningAfterWarmup = afterWarmup[0]
    running = TermAverage(
      names: record.termNames, sums: sums, counts: counts, examples: record.termExamples)
    var next = 0
    eventStates = record.eventNames.map { names in
      var state: [String: Double] = [:]
      for name in names {
        state[name] = numbers[next]
        next += 1
      }
      return state
    }
  }
}

extension Checkpoint {
  /// The arrays whose path begins with `prefix`, without it.
  public func arrays(under prefix: String) -> [String: NDArray] {
    var result: [String: NDArray] = [:]
    for (path, array) in arrays where path.hasPrefix(prefix) {
      result[String(path.dropFirst(prefix.count))] = array
    }
    return result
  }
}

extension [String] {
  fileprivate var list: String { joined(separator: ", ") }
}
