// Many points, in the colours of their groups.

import Foundation
import LatentNumerics

extension Chart {
  /// A dot for each pair of numbers.
  ///
  /// The dots of a group are one path, and dots of a group that fall on the same pixel are one dot (at about six bytes
  /// each): 10,000 points take less than 100 kB. They are merged and not made a raster, so that they stay sharp in
  /// print and take the colours of the scheme; how many lie on each other is not seen.
  public struct Scatter: Mark {
    /// The points of each group.
    private let groups: [[(x: Double, y: Double)]]
    /// Of the groups.
    public let names: [String]

    /// Points of one kind.
    public init(_ points: [(x: Double, y: Double)], name: String = "") {
      groups = [points]
      names = [name]
    }

    /// Points in groups, which are named in the legend and, where there is room for short names, at their medians.
    ///
    /// - Parameters:
    ///   - places: `[points, 2]`.
    ///   - groups: the index into `names` of each point.
    public init(
      _ places: NDArray, groups: [Int], names: [String], file: StaticString = #fileID,
      line: UInt = #line
    ) {
      require(
        places.shape.rank == 2 && places.shape[1] == 2 && groups.count == places.shape[0]
          && groups.allSatisfy(names.indices.contains),
        "a scatter of places \(places.shape) in \(groups.count) groups of \(names.count) names",
        file: file, line: line)
      let numbers = places.doubles
      var all = Array(repeating: [(x: Double, y: Double)](), count: names.count)
      for (index, group) in groups.enumerated() {
        all[group].append((numbers[2 * index], numbers[2 * index + 1]))
      }
      self.groups = all
      self.names = names
    }

    public var extent: Extent {
      let seen = groups.joined().filter { $0.x.isFinite && $0.y.isFinite }
      return Extent(x: Span(seen.map(\.x)), y: Span(seen.map(\.y)))
    }

    public var description: String {
      let count = Numeral.text(Double(groups.map(\.count).reduce(0, +)), decimals: 0)
      return names.count == 1 ? "\(count) points." : "\(count) points in \(names.count) groups."
    }

    public func drawing(in plot: Plot) -> String {
      let total = groups.map(\.count).reduce(0, +)
      // Few points are large, many are small.
      let size = min(7, max(2.5, 150 / Double(max(1, total)).squareRoot()))
      let dots = groups.enumerated().map { group, points in
        let path = Scatter.path(points.compactMap { plot.place($0.x, $0.y) })
        return path.isEmpty
          ? ""
          : "<path class=\"d \(plot.style(ofGroup: group))\" stroke-width=\"\(Chart.number(size))\""
            + " stroke-opacity=\".8\" d=\"\(path)\"/>"
      }
      return dots.filter { !$0.isEmpty }.joined(separator: "\n") + labels(in: plot)
    }

    /// Lines of no length with round ends, one for each pixel that is met, row by row; places are relative to the one
    /// before.
    private static func path(_ places: [(x: Double, y: Double)]) -> String {
      let pixels = Set(places.map { SIMD2(Int32($0.y.rounded()), Int32($0.x.rounded())) })
      var last = SIMD2<Int32>(0, 0)
      var path = ""
      for pixel in pixels.sorted(by: { ($0[0], $0[1]) < ($1[0], $1[1]) }) {
        let step = pixel &- last
        path += "m\(step[1])\(step[0] < 0 ? "" : " ")\(step[0])h0"
        last = pixel
      }
      return path
    }

    /// Longer names stand in the legend alone: they would hide what they name.
    private static let longestLabel = 8

    /// The name of each group at the median of its points; none where one would lie on another, for groups that lie on
    /// each other have no places of their own.
    private func labels(in plot: Plot) -> String {
      if names.count < 2 || names.contains(where: { $0.count > Scatter.longestLabel }) { return "" }
      var taken: [(x: Double, y: Double, width: Double)] = []
      var result = ""
      for group in groups.indices {
        let places = groups[group].compactMap { plot.place($0.x, $0.y) }
        if places.isEmpty { continue }
        let x = places.map(\.x).sorted()[places.count / 2]
        let y = places.map(\.y).sorted()[places.count / 2]
        let width = Chart.width(of: names[group], isBold: true)
        if taken.contains(where: {
          abs($0.x - x) < ($0.width + width) / 2 + 4 && abs($0.y - y) < 15
        }) {
          return ""
        }
        taken.append((x, y, width))
        result += Chart.text(x, y + 4, names[group], style: "k", anchor: "middle")
      }
      return result
    }
  }
}
