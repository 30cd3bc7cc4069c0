// One measurement of a sweep, and how sweeps are shown.

import Foundation

/// What is varied while all else stays.
enum Sweep: String, CaseIterable, Codable {
  case batch, width, threads, data

  var xLabel: String {
    switch self {
    case .batch: "batch"
    case .width: "factor of the hidden widths"
    case .threads: "threads"
    case .data: "examples in the data set"
    }
  }
}

struct ScalingPoint: Codable {
  var sweep: Sweep
  /// What stays: a workload and an operation, or a kind of file.
  var series: String
  var x: Double
  var items_per_s: Double
  var peak_rss_mib: Double
  var foreign_cores: Double
}

/// The points of one sweep, medians over the rounds.
struct SweepReport {
  let sweep: Sweep
  /// In the order they were measured.
  let series: [String]
  let xs: [Double]
  private let points: [ScalingPoint]

  init(_ sweep: Sweep, _ all: [ScalingPoint]) {
    self.sweep = sweep
    points = all.filter { $0.sweep == sweep }
    series = points.map(\.series).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    xs = Set(points.map(\.x)).sorted()
  }

  private struct Quantity {
    var file, name: String
    var of: (ScalingPoint) -> Double
  }

  /// Throughput, or for data the cost of an item, which is what must not grow; and memory.
  private var quantities: [Quantity] {
    [
      sweep == .data
        ? Quantity(file: "data", name: "microseconds per example") { 1e6 / $0.items_per_s }
        : Quantity(file: sweep.rawValue, name: "items per second", of: \.items_per_s),
      Quantity(file: "\(sweep.rawValue)-memory", name: "peak memory in MiB", of: \.peak_rss_mib),
    ]
  }

  private func value(_ series: String, _ x: Double, _ of: (ScalingPoint) -> Double) -> Double? {
    let values = points.filter { $0.series == series && $0.x == x }.map(of)
    return values.isEmpty ? nil : median(values)
  }

  /// Files by name: the two pictures.
  var pictures: [(file: String, chart: LineChart)] {
    quantities.map { quantity in
      let lines = series.map { name in
        LineChart.Series(
          name: name,
          points: xs.compactMap { x in value(name, x, quantity.of).map { (x, $0) } })
      }
      return (
        "\(quantity.file).svg",
        LineChart(
          title: "\(quantity.name) against \(sweep.xLabel)", xLabel: sweep.xLabel,
          yLabel: quantity.name, series: lines)
      )
    }
  }

  var markdown: String {
    let tables = quantities.map { quantity in
      var table = MarkdownTable(header: [sweep.xLabel] + series, words: 0)
      table.rows = xs.map { x in
        [plain(x)] + series.map { value($0, x, quantity.of).map(digits) ?? "" }
      }
      return "\(quantity.name.prefix(1).uppercased())\(quantity.name.dropFirst()):\n\n\(table.text)"
    }
    let images = pictures.map { "![\($0.chart.title)](\($0.file))" }
    return "## By \(sweep.xLabel)\n\n"
      + (tables + [images.joined(separator: "\n")]).joined(separator: "\n") + "\n\n"
  }
}
