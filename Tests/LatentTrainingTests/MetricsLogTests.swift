// The log of a run as table and as JSON lines: complete, readable, and without rows of epochs that
// a resumed run does again.

import Foundation
import Latent
import Testing

@Suite struct MetricsLogTests {
  private func lines(_ path: String) throws -> [String] {
    let text = try String(contentsOfFile: path, encoding: .utf8)
    #expect(text.hasSuffix("\n"))
    return text.split(separator: "\n").map(String.init)
  }

  /// The rows without the last column, the time.
  private func figures(_ log: MetricsLog) throws -> [String] {
    try lines(log.csvPath).map { line in
      String(line[..<(line.lastIndex(of: ",") ?? line.endIndex)])
    }
  }

  private func fit(
    _ trainer: inout TinyTrainer, _ log: MetricsLog, epochs: Int, others: [any TrainingEvent] = []
  ) throws {
    try trainer.fit(
      tinyData(), epochs: epochs, batchSize: 8, validation: tinyData(10, seed: 2),
      events: [log] + others, handlesSignals: false)
  }

  @Test func rowsAndHeader() throws {
    try withTemporaryFolder { folder in
      let log = MetricsLog(to: "\(folder)/new/run")
      let keep = Kept()
      var trainer = tinyTrainer()
      try fit(&trainer, log, epochs: 3, others: [Recorder(keep: keep)])
      let table = try lines(log.csvPath)
      #expect(
        table[0] == "epoch,step,train_loss,train_reconstruction,train_kl,validation_loss,"
          + "validation_reconstruction,validation_kl,learning_rate,seconds")
      #expect(table.count == 4)
      let names = table[0].split(separator: ",").map(String.init)
      for (row, line) in table.dropFirst().enumerated() {
        let values = line.split(separator: ",").compactMap { Double($0) }
        #expect(values.count == names.count)
        let metrics = keep.epochs[row]
        #expect(values[0] == Double(row + 1) && values[1] == Double(6 * (row + 1)))
        // Written so that reading gives the same bits.
        #expect(values[2] == metrics.training.loss)
        #expect(values[5] == metrics.validation?.loss)
      }
      let read = MetricsLog.epochs(in: log.folder)
      #expect(read.map(\.figures) == keep.epochs.map(\.figures))
      #expect(read.map(\.seconds) == keep.epochs.map(\.seconds))
      #expect(read.map(\.training.names) == keep.epochs.map(\.training.names))
      #expect(MetricsLog.epochs(in: "\(folder)/nothing").isEmpty)
      let objects = try lines(log.jsonPath)
      #expect(objects.count == 3)
      for (row, line) in objects.enumerated() {
        let object = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
        #expect(Set(object.keys) == Set(names))
        #expect(object["epoch"] == Double(row + 1))
        #expect(object["train_kl"] == keep.epochs[row].training["kl"])
      }
    }
  }

  @Test func redoneEpochsAreDropped() throws {
    try withTemporaryFolder { folder in
      let whole = MetricsLog(to: "\(folder)/whole")
      var uninterrupted = tinyTrainer()
      try fit(&uninterrupted, whole, epochs: 6)
      for step in [2, 6, 15] {
        let log = MetricsLog(to: "\(folder)/parts\(step)")
        let keep = Kept()
        var first = tinyTrainer()
        #expect(throws: Enough.self) {
          try fit(&first, log, epochs: 6, others: [StopAfter(step: step, keep: keep)])
        }
        // Somebody went on for two epochs more, but what is resumed is the older state.
        try fit(&first, log, epochs: 5, others: [])
        #expect(try lines(log.csvPath).count == 6)
        var second = tinyTrainer()
        try second.resume(from: Checkpoint(decoding: keep.bytes))
        try fit(&second, log, epochs: 6)
        #expect(try figures(log) == figures(whole), "resumed at step \(step)")
        #expect(try lines(log.jsonPath).count == 6)
      }
    }
  }

  /// What a kill leaves at each moment of an epoch's end, and what the run made of it afterwards.
  enum Cut: CaseIterable { case betweenTheFiles, beforeTheCheckpoint, afterTheCheckpoint, oldOrder }

  @Test(arguments: Cut.allCases) func cutOffAtAnEpochsEnd(cut: Cut) throws {
    try withTemporaryFolder { folder in
      let whole = MetricsLog(to: "\(folder)/whole")
      var uninterrupted = tinyTrainer()
      try fit(&uninterrupted, whole, epochs: 5)
      let log = MetricsLog(to: "\(folder)/cut")
      let saving = SaveCheckpoints(to: log.folder, keeping: 9)
      var first = tinyTrainer()
      try fit(&first, log, epochs: 3, others: [saving])
      if cut == .betweenTheFiles || cut == .oldOrder {
        let text = try lines(log.jsonPath).dropLast().joined(separator: "\n") + "\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: log.jsonPath))
      }
      if cut == .betweenTheFiles || cut == .beforeTheCheckpoint {
        try FileManager.default.removeItem(atPath: RunFolder.checkpoints(in: log.folder)[0])
      }
      var second = tinyTrainer()
      try second.resume(fromFolder: log.folder)
      try fit(&second, log, epochs: 5, others: [saving])
      #expect(try figures(log) == figures(whole))
      let epochs = try lines(log.jsonPath).map { line in
        try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))["epoch"]
      }
      #expect(epochs == [1, 2, 3, 4, 5])
    }
  }

  /// What spreadsheets make of a table when they save it.
  static let spreadsheets: [(name: String, change: @Sendable (String) -> Data)] = [
    ("line ends", { Data($0.replacingOccurrences(of: "\n", with: "\r\n").utf8) }),
    ("old line ends", { Data($0.replacingOccurrences(of: "\n", with: "\r").utf8) }),
    ("a mark", { Data([0xEF, 0xBB, 0xBF] + Array($0.utf8)) }),
    ("no last line end", { Data($0.dropLast().utf8) }),
    (
      "semicolons and decimal commas",
      {
        Data(
          $0.replacingOccurrences(of: ",", with: ";").replacingOccurrences(of: ".", with: ",")
            .replacingOccurrences(of: "\n", with: "\r\n").utf8)
      }
    ),
    ("tabs", { Data($0.replacingOccurrences(of: ",", with: "\t").utf8) }),
    (
      "UTF-16",
      { text in
        Data([0xFF, 0xFE])
          + Data(
            text.replacingOccurrences(of: ",", with: "\t").utf16.flatMap {
              [UInt8($0 & 255), UInt8($0 >> 8)]
            })
      }
    ),
    (
      "quotes",
      { text in
        let lines = text.split(separator: "\n").map { line in
          line.split(separator: ",").map { "\"\($0.replacingOccurrences(of: ".", with: ","))\"" }
            .joined(separator: ",")
        }
        return Data(lines.joined(separator: "\r\n").utf8)
      }
    ),
    ("empty rows", { Data(($0 + ",,,,,,\n\n,,,\n").utf8) }),
  ]

  @Test(arguments: spreadsheets.indices) func savedByASpreadsheet(index: Int) throws {
    let (name, change) = MetricsLogTests.spreadsheets[index]
    try withTemporaryFolder { folder in
      let whole = MetricsLog(to: "\(folder)/whole")
      var uninterrupted = tinyTrainer()
      try fit(&uninterrupted, whole, epochs: 4)
      let log = MetricsLog(to: "\(folder)/changed")
      let saving = SaveCheckpoints(to: log.folder)
      var first = tinyTrainer()
      try fit(&first, log, epochs: 3, others: [saving])
      let text = try String(contentsOfFile: log.csvPath, encoding: .utf8)
      try change(text).write(to: URL(fileURLWithPath: log.csvPath))
      #expect(MetricsLog.epochs(in: log.folder).map(\.epoch) == [1, 2, 3], "\(name)")
      var second = tinyTrainer()
      try second.resume(fromFolder: log.folder)
      try fit(&second, log, epochs: 4, others: [saving])
      #expect(try figures(log) == figures(whole), "\(name)")
      for line in try lines(log.jsonPath) {
        _ = try JSONDecoder().decode([String: Double].self, from: Data(line.utf8))
      }
    }
  }

  /// A table with lines that are not the log's is left as it is.
  @Test(arguments: ["# my notes\n", "mean,,0.5\n", "epoch two,1\n"])
  func otherLines(line: String) throws {
    try withTemporaryFolder { folder in
      let log = MetricsLog(to: folder)
      let saving = SaveCheckpoints(to: folder)
      var first = tinyTrainer()
      try fit(&first, log, epochs: 2, others: [saving])
      let text = try String(contentsOfFile: log.csvPath, encoding: .utf8)
      for changed in [text + line, line + text] {
        try Data(changed.utf8).write(to: URL(fileURLWithPath: log.csvPath))
        var second = tinyTrainer()
        try second.resume(fromFolder: folder)
        let error = #expect(throws: StorageError.self) {
          try fit(&second, log, epochs: 4, others: [saving])
        }
        #expect(error?.description.contains("line \(changed == text + line ? 4 : 1)") == true)
        #expect(try String(contentsOfFile: log.csvPath, encoding: .utf8) == changed)
      }
    }
  }

  /// Rows keep their columns where a resumed run has more of them.
  @Test func otherColumns() throws {
    try withTemporaryFolder { folder in
      let log = MetricsLog(to: folder)
      var trainer = tinyTrainer()
      try trainer.fit(
        tinyData(), epochs: 1, batchSize: 8, events: [log], handlesSignals: false)
      try fit(&trainer, log, epochs: 2)
      let table = try lines(log.csvPath).map { line in
        line.split(separator: ",", omittingEmptySubsequences: false)
      }
      let column = try #require(table[0].firstIndex(of: "validation_loss"))
      #expect(table[1][column].isEmpty && Double(table[2][column]) != nil)
      let rate = try #require(table[0].firstIndex(of: "learning_rate"))
      #expect(table[1][rate] == "0.01" && table[2][rate] == "0.01")
      #expect(try !lines(log.jsonPath)[0].contains("validation"))
    }
  }

  @Test func aNewRunStartsANewTable() throws {
    try withTemporaryFolder { folder in
      let log = MetricsLog(to: folder)
      for _ in 0..<2 {
        var trainer = tinyTrainer()
        try fit(&trainer, log, epochs: 2)
        #expect(try lines(log.csvPath).count == 3)
        #expect(try lines(log.jsonPath).count == 2)
      }
    }
  }

  /// Numbers that JSON does not know, which a loop of one's own may log, are null there and words in the
  /// table.
  @Test func notFinite() throws {
    try withTemporaryFolder { folder in
      var log = MetricsLog(to: folder)
      let state = TrainingState(
        epoch: 1, batch: 0, batchesPerEpoch: 6, epochs: 1, step: 6
      ) { Checkpoint() }
      var (training, validation) = (TermAverage(), TermAverage())
      training.add(4.5, examples: 44)
      validation.add(.nan, examples: 44)
      try log.epochSettled(
        state,
        EpochMetrics(
          epoch: 1, step: 6, training: training, validation: validation, learningRate: 0.01,
          seconds: 1))
      let line = try lines(log.jsonPath)[0]
      let object = try #require(
        JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(object["validation_loss"] is NSNull)
      #expect(object["train_loss"] is NSNumber)
      #expect(try lines(log.csvPath)[1].contains(",nan,"))
      let read = try #require(MetricsLog.epochs(in: folder).first)
      #expect(read.validation?.loss.isNaN == true && read.training.loss.isFinite)
    }
  }
}
