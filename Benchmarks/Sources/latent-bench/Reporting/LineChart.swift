// Lines over logarithmic axes as an SVG picture: text, sharp at any size, no library.

import Foundation

struct LineChart {
  struct Series {
    var name: String
    /// Positive, by rising x.
    var points: [(x: Double, y: Double)]
  }

  var title: String
  var xLabel: String
  var yLabel: String
  var series: [Series]

  private static let colors = [
    "#0b62a4", "#c1440e", "#2e7d32", "#7b3fa0", "#a67c00", "#00838f", "#ad1457", "#5d4037",
  ]
  private static let size = (width: 820.0, height: 420.0)
  private static let frame = (left: 80.0, top: 44.0, right: 590.0, bottom: 360.0)

  var svg: String {
    let points = series.flatMap(\.points)
    let x = Axis(points.map(\.x), base: 2, from: LineChart.frame.left, to: LineChart.frame.right)
    let y = Axis(points.map(\.y), base: 10, from: LineChart.frame.bottom, to: LineChart.frame.top)
    let size = LineChart.size
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(size.width)) \(Int(size.height))" \
      width="\(Int(size.width))" height="\(Int(size.height))" font-family="sans-serif" font-size="12" \
      fill="#333">
      <rect width="100%" height="100%" fill="#fff"/>
      \(text(title, LineChart.frame.left, 24, extra: "font-size=\"15\" font-weight=\"bold\""))
      \(grid(x, y))
      \(series.enumerated().map { line($1, LineChart.colors[$0 % LineChart.colors.count], x, y) }
        .joined(separator: "\n"))
      \(legend)
      </svg>

      """
  }

  /// A logarithmic scale that ends at whole steps.
  private struct Axis {
    let ticks: [Double]
    private let low, high, start, end: Double

    /// Ticks at powers of 2, or at 1, 2 and 5 times powers of 10.
    init(_ values: [Double], base: Double, from start: Double, to end: Double) {
      let least = max(values.min() ?? 1, .leastNormalMagnitude)
      let most = max(values.max() ?? 1, least)
      let first = Int((log(least) / log(base) + 1e-9).rounded(.down))
      let last = Int((log(most) / log(base) - 1e-9).rounded(.up))
      let steps = base == 2 ? [1.0] : [1, 2, 5]
      let all = (first...max(first, last)).flatMap { power in
        steps.map { $0 * pow(base, Double(power)) }
      }
      // The tightest range of ticks around the values.
      let lower = all.last { $0 <= least * 1.0001 } ?? all[0]
      let upper = all.first { $0 >= most * 0.9999 } ?? all[all.count - 1]
      let range = all.filter { $0 >= lower && $0 <= upper }
      ticks = range.count > 1 ? range : [range[0], range[0] * base]
      (low, high) = (ticks[0], ticks[ticks.count - 1])
      (self.start, self.end) = (start, end)
    }

    func place(_ value: Double) -> Double {
      start + log(value / low) / log(high / low) * (end - start)
    }
  }

  private func grid(_ x: Axis, _ y: Axis) -> String {
    let frame = LineChart.frame
    var parts: [String] = []
    for tick in x.ticks {
      let place = x.place(tick)
      parts.append(rule(place, frame.top, place, frame.bottom))
      parts.append(text(short(tick), place, frame.bottom + 18, anchor: "middle"))
    }
    for tick in y.ticks {
      let place = y.place(tick)
      parts.append(rule(frame.left, place, frame.right, place))
      parts.append(text(short(tick), frame.left - 8, place + 4, anchor: "end"))
    }
    let middle = (frame.top + frame.bottom) / 2
    parts.append(
      text(xLabel, (frame.left + frame.right) / 2, frame.bottom + 42, anchor: "middle"))
    parts.append(
      text(
        yLabel, 20, middle, anchor: "middle",
        extra: "transform=\"rotate(-90 20 \(number(middle)))\""))
    return parts.joined(separator: "\n")
  }

  private func line(_ series: Series, _ color: String, _ x: Axis, _ y: Axis) -> String {
    let places = series.points.map { (number(x.place($0.x)), number(y.place($0.y))) }
    let list = places.map { "\($0.0),\($0.1)" }.joined(separator: " ")
    let marks = places.map { "<circle cx=\"\($0.0)\" cy=\"\($0.1)\" r=\"2.5\" fill=\"\(color)\"/>" }
    return
      "<polyline fill=\"none\" stroke=\"\(color)\" stroke-width=\"1.8\" points=\"\(list)\"/>\n"
      + marks.joined()
  }

  private var legend: String {
    series.enumerated().map { index, series in
      let y = LineChart.frame.top + 10 + 20 * Double(index)
      let color = LineChart.colors[index % LineChart.colors.count]
      return "<line x1=\"606\" y1=\"\(number(y - 4))\" x2=\"628\" y2=\"\(number(y - 4))\" "
        + "stroke=\"\(color)\" stroke-width=\"3\"/>" + text(series.name, 636, y)
    }.joined(separator: "\n")
  }

  private func rule(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double) -> String {
    "<line x1=\"\(number(x1))\" y1=\"\(number(y1))\" x2=\"\(number(x2))\" y2=\"\(number(y2))\" "
      + "stroke=\"#ddd\"/>"
  }

  private func text(
    _ words: String, _ x: Double, _ y: Double, anchor: String = "start", extra: String = ""
  ) -> String {
    let escaped = words.replacingOccurrences(of: "&", with: "&amp;")
      .replacingOccurrences(of: "<", with: "&lt;")
    return "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\" \(extra)>"
      + "\(escaped)</text>"
  }

  private func number(_ value: Double) -> String { String(format: "%.1f", value) }

  /// 4096 as it is, 20000 as 20k.
  private func short(_ value: Double) -> String {
    for (least, unit, name) in [(1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")]
    where value >= least {
      return String(format: "%.3g", value / unit) + name
    }
    return plain(value)
  }

}
