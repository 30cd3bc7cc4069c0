// The numbers of every epoch in a table (CSV) and as one JSON object a line (JSONL).

import Foundation
import LatentStorage

/// Appends each epoch's averages to `metrics.csv` and `metrics.jsonl` in a folder.
///
/// A resumed run drops the rows of epochs that it will do again.
public struct MetricsLog: TrainingEvent {
  public let folder: String
  private var rows: [String] = []
  private var header: String?
  private var objects: [String] = []

  public init(to folder: String) { self.folder = folder }

  public var csvPath: String { "\(folder)/metrics.csv" }
  public var jsonPath: String { "\(folder)/metrics.jsonl" }

  public mutating func runBegan(_ state: TrainingState) throws {
    try Folder.create(folder)
    rows = []
    objects = []
    header = nil
    guard state.step > 0 else { return }
    let table = lines(csvPath)
    header = table.first
    rows = table.dropFirst().filter { (Int($0.prefix { $0 != "," }) ?? .max) <= state.epoch }
    objects = Array(lines(jsonPath).prefix(rows.count))
  }

  private func lines(_ path: String) -> [String] {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").map(String.init)
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    var fields: [(String, String)] = [("epoch", "\(metrics.epoch)"), ("step", "\(metrics.step)")]
    fields += metrics.training.values.map { ("train_\($0.name)", number($0.value)) }
    fields += metrics.validation?.values.map { ("validation_\($0.name)", number($0.value)) } ?? []
    fields += [
      ("learning_rate", number(metrics.learningRate)), ("seconds", number(metrics.seconds)),
    ]
    header = fields.map(\.0).joined(separator: ",")
    rows.append(fields.map(\.1).joined(separator: ","))
    objects.append(
      "{"
        + fields.map { "\"\($0.0)\": \($0.1 == "nan" || $0.1.hasSuffix("inf") ? "null" : $0.1)" }
        .joined(separator: ", ") + "}")
    let table = ([header ?? ""] + rows).joined(separator: "\n") + "\n"
    try AtomicFile.write(Array(table.utf8), to: csvPath)
    try AtomicFile.write(Array((objects.joined(separator: "\n") + "\n").utf8), to: jsonPath)
  }

  /// NaN has a sign in Swift's texts.
  private func number(_ value: Double) -> String { value.isNaN ? "nan" : "\(value)" }
}

extension TrainingEvent where Self == MetricsLog {
  public static func logMetrics(to folder: String) -> MetricsLog { MetricsLog(to: folder) }
}
