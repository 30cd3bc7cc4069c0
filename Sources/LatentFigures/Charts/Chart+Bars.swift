// Bars and histograms: lengths that begin at nothing.

import Foundation
import LatentNumerics

extension Chart {
  /// A bar from 0 to each value, for each category of the level axis. Bars need a linear upright axis: 0 has no place
  /// on another.
  public struct Bars: Mark {
    private let name: String
    private let heights: [Double]

    /// Bars of so high.
    public init(_ heights: [Double], name: String = "") {
      self.heights = heights
      self.name = name
    }

    public var names: [String] { [name] }

    public var extent: Extent {
      let finite = heights.filter(\.isFinite)
      let (low, high) = (min(0, finite.min() ?? 0), max(0, finite.max() ?? 0))
      return Extent(y: Span(low, high, insetLow: low < 0, insetHigh: high > 0))
    }

    public var description: String {
      guard let low = heights.min(), let high = heights.max() else { return "" }
      return "\(heights.count) bars from \(Numeral.text(low, digits: 3)) to "
        + "\(Numeral.text(high, digits: 3))."
    }

    /// Few bars are no wider than this, in pixels.
    private static let maximumWidth = 48.0

    public func drawing(in plot: Plot) -> String {
      let path = heights.enumerated().map { index, height -> String in
        let middle = Double(index)
        guard let from = plot.place(middle - 0.4, 0), let to = plot.place(middle + 0.4, height)
        else { return "" }
        let half = min(to.x - from.x, Bars.maximumWidth) / 2
        let (left, right) = ((from.x + to.x) / 2 - half, (from.x + to.x) / 2 + half)
        return "M\(Chart.number(left)) \(Chart.number(from.y))V\(Chart.number(to.y))"
          + "H\(Chart.number(right))V\(Chart.number(from.y))Z"
      }
      return "<path class=\"b \(plot.style(ofGroup: 0))\" d=\"\(path.joined())\"/>"
    }
  }

  /// How often values fall into stretches of equal width, which all groups share, as shares of each group: so that a
  /// small group is seen beside a large one. Values that are not finite are left out.
  public struct Histogram: Mark {
    /// Of the groups.
    public let names: [String]
    /// The ends of the stretches, one more than these.
    let edges: [Double]
    /// Of each group, the share of its values in each stretch.
    let shares: [[Double]]

    /// How values of groups are spread.
    ///
    /// - Parameters:
    ///   - groups: names and values; the empty name where there is one group only.
    ///   - count: the number of stretches; otherwise twice the interquartile range over the cube root of the number of
    ///     values is their width (Freedman and Diaconis 1981), and their number from 5 to 60.
    public init(_ groups: [(name: String, values: [Double])], count: Int? = nil) {
      names = groups.map(\.name)
      let finite = groups.map { $0.values.filter(\.isFinite) }
      let all = finite.joined().sorted()
      guard let low = all.first, let high = all.last else {
        edges = [0, 1]
        shares = groups.map { _ in [0] }
        return
      }
      let range = all[all.count * 3 / 4] - all[all.count / 4]
      let width = 2 * range / cbrt(Double(all.count))
      let bins =
        count
        ?? (width > 0 ? min(60, max(5, Int(min(60, ((high - low) / width).rounded(.up))))) : 5)
      // All the same: one stretch around it.
      let (start, size) = low == high ? (low - 0.5, 1) : (low, high - low)
      edges = (0...bins).map { start + size * Double($0) / Double(bins) }
      shares = finite.map { values in
        var counts = Array(repeating: 0.0, count: bins)
        for value in values {
          counts[min(bins - 1, Int((value - start) / size * Double(bins)))] += 1
        }
        return counts.map { $0 / Double(max(1, values.count)) }
      }
    }

    public var extent: Extent {
      Extent(
        x: Span(edges, isInset: false),
        y: Span(0, shares.joined().max() ?? 0, insetLow: false, insetHigh: true))
    }

    public var description: String {
      zip(names, shares).map { name, shares in
        let mode = shares.indices.max { shares[$0] < shares[$1] } ?? 0
        let middle = (edges[mode] + edges[mode + 1]) / 2
        return
          "\(name.isEmpty ? "Values" : name): most often about \(Numeral.text(middle, digits: 3))."
      }.joined(separator: " ")
    }

    public func drawing(in plot: Plot) -> String {
      shares.enumerated().map { group, shares in
        var outline = ""
        for (index, share) in shares.enumerated() {
          guard let from = plot.place(edges[index], share),
            let to = plot.place(edges[index + 1], share)
          else { continue }
          outline += "V\(Chart.number(from.y))H\(Chart.number(to.x))"
        }
        let style = plot.style(ofGroup: group)
        let path =
          "M\(Chart.number(plot.left)) \(Chart.number(plot.bottom))\(outline)"
          + "V\(Chart.number(plot.bottom))"
        return
          "<path class=\"band \(style)\" d=\"\(path)Z\"/><path class=\"l \(style)\" d=\"\(path)\"/>"
      }.joined(separator: "\n")
    }
  }
}
