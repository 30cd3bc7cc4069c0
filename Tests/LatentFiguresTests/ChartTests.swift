import Foundation
import LatentFigures
import LatentNumerics
import Testing

@Suite struct ChartTests {
  private func chart(
    _ marks: [any Chart.Mark], x: Chart.Axis = .init("x"), y: Chart.Axis = .init("y")
  ) -> Chart {
    Chart("A title", x: x, y: y, marks: marks)
  }

  private func drawn(_ chart: Chart) throws -> Element { try parsed(chart.svg(id: "c")) }

  private func paths(_ element: Element, _ style: String) -> [String] {
    element.all("path").filter {
      $0.attributes["class"]?.split(separator: " ").first == Substring(style)
    }
    .compactMap { $0.attributes["d"] }
  }

  @Test("A chart is named and described")
  func names() throws {
    let svg = try drawn(
      Chart(
        "<Loss> & \"more\"", summary: "It falls.", x: .init("epoch"),
        y: .init("loss", unit: "nats"),
        marks: [Chart.Line("training", [(1, 120), (2, 80.25), (3, 90)])]))
    #expect(svg.attributes["role"] == "img" && svg.attributes["aria-labelledby"] == "c-t c-d")
    let title = try #require(svg.all("title").first)
    #expect(title.text == "<Loss> & \"more\"" && title.attributes["id"] == "c-t")
    #expect(
      svg.all("desc").first?.text
        == "It falls. training: from 120 at 1 to 90 at 3, lowest 80.25.")
    let texts = svg.all("text").map(\.text)
    #expect(texts.contains("loss (nats)") && texts.contains("epoch") && texts.contains("training"))
  }

  @Test("Every mark is well-formed, also of nothing and of what is not finite")
  func forms() throws {
    let numbers: [Double] = [.nan, -.infinity, 0, 3, -2]
    let marks: [[any Chart.Mark]] = [
      [Chart.Line("a", [])], [Chart.Line("a", numbers.map { ($0, $0) })],
      [Chart.Line("a", x: [0, 1], repetitions: [[1, .nan], [2, 3]])],
      [Chart.Scatter(numbers.map { ($0, $0) })], [Chart.Scatter([])],
      [Chart.Bars(numbers)], [Chart.Bars([])],
      [Chart.Histogram([("", [])]), Chart.Histogram([("a", [1, 1, 1]), ("b", numbers)])],
      [Chart.HeatMap(NDArray(numbers + [1], shape: [2, 3]))],
      [Chart.Rule("here", at: 1), Chart.Rule("there", at: 2, on: .x)],
      [
        Chart.Dots(numbers.map { ($0, 1) }, name: "a"),
        Chart.Dots(numbers.map { ($0, nil) }, name: "b"),
      ],
    ]
    for marks in marks {
      for scale in [Chart.Axis.Scale.linear, .logarithmic, .categories(["p", "q", "r", "s", "t"])] {
        let svg = chart(marks, x: .init("x", scale: scale), y: .init("y", scale: scale)).svgFile
        _ = try parsed(svg)
        #expect(!svg.contains("nan") && !svg.contains("inf"), "\(marks) \(scale)")
      }
    }
  }

  @Test("A line breaks where it has no place, and keeps points that stand alone")
  func gaps() throws {
    let svg = try drawn(
      chart([Chart.Line("", [(0, 1), (1, 2), (2, .nan), (3, 5), (4, .nan), (5, 1), (6, 2)])]))
    let line = try #require(paths(svg, "l").first)
    #expect(line.count { $0 == "M" } == 3 && line.count { $0 == "L" } == 2)
    #expect(svg.all("circle").count == 1)
  }

  @Test("The band of repetitions is a standard deviation to both sides")
  func bands() throws {
    let line = Chart.Line("", x: [0, 1], repetitions: [[1, 10], [2, 10], [6, 10]])
    #expect(line.points.map(\.y) == [3, 10])
    // Squared deviations 4, 1 and 9, over 2.
    let deviation = 7.0.squareRoot()
    #expect(abs(line.band[0].upperBound - 3 - deviation) < 1e-12)
    #expect(abs(line.band[0].lowerBound - 3 + deviation) < 1e-12)
    #expect(line.band[1] == 10...10)
    #expect(try paths(drawn(chart([line])), "band").count == 1)
    #expect(
      try paths(drawn(chart([Chart.Line("", x: [0, 1], repetitions: [[1, 2]])])), "band").isEmpty)
  }

  @Test("Few lines bear their names; more have a legend, and other groups always")
  func legends() throws {
    func circles(_ marks: [any Chart.Mark]) throws -> Int {
      try drawn(chart(marks)).all("circle").count
    }
    let lines = (0..<5).map { Chart.Line("line \($0)", [(0, Double($0)), (1, 1)]) }
    #expect(try circles(Array(lines.prefix(4))) == 0)
    #expect(try circles(lines) == 0)
    // The lines, and a sample of each, dashed alike.
    let drawing = try drawn(chart(lines))
    #expect(paths(drawing, "l").count == 10)
    #expect(drawing.all("path").count { $0.attributes["stroke-dasharray"] == "6 4" } == 2)
    #expect(try circles([Chart.Histogram([("a", [1, 2]), ("b", [2, 3])])]) == 2)
    // Names that would lie on each other are moved apart.
    let names = try drawn(chart(Array(lines.prefix(4)))).all("text")
      .filter { $0.attributes["class"]?.hasPrefix("n ") == true }
    let heights = names.compactMap { $0.attributes["y"].flatMap(Double.init) }.sorted()
    #expect(heights.count == 4 && zip(heights, heights.dropFirst()).allSatisfy { $1 - $0 > 13.8 })
  }

  @Test("Ten thousand points in ten groups are less than 100 kB, and none is lost")
  func manyPoints() throws {
    var random = RandomStream(seed: 1)
    let places = random.normal([10_000, 2], .float64)
    let groups = (0..<10_000).map { $0 % 10 }
    let scatter = Chart.Scatter(places, groups: groups, names: (0..<10).map(String.init))
    let text = chart([scatter]).svg(id: "c")
    #expect(text.utf8.count < 100_000, "\(text.utf8.count)")
    // Followed step by step, the dots are the pixels of the points.
    let path = try #require(
      paths(
        try parsed(chart([Chart.Scatter([(0, 0), (1, 0), (1, 1), (0, 1), (1, 1)])]).svg(id: "c")),
        "d"
      ).first)
    #expect(path.count { $0 == "m" } == 4)
    #expect(chart([scatter]).svg(id: "c").contains("10,000 points in 10 groups."))
  }

  @Test("Groups bear their names where they have places of their own")
  func groupNames() throws {
    func names(_ distance: Double, _ names: [String]) throws -> [String] {
      let places = NDArray([0.0, 0, 1, 1, distance, 1, distance, 0], shape: [4, 2])
      let svg = try drawn(chart([Chart.Scatter(places, groups: [0, 0, 1, 1], names: names)]))
      return svg.all("text").filter { $0.attributes["class"] == "k" }.map(\.text)
    }
    #expect(try names(9, ["one", "two"]) == ["one", "two"])
    #expect(try names(1, ["one", "two"]) == [])
    #expect(try names(9, ["a name that hides", "two"]) == [])
  }

  @Test("Maps have one scale on both axes")
  func equalScales() throws {
    let chart = Chart(
      "Map", x: .init("", hasTicks: false), y: .init("", hasTicks: false),
      marks: [Chart.Scatter([(0, 0), (10, 0), (0, 1)])], height: 440, hasEqualScales: true)
    let path = try #require(paths(try drawn(chart), "d").first)
    // Upper left, then lower left and lower right.
    let numbers = path.split { !"-0123456789".contains($0) }.compactMap { Int($0) }
    #expect(numbers.count == 9)
    let (up, across) = (Double(numbers[4]), Double(numbers[6]))
    #expect(abs(across / up - 10) < 0.4, "\(path)")
  }

  @Test("Histograms are shares over common stretches")
  func histograms() throws {
    let values = (0..<1000).map { Double($0) / 1000 }
    let svg = try drawn(chart([Chart.Histogram([("a", values), ("b", [0.05])], count: 10)]))
    let outlines = paths(svg, "l")
    #expect(outlines.count == 2 && outlines.allSatisfy { $0.count { $0 == "H" } == 10 })
    #expect(
      svg.all("desc").first?.text == "a: most often about 0.0500. b: most often about 0.0500.")
  }

  @Test("A heat map says where its largest number is, and shows both signs")
  func heatMaps() throws {
    let matrix = NDArray([0.0, 1, -1, 0.5], shape: [2, 2])
    let svg = try drawn(
      chart([Chart.HeatMap(matrix)], x: .categories(["a", "b"]), y: .categories(["c", "d"])))
    #expect(
      svg.all("desc").first?.text
        == "2 rows and 2 columns; the largest number, 1.00, is in row 1, column 2.")
    let cells = svg.all("path").filter { $0.attributes["fill-opacity"] != nil }
    #expect(cells.map { $0.attributes["class"] } == ["b s2", "b s1", "b s1"])
    #expect(cells.map { $0.attributes["fill-opacity"] } == ["1.00", "0.52", "1.00"])
    #expect(svg.all("text").map(\.text).contains("−1.00"))
  }

  @Test("Logarithmic axes have equal steps for equal ratios")
  func logarithms() throws {
    let line = Chart.Line("", [(1, 1), (2, 10), (3, 100), (4, -1)])
    let svg = try drawn(chart([line], y: .init("y", scale: .logarithmic)))
    let path = try #require(paths(svg, "l").first)
    let numbers = path.split { !"0123456789.".contains($0) }.compactMap { Double($0) }
    #expect(numbers.count == 6)
    #expect(abs((numbers[1] - numbers[3]) - (numbers[3] - numbers[5])) < 0.21)
  }
}
