// Numbers for a terminal: a row each, runs side by side.

import Foundation
import Latent

/// The table that is printed.
struct EvaluationTable {
  private let entries: [(name: String, measurements: [MetricValue])]

  init(_ entries: [(name: String, measurements: [MetricValue])]) { self.entries = entries }

  init(_ entries: [(name: String, record: EvaluationRecord)]) {
    self.init(entries.map { ($0.name, $0.record.measurements) })
  }

  var text: String {
    // Parts of a number (a dimension, a factor) are for the file and the page.
    let metrics = Metric.all.filter { metric in
      entries.contains { $0.measurements.contains { $0.metric == metric && $0.part == nil } }
    }
    let several = entries.count > 1
    let head =
      ["measured"] + entries.map(\.name) + (several ? ["mean"] : []) + ["chance", "ceiling"]
    let rows = metrics.map { metric -> [String] in
      let found = entries.map { entry in
        entry.measurements.first { $0.metric == metric && $0.part == nil }
      }
      let known = found.compactMap { $0 }
      return [metric.title] + found.map { $0.map(EvaluationTable.shown) ?? "" }
        + (several ? [EvaluationTable.interval(known.map(\.value))] : [])
        + [common(known.map(\.chance)), common(known.map(\.ceiling))]
    }
    let all = [head] + rows
    let widths = head.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
    return all.map { cells in
      zip(cells, widths).map { $0.padding(toLength: $1, withPad: " ", startingAt: 0) }
        .joined(separator: "  ").trimmingCharacters(in: .whitespaces)
    }.joined(separator: "\n") + "\n"
  }

  private static func shown(_ measurement: MetricValue) -> String {
    guard let error = measurement.standardError else { return number(measurement.value) }
    return "\(number(measurement.value)) ± \(number(error, digits: 2))"
  }

  /// The mean over runs and its 95 % interval by Student's t.
  private static func interval(_ values: [Double]) -> String {
    guard values.count > 1 else { return "" }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
    return
      "\(number(mean)) ± \(number(error * StudentQuantile.central95(values.count - 1), digits: 2))"
  }

  private static func number(_ value: Double, digits: Int = 4) -> String {
    String(format: "%.\(digits)g", value)
  }

  private func common(_ values: [Double?]) -> String {
    let known = Set(values.compactMap { $0 })
    guard let value = known.first else { return "" }
    return known.count == 1 ? EvaluationTable.number(value) : "differs"
  }
}

/// Student's distribution as far as intervals of a few runs need it.
enum StudentQuantile {
  /// The 0.975 quantile for degrees of freedom 1, 2, ... 30; beyond them by the first term of its expansion around the
  /// normal's, (z^3 + z) / 4n (Fisher 1925), which is less than 0.2 % away.
  static func central95(_ degrees: Int) -> Double {
    let table = [
      12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
      2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
      2.052, 2.048, 2.045, 2.042,
    ]
    return (1...table.count).contains(degrees)
      ? table[degrees - 1] : 1.960 + 2.372 / Double(degrees)
  }
}
