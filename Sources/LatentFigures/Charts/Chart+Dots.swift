// Values with their errors, side by side.

import Foundation
import LatentNumerics

extension Chart {
  /// A value with its interval for each category of the upright axis.
  public struct Dots: Mark {
    private let name: String
    private let values: [(value: Double, error: Double?)]
    /// How many standard errors the interval reaches to each side.
    private let reach: Double
    private let shift: Double

    /// A dot for each category, with its interval.
    ///
    /// - Parameters:
    ///   - values: a value for each category; not a number where there is none. The error is a standard error.
    ///   - reach: standard errors to each side; 1.96 is the interval that holds 95 % of a normal distribution.
    ///   - shift: how much lower than its category the dot stands, as a part of the distance to the next.
    public init(
      _ values: [(value: Double, error: Double?)], name: String = "", reach: Double = 1.96,
      shift: Double = 0
    ) {
      self.name = name
      self.values = values
      self.reach = reach
      self.shift = shift
    }

    public var names: [String] { [name] }

    public var extent: Extent {
      Extent(
        x: Span(
          values.flatMap { value, error in
            [value, value - reach * (error ?? 0), value + reach * (error ?? 0)]
          }))
    }

    public var description: String {
      let texts = values.map { value, error in
        Numeral.text(value, decimals: Numeral.decimals(of: value, error: error))
      }
      return "\(name.isEmpty ? "Values" : name): \(texts.joined(separator: ", "))."
    }

    public func drawing(in plot: Plot) -> String {
      // The first of several leads the eye from the names to the dots.
      let leaders = values.indices.compactMap { plot.vertical.place(Double($0)) }.map {
        "M\(Chart.number(plot.left)) \(Chart.number($0))H\(Chart.number(plot.right))"
      }
      let grid =
        plot.groupsBefore > 0 ? "" : "<path class=\"g\" d=\"\(leaders.joined())\"/>"
      let dots = values.enumerated().map { index, entry -> String in
        let level = Double(index) + shift
        guard let place = plot.place(entry.value, level) else { return "" }
        let style = plot.style(ofGroup: 0)
        var interval = ""
        if let error = entry.error, let low = plot.place(entry.value - reach * error, level),
          let high = plot.place(entry.value + reach * error, level)
        {
          interval =
            "<path class=\"l \(style)\" d=\"M\(Chart.number(low.x)) \(Chart.number(low.y))"
            + "H\(Chart.number(high.x))\"/>"
        }
        return interval
          + "<circle class=\"b \(style)\" cx=\"\(Chart.number(place.x))\" cy=\"\(Chart.number(place.y))\" r=\"4\"/>"
      }
      return grid + dots.joined()
    }
  }
}
