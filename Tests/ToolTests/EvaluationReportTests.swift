// Pages of measurements: what stands in them, for one run and for several.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct EvaluationReportTests {
  private static func metric(
    _ name: String, _ unit: Metric.Unit, _ direction: Metric.Direction
  ) -> Metric {
    Metric(
      name, title: "Title of \(name)", formula: "formula of \(name) < 1", paper: "own", unit: unit,
      better: direction, chance: "0", ceiling: "1", cost: "one pass", test: "none")
  }

  private static let gap = metric("gap", .share, .higher)
  private static let nats = metric("nats", .nats, .lower)
  private static let carried = metric("carried", .nats, .neither)

  private static func history(_ offset: Double) -> [EpochMetrics] {
    (1...20).map { epoch in
      var average = TermAverage()
      average.add(90 + offset + 60 * exp(-Double(epoch) / 5), examples: 10)
      return EpochMetrics(
        epoch: epoch, step: epoch, training: average, validation: average, learningRate: 1e-3,
        seconds: 1)
    }
  }

  private static func entry(_ name: String, _ gap: Double, _ nll: Double) -> EvaluationReport.Entry
  {
    EvaluationReport.Entry(
      name,
      measurements: [
        MetricValue(
          EvaluationReportTests.gap, gap, standardError: 0.01, chance: 0.05, ceiling: 1,
          count: 10_000,
          settings: ["bins": "20"]),
        MetricValue(
          EvaluationReportTests.gap, part: "shape", gap / 2, standardError: 0.02, chance: 0.05,
          ceiling: 1, count: 10_000),
        MetricValue(nats, nll, standardError: 0.4, count: 1000),
      ] + (0..<16).map { MetricValue(carried, part: "\($0)", 3 / Double($0 + 1), count: 10_000) },
      histories: (0..<3).map { history(nll / 10 + Double($0)) })
  }

  static let comparison = EvaluationReport(
    title: "Three runs on sprites", facts: [("data", "sprites")],
    entries: [
      entry("beta 1", 0.12, 92.3), entry("beta 4", 0.31, 99.1), entry("beta 16", 0.30, 131.7),
    ])

  @Test("The best is bold only where errors do not explain it")
  func best() {
    let html = EvaluationReportTests.comparison.page.html
    // The gaps 0.31 and 0.30 are one and the same; nats are not.
    #expect(html.contains("<strong>92.30<span"))
    #expect(html.matches(of: /<strong>/).count == 1)
    #expect(html.contains("0.310<span class=\"error\"> ± 0.010</span>"))
  }

  @Test("Every number leads to its definition, with unit, direction and settings")
  func definitions() {
    let html = EvaluationReportTests.comparison.page.html
    for text in [
      "href=\"#definition-gap-1\"", "id=\"definition-gap-1\"", "formula of gap &lt; 1",
      "<dt>bins</dt><dd>20</dd>", "<dt>examples</dt><dd>1000</dd>",
      "nats per example, lower is better", "share, higher is better",
    ] {
      #expect(html.contains(text), "\(text)")
    }
  }

  @Test("Many parts are a chart, and few are rows")
  func parts() {
    let page = EvaluationReportTests.comparison.page
    let section = page.sections.first { $0.title == "Other numbers" }
    var rows: [[Page.Table.Cell]] = []
    var charts: [Chart] = []
    for block in section?.blocks ?? [] {
      if case .table(let table) = block { rows += table.rows }
      if case .figures(let figures) = block {
        for case .chart(let chart) in figures.map(\.content) { charts.append(chart) }
      }
    }
    #expect(rows.count == 3 && charts.map(\.title) == ["Title of carried"])
    #expect(page.sections.map(\.title) == ["Summary", "Training", "Other numbers"])
  }

  @Test("A record brings its notes along")
  func records() throws {
    var record = EvaluationRecord(
      version: "1", model: "m", data: "sprites", dataFingerprint: "f", examples: 10)
    let part = EvaluationRecord.Part(
      "structure", settings: [:],
      measurements: [MetricValue(EvaluationReportTests.gap, 0.5, count: 10)], notes: ["no <labels>"]
    )
    record.set(part, order: ["structure"])
    let html = EvaluationReport(title: "T", entries: [.init("run", record)]).page.html
    #expect(html.contains("<p class=\"note\">structure: no &lt;labels&gt;</p>"))
    #expect(html.contains(">Title of gap</a>"))
  }

  @Test("One run has a column of values, and bars")
  func single() {
    var report = EvaluationReportTests.comparison
    report.entries = [report.entries[0]]
    let html = report.page.html
    #expect(html.contains(">value</th>") && !html.contains("<strong>"))
    #expect(html.contains("16 bars from 0.188 to 3.00."))
  }
}
