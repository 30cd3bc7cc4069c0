// Every kind of mark on one page, with numbers that look like those of runs.

import Foundation
import Latent

enum ChartGallery {
  static var page: Page {
    Page(
      title: "Charts", subtitle: "One of each kind",
      sections: [
        Page.Section("Lines", [.figures([bands, manyLines, logarithmic].map(figure))]),
        Page.Section("Points", [.figures([scatter, dots].map(figure))]),
        Page.Section("Areas", [.figures([bars, histogram, heatMap, correlations].map(figure))]),
      ])
  }

  private static func figure(_ chart: Chart) -> Page.Figure {
    Page.Figure(.chart(chart), caption: "A caption of the chart \(chart.title).")
  }

  private static let epochs = (1...50).map(Double.init)

  private static func curve(_ height: Double, _ random: inout RandomStream) -> [Double] {
    let noise = random.normal([50], .float64).doubles
    return zip(epochs, noise).map { height + 60 * exp(-$0 / 8) + $1 }
  }

  private static var bands: Chart {
    var random = RandomStream(seed: 1)
    let marks: [any Chart.Mark] = [("small", 100.0), ("large", 90)].map { name, height in
      Chart.Line(name, x: epochs, repetitions: (0..<5).map { _ in curve(height, &random) })
    }
    return Chart(
      "Bands over five seeds", x: .init("epoch", isWhole: true), y: .init("loss", unit: "nats"),
      marks: marks + [Chart.Rule("entropy of the data", at: 80)])
  }

  private static var manyLines: Chart {
    var random = RandomStream(seed: 2)
    return Chart(
      "Eight lines", x: .init("epoch", isWhole: true), y: .init("loss", unit: "nats"),
      marks: (0..<8).map { index in
        Chart.Line("model \(index + 1)", Array(zip(epochs, curve(80 + 5 * Double(index), &random))))
      })
  }

  private static var logarithmic: Chart {
    Chart(
      "A logarithmic axis", x: .init("examples", scale: .logarithmic),
      y: .init("error", scale: .logarithmic),
      marks: [
        Chart.Line("bound", (0..<7).map { (pow(10, Double($0)), pow(10, -Double($0) / 2)) }),
        Chart.Line(
          "measured", (0..<7).map { (pow(10, Double($0)), 0.3 * pow(10, -Double($0) / 1.8)) }),
      ])
  }

  private static var scatter: Chart {
    var random = RandomStream(seed: 3)
    let noise = random.normal([10_000, 2], .float64).doubles
    let groups = (0..<10_000).map { $0 % 10 }
    let places = noise.indices.map { index in
      let angle = Double(groups[index / 2]) * 0.628
      return noise[index] + 3.5 * (index % 2 == 0 ? cos(angle) : sin(angle))
    }
    return Chart(
      "Ten thousand points", x: .init("first component", hasTicks: false),
      y: .init("second component", hasTicks: false),
      marks: [
        Chart.Scatter(
          NDArray(places, shape: [10_000, 2]), groups: groups, names: (0..<10).map(String.init))
      ], height: 440, hasEqualScales: true)
  }

  private static var dots: Chart {
    let names = ["beta = 1", "beta = 4", "factor", "total correlation"]
    return Chart(
      "Values with intervals", x: .init("mutual information gap"), y: .categories(names),
      marks: [
        Chart.Dots(
          [(0.12, 0.02), (0.31, 0.03), (0.28, 0.01), (0.35, 0.04)], name: "sprites", shift: -0.12),
        Chart.Dots(
          [(0.08, 0.01), (0.2, 0.02), (0.24, 0.02), (.nan, nil)], name: "faces", shift: 0.12),
        Chart.Rule("chance", at: 0.02, on: .x),
      ])
  }

  private static var bars: Chart {
    Chart(
      "Bars of forty latents", x: .categories((0..<40).map(String.init), title: "latent"),
      y: .init("divergence", unit: "nats"),
      marks: [Chart.Bars((0..<40).map { 4 * exp(-Double($0) / 9) })])
  }

  private static var histogram: Chart {
    var random = RandomStream(seed: 4)
    let inside = random.normal([5000], .float64).doubles.map { -90 + 8 * $0 }
    let outside = random.normal([2000], .float64).doubles.map { -130 + 15 * $0 }
    return Chart(
      "Histograms", x: .init("log-likelihood", unit: "nats"), y: .init("share"),
      marks: [Chart.Histogram([("digits", inside), ("letters", outside)])])
  }

  private static var heatMap: Chart {
    let values = (0..<25).map { index in index % 6 == 0 ? 0.9 : 0.03 * Double(index % 5) }
    let names = ["shape", "scale", "angle", "x", "y"]
    return Chart(
      "A heat map", x: .categories((0..<5).map { "latent \($0)" }), y: .categories(names),
      marks: [Chart.HeatMap(NDArray(values, shape: [5, 5]), limit: 1)])
  }

  private static var correlations: Chart {
    let side = 32
    let values = (0..<side * side).map { index in
      cos(Double(index / side - index % side) / 4)
        * exp(-abs(Double(index / side - index % side)) / 9)
    }
    let names = (0..<side).map(String.init)
    return Chart(
      "Correlations of 32 latents", x: .categories(names, title: "latent"), y: .categories(names),
      marks: [Chart.HeatMap(NDArray(values, shape: [side, side]))], height: 420)
  }
}
