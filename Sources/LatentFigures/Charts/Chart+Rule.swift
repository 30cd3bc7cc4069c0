// Lines that mark a value, and values with their errors.

import Foundation
import LatentNumerics

extension Chart {
  /// A dotted line through the whole chart at one value, such as that of chance.
  public struct Rule: Mark {
    /// Which axis has the value.
    public enum Direction: Sendable {
      /// A level line at a value of the upright axis.
      case y
      /// An upright line at a value of the level axis.
      case x
    }

    private let name: String
    private let direction: Direction
    private let value: Double

    /// A line at a value.
    public init(_ name: String, at value: Double, on direction: Direction = .y) {
      self.name = name
      self.value = value
      self.direction = direction
    }

    /// It is gray, and named where it stands.
    public var names: [String] { [] }

    public var extent: Extent {
      direction == .y ? Extent(y: Span([value])) : Extent(x: Span([value]))
    }

    public var description: String { "\(name) at \(Numeral.plain(value))." }

    public func drawing(in plot: Plot) -> String {
      switch direction {
      case .y:
        guard let y = plot.vertical.place(value) else { return "" }
        return "<path class=\"r\" d=\"M\(Chart.number(plot.left)) \(Chart.number(y))"
          + "H\(Chart.number(plot.right))\"/>"
          + Chart.text(plot.left + 4, y - 4, name, style: "k")
      case .x:
        guard let x = plot.horizontal.place(value) else { return "" }
        let isLeft = x > (plot.left + plot.right) / 2
        return "<path class=\"r\" d=\"M\(Chart.number(x)) \(Chart.number(plot.top))"
          + "V\(Chart.number(plot.bottom))\"/>"
          + Chart.text(
            x + (isLeft ? -4 : 4), plot.top + 12, name, style: "k", anchor: isLeft ? "end" : "start"
          )
      }
    }
  }

  /// A value with its interval for each category of the upright axis.
  public struct Dots: Mark {
    private let name: String
    private let values: [(value: Double, error: Double?)]
    /// How many standard errors the interval reaches to each side.
    private let reach: Double
    private let shift: Double

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
      values.enumerated().map { index, entry in
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
      }.joined()
    }
  }
}
