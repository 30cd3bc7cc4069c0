// The numbers of every epoch in a table (CSV) and as one JSON object a line (JSONL), and the table read
// again.

import Foundation
import LatentStorage

/// Appends each epoch's averages to `metrics.csv` and `metrics.jsonl` in a folder.
///
/// A resumed run drops the rows of epochs that it will do again. So the log stands before the event that
/// saves checkpoints: what is cut off between the two has a row too many, which is mended, and never
/// one too few. The JSON lines follow from the table, which mends a cut between the files.
public struct MetricsLog: TrainingEvent {
  public let folder: String
  /// Names and numbers, in the order of the columns.
  private typealias Row = [(name: String, text: String)]
  private var rows: [Row] = []

  public init(to folder: String) { self.folder = folder }

  public var csvPath: String { "\(folder)/metrics.csv" }
  public var jsonPath: String { "\(folder)/metrics.jsonl" }

  public mutating func runBegan(_ state: TrainingState) throws {
    try Folder.create(folder)
    rows = state.step > 0 ? MetricsLog.rows(csvPath, upTo: state.epoch) : []
    if !rows.isEmpty { try write() }
  }

  /// The epochs in the table of a run folder, those of resumed runs and of the run before them; empty
  /// where there is no table. Examples are not counted in it: 0 of them made each average.
  public static func epochs(in folder: String) -> [EpochMetrics] {
    rows(MetricsLog(to: folder).csvPath, upTo: .max - 1).map { row in
      func value(_ name: String) -> Double? {
        row.first { $0.name == name }.flatMap { Double($0.text) }
      }
      func terms(_ prefix: String) -> TermAverage {
        let terms = row.filter { $0.name.hasPrefix(prefix) && !$0.text.isEmpty }
        return TermAverage(
          names: terms.map { String($0.name.dropFirst(prefix.count)) },
          sums: terms.map { Double($0.text) ?? .nan }, examples: 0)
      }
      let validation = terms("validation_")
      return EpochMetrics(
        epoch: value("epoch").flatMap { Int(exactly: $0) } ?? 0,
        step: value("step").flatMap { Int(exactly: $0) } ?? 0, training: terms("train_"),
        trainingLossAfterWarmup: nil,
        validation: validation.names.isEmpty ? nil : validation,
        learningRate: value("learning_rate") ?? .nan, seconds: value("seconds") ?? .nan)
    }
  }

  /// The rows of a table, of these epochs; none where there is no table.
  private static func rows(_ path: String, upTo last: Int) -> [Row] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    let table = text.split(separator: "\n").map { line in
      line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
    return table.dropFirst().filter { (Int($0[0]) ?? .max) <= last }
      .map { fields in zip(table[0], fields).map { ($0, $1) } }
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    var fields: [(String, String)] = [("epoch", "\(metrics.epoch)"), ("step", "\(metrics.step)")]
    fields += metrics.training.values.map { ("train_\($0.name)", number($0.value)) }
    fields += metrics.validation?.values.map { ("validation_\($0.name)", number($0.value)) } ?? []
    fields += [
      ("learning_rate", number(metrics.learningRate)), ("seconds", number(metrics.seconds)),
    ]
    rows.append(fields.map { (name: $0.0, text: $0.1) })
    try write()
  }

  private func write() throws {
    // A resumed run may have other columns, such as those of a validation set.
    var names = rows.last?.map(\.name) ?? []
    for row in rows { names += row.map(\.name).filter { !names.contains($0) } }
    let table = rows.map { row in
      names.map { name in row.first { $0.name == name }?.text ?? "" }.joined(separator: ",")
    }
    let objects = rows.map { row in
      let members = row.filter { !$0.text.isEmpty }.map { name, text in
        "\"\(name)\": \(text == "nan" || text.hasSuffix("inf") ? "null" : text)"
      }
      return "{" + members.joined(separator: ", ") + "}"
    }
    try write([names.joined(separator: ",")] + table, to: csvPath)
    try write(objects, to: jsonPath)
  }

  private func write(_ lines: [String], to path: String) throws {
    try AtomicFile.write(Array((lines.joined(separator: "\n") + "\n").utf8), to: path)
  }

  /// NaN has a sign in Swift's texts.
  private func number(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
}

extension TrainingEvent where Self == MetricsLog {
  public static func logMetrics(to folder: String) -> MetricsLog { MetricsLog(to: folder) }
}
