// The numbers of every epoch in a table (CSV) and as one JSON object a line (JSONL), and the table read
// again, also where a spreadsheet has saved it meanwhile.

import Foundation
import LatentStorage

/// Appends each epoch's averages to `metrics.csv` and `metrics.jsonl` in a folder.
///
/// A resumed run drops the rows of epochs that it will do again. So the log stands before the event that
/// saves checkpoints: what is cut off between the two has a row too many, which is mended, and never
/// one too few. The JSON lines follow from the table, which mends a cut between the files.
public struct MetricsLog: TrainingEvent {
  /// The run folder.
  public let folder: String
  private var rows: [MetricsRow] = []
  private var held: HeldFolder?

  /// Files in `folder`, which is made where it is missing.
  public init(to folder: String) { self.folder = folder }

  private static let csvName = "metrics.csv"
  private static let jsonName = "metrics.jsonl"
  /// The table.
  public var csvPath: String { "\(folder)/\(MetricsLog.csvName)" }
  /// The same rows as JSON objects.
  public var jsonPath: String { "\(folder)/\(MetricsLog.jsonName)" }

  public mutating func runBegan(_ state: TrainingState) throws {
    try Folder.create(folder)
    held = try HeldFolder(folder)
    rows = []
    guard state.step > 0 else { return }
    let table = MetricsTable(contentsOf: csvPath)
    if let (number, text) = table.unread {
      throw StorageError.unsupported(
        file: csvPath, place: "line \(number)", found: "'\(text.prefix(60))'",
        expected: number == 1
          ? "names of columns, the first of which is epoch" : "the number of an epoch first")
    }
    rows = table.rows.filter { (MetricsTable.epoch($0) ?? .max) <= state.epoch }
    if !rows.isEmpty { try write() }
  }

  /// The epochs in the table of a run folder, those of resumed runs and of the run before them; empty
  /// where there is no table. Examples are not counted in it: 0 of them made each average.
  public static func epochs(in folder: String) -> [EpochMetrics] {
    MetricsTable(contentsOf: MetricsLog(to: folder).csvPath).rows.map { row in
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
    let held = try held ?? HeldFolder(folder)
    // A resumed run may have other columns, such as those of a validation set.
    var names = rows.last?.map(\.name) ?? []
    for row in rows { names += row.map(\.name).filter { !names.contains($0) } }
    let table = rows.map { row in
      names.map { name in
        let text = row.first { $0.name == name }?.text ?? ""
        return text.contains(",") ? "\"\(text)\"" : text
      }.joined(separator: ",")
    }
    let objects = rows.map { row in
      let members = row.filter { !$0.text.isEmpty }.map { name, text in
        // What is no number of JSON is one that is not finite, or a spreadsheet's word for it.
        "\"\(name)\": \(Double(text)?.isFinite == true ? text : "null")"
      }
      return "{" + members.joined(separator: ", ") + "}"
    }
    try write([names.joined(separator: ",")] + table, to: MetricsLog.csvName, in: held)
    try write(objects, to: MetricsLog.jsonName, in: held)
  }

  private func write(_ lines: [String], to name: String, in held: HeldFolder) throws {
    let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
    try held.write(bytes, to: name)
  }

  /// NaN has a sign in Swift's texts.
  private func number(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
}

extension TrainingEvent where Self == MetricsLog {
  /// Appends the averages of each epoch to `metrics.csv` and `metrics.jsonl` in `folder`.
  public static func logMetrics(to folder: String) -> MetricsLog { MetricsLog(to: folder) }
}
