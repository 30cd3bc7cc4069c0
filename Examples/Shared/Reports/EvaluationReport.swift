// What was measured of one run, or of several side by side: a table for each family, every number with its error, what
// chance gives and what is possible, and its definition one link away.

import Foundation
import Latent

/// A page of measurements.
public struct EvaluationReport: Sendable {
  /// A run, or the same run under several seeds.
  public struct Entry: Sendable {
    /// How tables and legends call it.
    public var name: String
    public var measurements: [MetricValue]
    /// What could not be measured, and what to do about what was found.
    public var notes: [String]
    /// How training went, once for each seed; empty where it is not shown.
    public var histories: [[EpochMetrics]]

    /// What is known of a run.
    public init(
      _ name: String, measurements: [MetricValue], notes: [String] = [],
      histories: [[EpochMetrics]] = []
    ) {
      self.name = name
      self.measurements = measurements
      self.notes = notes
      self.histories = histories
    }

    /// What `evaluation.json` says of a run.
    public init(_ name: String, _ record: EvaluationRecord, histories: [[EpochMetrics]] = []) {
      self.init(
        name, measurements: record.measurements, notes: record.notes, histories: histories)
    }
  }

  public var title: String
  /// What was evaluated on what.
  public var facts: [(name: String, value: String)]
  public var entries: [Entry]
  /// Pictures, texts and maps beside the numbers.
  public var sections: [Page.Section]

  /// A report of one entry or several.
  public init(
    title: String, facts: [(name: String, value: String)] = [], entries: [Entry],
    sections: [Page.Section] = []
  ) {
    self.title = title
    self.facts = facts
    self.entries = entries
    self.sections = sections
  }

  /// The page.
  public var page: Page {
    var all: [Page.Section] = []
    let notes = entries.flatMap { entry in
      entry.notes.map { Page.Block.note(entries.count > 1 ? "\(entry.name): \($0)" : $0) }
    }
    let summary = (facts.isEmpty ? [] : [Page.Block.facts(facts)]) + notes
    if !summary.isEmpty { all.append(Page.Section("Summary", summary)) }
    if !curves.isEmpty { all.append(Page.Section("Training", [.figures(curves)])) }
    all += families.compactMap { section($0.title, $0.metrics) } + sections
    let names = entries.map(\.name).joined(separator: ", ")
    return Page(
      title: title, subtitle: entries.count > 1 ? "\(entries.count) runs: \(names)" : names,
      sections: all, definitions: definitions)
  }

  /// Numbers of more parts than this are a chart in place of rows.
  private static let maximumParts = 12

  // MARK: Numbers

  /// The library's families, and what is measured beside them.
  private var families: [(title: String, metrics: [Metric])] {
    var seen = Set(Metric.all)
    let others = entries.flatMap(\.measurements).map(\.metric).filter { seen.insert($0).inserted }
    return Metric.families + [("Other numbers", others)]
  }

  /// A number of a row: the metric, and which part of it.
  private struct Row: Hashable {
    let metric: Metric
    let part: String?
  }

  /// Everything that was measured of a family, in the order in which it was.
  private func rows(_ metrics: [Metric]) -> [Row] {
    var seen: Set<Row> = []
    return metrics.flatMap { metric in
      entries.flatMap(\.measurements).filter { $0.metric == metric }
        .map { Row(metric: metric, part: $0.part) }.filter { seen.insert($0).inserted }
    }
  }

  private func section(_ title: String, _ metrics: [Metric]) -> Page.Section? {
    let rows = rows(metrics)
    let many = metrics.filter { metric in
      rows.count { $0.metric == metric && $0.part != nil } > EvaluationReport.maximumParts
    }
    let few = rows.filter { $0.part == nil || !many.contains($0.metric) }
    var blocks: [Page.Block] = []
    if !few.isEmpty { blocks.append(.table(table(title, few))) }
    if !many.isEmpty {
      blocks.append(
        .figures(many.map { metric in chart(metric, rows.filter { $0.metric == metric }) }))
    }
    return blocks.isEmpty ? nil : Page.Section(title, blocks)
  }

  private func found(_ row: Row) -> [MetricValue?] {
    entries.map { entry in
      entry.measurements.last { $0.metric == row.metric && $0.part == row.part }
    }
  }

  private func table(_ title: String, _ rows: [Row]) -> Page.Table {
    let isOne = entries.count == 1
    let note =
      isOne
      ? "Strips reach from chance to the ceiling, the interval is 1.96 standard errors to each side."
      : "Bold is better than each other run by more than 1.96 standard errors of the difference. Strips reach from "
        + "chance to the ceiling, intervals are 1.96 standard errors to each side."
    // Beside several runs there is no room for it; it is in the definitions.
    let last = isOne ? [Page.Table.Column("examples")] : []
    let columns =
      [Page.Table.Column("measured")]
      + entries.enumerated().map {
        Page.Table.Column(isOne ? "value" : $1.name, group: isOne ? nil : $0)
      } + ["chance", "ceiling", ""].map { Page.Table.Column($0) } + last
    return Page.Table(
      caption: "\(title): values ± standard errors.", note: note, columns: columns,
      rows: rows.map { row in
        let found = found(row)
        let known = found.compactMap { $0 }
        let best = EvaluationReport.best(found, row.metric.direction)
        let values = found.enumerated().map { index, measurement -> Page.Table.Cell in
          guard let measurement else { return .none }
          return .number(
            measurement.value,
            decimals: Numeral.decimals(of: measurement.value, error: measurement.standardError),
            error: measurement.standardError, isBest: index == best)
        }
        return [
          .defined(
            row.metric.title, by: row.metric.anchor,
            detail: ([row.part].compactMap { $0 } + [row.metric.reading]).joined(separator: ", "))
        ] + values + [
          common(known.map(\.chance)), common(known.map(\.ceiling)), strip(found),
        ] + (isOne ? [.number(Double(known[0].count), decimals: 0)] : [])
      })
  }

