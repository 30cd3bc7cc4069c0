// What is made of measurements: percentiles, verdicts, tables, pictures.

import Foundation
import Testing

@testable import latent_bench

#if canImport(FoundationXML)
  import FoundationXML
#endif

@Suite struct ReportTests {
  @Test("Percentiles are values of the sample, by the nearest rank")
  func percentiles() {
    let hundred = Percentiles((1...100).shuffled().map(Double.init))
    #expect(hundred[50] == 50 && hundred[90] == 90 && hundred[99] == 99 && hundred[100] == 100)
    let three = Percentiles([3, 1, 2])
    #expect(three[50] == 2 && three[99] == 3 && three[1] == 1)
  }

  @Test(
    "A verdict compares ratios with the tolerance",
    arguments: [
      (1.0, 1.2, Verdict.Kind.same, true), (1.0, 1.3, .slower, false), (1.0, 0.7, .faster, true),
      (nil, 1.0, .new, false), (1.0, nil, .gone, false),
    ] as [(Double?, Double?, Verdict.Kind, Bool)])
  func verdicts(old: Double?, new: Double?, kind: Verdict.Kind, isGood: Bool) {
    func entry(_ ratio: Double?) -> Baseline.Entry? {
      ratio.map { Baseline.Entry(reference: .product, ratio: $0) }
    }
    let verdict = Verdict("x", baseline: entry(old), now: entry(new), tolerance: 0.25)
    #expect(verdict.kind == kind && verdict.isGood == isGood)
  }

  @Test("A baseline that is absent or something else is one clear sentence")
  func baselines() throws {
    let path = FileManager.default.temporaryDirectory.path + "/latent-baseline-\(getpid()).json"
    defer { try? FileManager.default.removeItem(atPath: path) }
    #expect { _ = try Baseline(contentsOf: path) } throws: { "\($0)".contains("--update") }
    try write("[1, 2]", to: path)
    #expect { _ = try Baseline(contentsOf: path) } throws: { "\($0)".contains("no baseline") }
    var baseline = Baseline(tolerance: 0.25)
    baseline.operations["mlp train 128"] = Baseline.Entry(reference: .copy, ratio: 0.5)
    try write(JSON.document(baseline), to: path)
    let read = try Baseline(contentsOf: path)
    #expect(read.operations["mlp train 128"]?.ratio == 0.5 && read.caution == nil)
  }

  @Test("Columns of a table are aligned, numbers to the right")
  func table() {
    var table = MarkdownTable(header: ["what", "ms"])
    table.rows = [["a", "1.25"], ["longer", "10"]]
    #expect(
      table.text == """
        | what   |   ms |
        |--------|-----:|
        | a      | 1.25 |
        | longer |   10 |

        """)
  }

  @Test(
    "Numbers have three digits",
    arguments: [
      (0.0012345, "0.00123"), (1.2345, "1.23"), (12.345, "12.3"), (12345, "12345"), (0, "0"),
    ]
      as [(Double, String)])
  func numbers(value: Double, text: String) { #expect(digits(value) == text) }

  @Test("A chart is well-formed XML with a line for each series, all inside the frame")
  func chart() throws {
    let chart = LineChart(
      title: "a < b & c", xLabel: "batch", yLabel: "items/s",
      series: [
        LineChart.Series(name: "one", points: [(1, 30), (4096, 123_456)]),
        LineChart.Series(name: "point", points: [(8, 1000)]),
      ])
    let parser = XMLParser(data: Data(chart.svg.utf8))
    let elements = ElementCounter()
    parser.delegate = elements
    #expect(parser.parse(), "\(parser.parserError.map { "\($0)" } ?? "")")
    #expect(elements.counts["polyline"] == 2 && elements.counts["circle"] == 3)
    #expect(!chart.svg.contains("nan") && !chart.svg.contains("inf"))
  }

  private final class ElementCounter: NSObject, XMLParserDelegate {
    var counts: [String: Int] = [:]
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) { counts[name, default: 0] += 1 }
  }

  @Test("A sweep's report shows medians over the rounds")
  func sweep() {
    let points = [3.0, 1, 2].map {
      ScalingPoint(
        sweep: .threads, series: "mlp train", x: 2, items_per_s: $0 * 100, peak_rss_mib: $0,
        foreign_cores: 0)
    }
    let report = SweepReport(.threads, points)
    #expect(report.markdown.contains("|       2 |       200 |"))
    #expect(report.pictures.map(\.file) == ["threads.svg", "threads-memory.svg"])
  }
}
