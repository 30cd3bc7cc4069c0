// Lines, with the band in which repetitions of the experiment lie.

import LatentNumerics

extension Chart {
  /// Places joined in their order, broken where one has no place.
  public struct Line: Mark {
    /// What the legend calls it; may be empty.
    public let name: String
    /// In the order in which they are joined.
    public let points: [(x: Double, y: Double)]
    /// The lower and upper end of the band at each point; empty where there is none.
    public let band: [ClosedRange<Double>]

    /// A line through points.
    public init(_ name: String, _ points: [(x: Double, y: Double)]) {
      self.name = name
      self.points = points
      band = []
    }

    /// The mean over repetitions, such as seeds, with a band of one standard deviation (divisor n - 1) to both sides.
    ///
    /// - Parameters:
    ///   - x: `[points]`.
    ///   - repetitions: `[repetitions][points]`, one or more; of a single one there is no band.
    public init(
      _ name: String, x: [Double], repetitions: [[Double]], file: StaticString = #fileID,
      line: UInt = #line
    ) {
      require(
        !repetitions.isEmpty && repetitions.allSatisfy { $0.count == x.count },
        "a line through \(x.count) points of repetitions with \(repetitions.map(\.count))",
        file: file, line: line)
      self.name = name
      let count = Double(repetitions.count)
      let statistics = x.indices.map { index in
        let values = repetitions.map { $0[index] }
        let mean = values.reduce(0, +) / count
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        return (mean: mean, deviation: (squares / max(1, count - 1)).squareRoot())
      }
      points = zip(x, statistics).map { ($0, $1.mean) }
      band =
        repetitions.count < 2
        ? []
        // What is not finite has no band, and no point either.
        : statistics.map {
          $0.deviation.isFinite
            ? ($0.mean - $0.deviation)...($0.mean + $0.deviation) : 0...0
        }
    }

    public var names: [String] { [name] }

    public var extent: Extent {
      let seen = points.filter { $0.x.isFinite && $0.y.isFinite }
      return Extent(
        x: Span(seen.map(\.x), isInset: false),
        y: Span(
          seen.map(\.y)
            + zip(points, band).filter { $0.0.y.isFinite }.flatMap {
              [$0.1.lowerBound, $0.1.upperBound]
            }))
    }

    public var description: String {
      let seen = points.filter { $0.x.isFinite && $0.y.isFinite }
      guard let first = seen.first, let last = seen.last else { return "" }
      let low = seen.map(\.y).min() ?? first.y
      return
        "\(name.isEmpty ? "The line" : name): from \(Numeral.plain(first.y)) at \(Numeral.plain(first.x)) to "
        + "\(Numeral.plain(last.y)) at \(Numeral.plain(last.x)), lowest \(Numeral.plain(low))."
    }

    /// Groups after the first are dashed, each in its own way, for who sees no colours.
    private static let dashes = ["", "6 4", "2 3", "9 3 2 3"]

    /// The attribute that dashes the line of a group.
    static func dashes(ofGroup group: Int) -> String {
      let dash = dashes[group % dashes.count]
      return dash.isEmpty ? "" : " stroke-dasharray=\"\(dash)\""
    }

    public func drawing(in plot: Plot) -> String {
      let style = plot.style(ofGroup: 0)
      var path = ""
      var isJoined = false
      var single: [(x: Double, y: Double)] = []
      for (index, point) in points.enumerated() {
        guard let place = plot.place(point.x, point.y) else {
          isJoined = false
          continue
        }
        path += "\(isJoined ? "L" : "M")\(Chart.number(place.x)) \(Chart.number(place.y))"
        let isLast =
          index + 1 == points.count || plot.place(points[index + 1].x, points[index + 1].y) == nil
        if !isJoined && isLast { single.append(place) }
        isJoined = true
      }
      let dashes = Line.dashes(ofGroup: plot.groupsBefore)
      let dots = single.map {
        "<circle class=\"b \(style)\" cx=\"\(Chart.number($0.x))\" cy=\"\(Chart.number($0.y))\" r=\"3\"/>"
      }
      return area(in: plot, style) + "<path class=\"l \(style)\"\(dashes) d=\"\(path)\"/>"
        + dots.joined()
    }

    /// There along the upper end and back along the lower one, for each stretch without a gap.
    private func area(in plot: Plot, _ style: String) -> String {
      var path = ""
      var upper: [String] = []
      var lower: [String] = []
      func close() {
        if upper.count > 1 {
          path += "M" + (upper + lower.reversed()).joined(separator: "L") + "Z"
        }
        (upper, lower) = ([], [])
      }
      for (point, range) in zip(points, band) {
        guard plot.place(point.x, point.y) != nil, let low = plot.place(point.x, range.lowerBound),
          let high = plot.place(point.x, range.upperBound)
        else {
          close()
          continue
        }
        upper.append("\(Chart.number(high.x)) \(Chart.number(high.y))")
        lower.append("\(Chart.number(low.x)) \(Chart.number(low.y))")
      }
      close()
      return path.isEmpty ? "" : "<path class=\"band \(style)\" d=\"\(path)\"/>"
    }
  }
}