  /// What all runs have; where it differs, that is said.
  private func common(_ values: [Double?]) -> Page.Table.Cell {
    let known = Set(values.compactMap { $0 })
    guard let value = known.first else { return .none }
    if known.count > 1 { return .text("differs") }
    return .number(value, decimals: min(3, Numeral.decimals(of: value)))
  }

  /// Of how many examples numbers were taken.
  private static func examples(_ counts: [Int]) -> String {
    let texts = [counts.min() ?? 0, counts.max() ?? 0].map { Numeral.text(Double($0), decimals: 0) }
    return texts[0] == texts[1] ? texts[0] : texts.joined(separator: " to ")
  }

  private func strip(_ found: [MetricValue?]) -> Page.Table.Cell {
    let known = found.compactMap { $0 }
    guard let chance = known.first?.chance, let ceiling = known.first?.ceiling,
      known.allSatisfy({ $0.chance == chance && $0.ceiling == ceiling })
    else { return .none }
    return .strip(
      Page.Table.Strip(
        found.map { ($0?.value ?? .nan, $0?.standardError) }, chance: chance, ceiling: ceiling))
  }

  /// Which one is better than each other by more than their errors together; nil where that is not known of any.
  static func best(
    _ found: [MetricValue?], _ direction: Metric.Direction
  ) -> Int? {
    let sign: Double = direction == .higher ? 1 : -1
    if direction == .neither || found.count < 2 { return nil }
    return found.indices.first { index in
      guard let one = found[index], let error = one.standardError else { return false }
      return found.indices.allSatisfy { other in
        if other == index { return true }
        guard let two = found[other], let second = two.standardError else { return false }
        let distance = 1.96 * (error * error + second * second).squareRoot()
        return sign * (one.value - two.value) > distance
      }
    }
  }

  // MARK: Charts

  /// A metric of many parts: bars for one run, lines for several.
  private func chart(_ metric: Metric, _ rows: [Row]) -> Page.Figure {
    let parts = rows.compactMap(\.part)
    let values = entries.map { entry in
      parts.map { part in
        entry.measurements.last { $0.metric == metric && $0.part == part }?.value ?? .nan
      }
    }
    let marks: [any Chart.Mark] =
      entries.count == 1
      ? [Chart.Bars(values[0])]
      : zip(entries, values).map { entry, values in
        Chart.Line(entry.name, values.enumerated().map { (Double($0), $1) })
      }
    return Page.Figure(
      .chart(
        Chart(
          metric.title, x: .categories(parts), y: Chart.Axis("", unit: metric.unit.text),
          marks: marks)),
      caption: metric.reading)
  }

  /// The loss of each run against the epoch, the mean over its seeds with a band of a standard deviation.
  private var curves: [Page.Figure] {
    let shown = entries.filter { !$0.histories.allSatisfy(\.isEmpty) }
    let kinds: [(String, (EpochMetrics) -> Double?)] = [
      ("Training loss", { $0.training.loss }), ("Validation loss", { $0.validation?.loss }),
    ]
    return kinds.compactMap { title, value in
      let lines = shown.compactMap { entry -> Chart.Line? in
        // Epochs that all seeds have.
        let count = entry.histories.map(\.count).min() ?? 0
        let series = entry.histories.map { $0.prefix(count).map { value($0) ?? .nan } }
        guard let first = entry.histories.first, series.joined().contains(where: \.isFinite) else {
          return nil
        }
        return Chart.Line(
          entry.name, x: first.prefix(count).map { Double($0.epoch) }, repetitions: series)
      }
      if lines.isEmpty { return nil }
      let seeds = shown.map { $0.histories.count }.max() ?? 1
      return Page.Figure(
        .chart(
          Chart(
            title, x: Chart.Axis("epoch", isWhole: true),
            y: Chart.Axis("", unit: "nats per example"),
            marks: lines)),
        caption: seeds > 1 ? "The mean over seeds, with a band of one standard deviation." : "")
    }
  }

  // MARK: Definitions

  private var definitions: [Page.Definition] {
    let measurements = entries.flatMap(\.measurements)
    let metrics = families.flatMap(\.metrics)
    return metrics.filter { metric in measurements.contains { $0.metric == metric } }.map {
      metric in
      let found = measurements.filter { $0.metric == metric }
      let taken = found.flatMap { Array($0.settings) }
      let settings = Dictionary(grouping: taken, by: \.key).sorted { $0.key < $1.key }
        .map { key, values in (key, Set(values.map(\.value)).sorted().joined(separator: " / ")) }
      return Page.Definition(
        metric.anchor, title: "\(metric.title) (\(metric.name), version \(metric.version))",
        text: metric.formula,
        facts: [
          ("unit", metric.reading), ("chance", metric.chance), ("ceiling", metric.ceiling),
          ("cost", metric.cost), ("paper", metric.paper), ("test", metric.test),
          ("examples", EvaluationReport.examples(found.map(\.count))),
        ] + settings)
    }
  }
}

extension Metric {
  /// What pages call its definition.
  fileprivate var anchor: String { "\(name)-\(version)" }

  /// The unit, and which numbers are better.
  fileprivate var reading: String {
    switch direction {
    case .higher: "\(unit.text), higher is better"
    case .lower: "\(unit.text), lower is better"
    case .neither: unit.text
    }
  }
}

extension Metric.Unit {
  fileprivate var text: String {
    switch self {
    case .nats: "nats per example"
    case .bitsPerDimension: "bits per dimension"
    case .share: "share"
    case .count: "count"
    case .plain: "no unit"
    }
  }
}
