// Tables of numbers as shades.

import Foundation
import LatentNumerics

extension Chart {
  /// A cell for each number of a matrix, between axes of categories, the first row on top.
  ///
  /// Shades are the opacity of one colour, or of two where numbers have both signs, so they go with any background.
  /// There are 25 of them, and the cells of a shade are one path. Where there is room cells show their numbers.
  public struct HeatMap: Mark {
    private let rows, columns: Int
    private let values: [Double]
    /// What has the full shade; a negative number has that of its magnitude in the second colour.
    private let limit: Double
    private let decimals: Int

    /// A cell for each number of a matrix.
    ///
    /// - Parameters:
    ///   - matrix: `[rows, columns]`.
    ///   - limit: the magnitude that has the full shade; otherwise the largest there is.
    ///   - decimals: of the numbers in the cells.
    public init(
      _ matrix: NDArray, limit: Double? = nil, decimals: Int = 2, file: StaticString = #fileID,
      line: UInt = #line
    ) {
      require(
        matrix.shape.rank == 2 && limit.map { $0 > 0 } ?? true,
        "a heat map of \(matrix.shape), limit \(limit ?? 1): expected [rows, columns] and a positive limit",
        file: file, line: line)
      (rows, columns) = (matrix.shape[0], matrix.shape[1])
      values = matrix.doubles
      let largest = values.filter(\.isFinite).map(abs).max() ?? 0
      self.limit = limit ?? (largest > 0 ? largest : 1)
      self.decimals = decimals
    }

    /// Both signs take a colour; no legend, for the cells say it themselves.
    public var names: [String] { ["", ""] }

    public var extent: Extent { Extent() }

    public var description: String {
      guard
        let largest = values.indices.filter({ values[$0].isFinite }).max(by: {
          values[$0] < values[$1]
        })
      else { return "" }
      return "\(rows) rows and \(columns) columns; the largest number, "
        + "\(Numeral.text(values[largest], decimals: decimals)), is in row \(largest / columns + 1), "
        + "column \(largest % columns + 1)."
    }

    private static let shades = 25

    public func drawing(in plot: Plot) -> String {
      var paths: [Int: String] = [:]
      var texts = ""
      for index in values.indices where values[index].isFinite {
        let (row, column) = (Double(index / columns), Double(index % columns))
        guard let from = plot.place(column - 0.5, row - 0.5),
          let to = plot.place(column + 0.5, row + 0.5)
        else { continue }
        let share = min(1, max(-1, values[index] / limit))
        let shade = Int((share * Double(HeatMap.shades)).rounded())
        paths[shade, default: ""] +=
          "M\(Chart.number(from.x)) \(Chart.number(from.y))H\(Chart.number(to.x))"
          + "V\(Chart.number(to.y))H\(Chart.number(from.x))Z"
        let text = Numeral.text(values[index], decimals: decimals)
        if to.x - from.x > Chart.width(of: text) + 4 && to.y - from.y > 16 {
          texts += Chart.text(
            (from.x + to.x) / 2, (from.y + to.y) / 2 + 4, text,
            style: abs(share) > 0.6 ? "o" : "i", anchor: "middle")
        }
      }
      let cells = paths.sorted { $0.key < $1.key }.filter { $0.key != 0 }.map { shade, path in
        let opacity = Double(abs(shade)) / Double(HeatMap.shades)
        return "<path class=\"b \(plot.style(ofGroup: shade < 0 ? 1 : 0))\" "
          + "fill-opacity=\"\(String(format: "%.2f", opacity))\" shape-rendering=\"crispEdges\" d=\"\(path)\"/>"
      }
      return (cells + [texts]).joined(separator: "\n")
    }
  }
}
