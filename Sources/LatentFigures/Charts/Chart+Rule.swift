// Lines that mark a value.

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
}
