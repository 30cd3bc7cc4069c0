// Tables of numbers: right under each other by their points, with what is needed to read them.

import Foundation
import LatentNumerics

extension Page {
  /// Rows of cells. The first cell of each row is its heading.
  public struct Table: Sendable {
    /// What the numbers are, above them; screen readers call the table so.
    public var caption: String
    /// How to read them, behind the caption.
    public var note: String
    /// From left to right.
    public var columns: [Column]
    /// As many cells each as there are columns.
    public var rows: [[Cell]]

    /// A table; every row has a cell for each column.
    public init(
      caption: String, note: String = "", columns: [Column], rows: [[Cell]],
      file: StaticString = #fileID,
      line: UInt = #line
    ) {
      require(
        rows.allSatisfy { $0.count == columns.count },
        "a table of \(columns.count) columns with rows of \(Set(rows.map(\.count)).sorted())",
        file: file, line: line)
      self.caption = caption
      self.note = note
      self.columns = columns
      self.rows = rows
    }

    /// The heading of a column.
    public struct Column: Sendable {
      /// What stands above its cells; may be empty.
      public var title: String
      /// The colour of the palette that stands for it in charts and strips; nil where none does.
      public var group: Int?

      /// A column.
      public init(_ title: String, group: Int? = nil) {
        self.title = title
        self.group = group
      }
    }

    /// What stands in a row under a column.
    public enum Cell: Sendable {
      /// Nothing is known.
      case none
      /// Words.
      case text(String)
      /// Text that leads to the definition of this name, and what is said beside it.
      case defined(String, by: String, detail: String = "")
      /// A number with its standard error. `isBest` sets it off.
      case number(Double, decimals: Int, error: Double? = nil, isBest: Bool = false)
      /// Where numbers lie between two others.
      case strip(Strip)
    }

    /// A small drawing of values with intervals between chance and ceiling.
    public struct Strip: Sendable {
      /// Values with standard errors; what is not finite is left out.
      public var values: [(value: Double, error: Double?)]
      /// The ends of the line that they lie on.
      public var chance, ceiling: Double

      /// Values in the order of their colours, with standard errors.
      public init(_ values: [(value: Double, error: Double?)], chance: Double, ceiling: Double) {
        self.values = values
        self.chance = chance
        self.ceiling = ceiling
      }
    }
  }
}

extension Page.Table {
  /// The table as HTML. It may be wider than the screen; keys then move it when it has the focus.
  func html(id: String) -> String {
    let head = columns.enumerated().map { index, column in
      let mark = column.group.map { "<span class=\"dot s\(Page.Table.style($0))\"></span>" } ?? ""
      let style = isNumeric(index) ? " class=\"number\"" : ""
      return "<th scope=\"col\"\(style)>\(mark)\(HTML.escaped(column.title))</th>"
    }
    let decimals = columns.indices.map { column in
      rows.compactMap { $0[column].decimals }.max() ?? 0
    }
    let body = rows.map { row in
      "<tr>"
        + row.enumerated().map { index, cell in
          let tag = index == 0 ? "th scope=\"row\"" : "td"
          let style = isNumeric(index) ? " class=\"number\"" : ""
          return "<\(tag)\(style)>\(cell.html(decimals: decimals[index]))</\(tag.prefix(2))>"
        }.joined() + "</tr>"
    }
    return """
      <p class="caption"><span id="\(id)">\(HTML.escaped(caption))</span> \(HTML.escaped(note))</p>
      <div class="scroll" role="region" aria-labelledby="\(id)" tabindex="0"><table aria-labelledby="\(id)">
      <thead><tr>\(head.joined())</tr></thead>
      <tbody>
      \(body.joined(separator: "\n"))
      </tbody></table></div>
      """
  }

  /// Names of definitions that cells lead to.
  var links: [String] {
    rows.joined().compactMap { if case .defined(_, let name, _) = $0 { name } else { nil } }
  }

  private func isNumeric(_ column: Int) -> Bool {
    rows.contains { if case .number = $0[column] { true } else { false } }
  }

  static func style(_ group: Int) -> Int { group % Palette.light.groups.count + 1 }
}

extension Page.Table.Cell {
  fileprivate var decimals: Int? {
    if case .number(_, let decimals, _, _) = self { decimals } else { nil }
  }

  fileprivate func html(decimals column: Int) -> String {
    switch self {
    case .none: return "<span aria-hidden=\"true\">–</span><span class=\"hidden\">not known</span>"
    case .text(let text): return HTML.escaped(text)
    case .defined(let text, let name, let detail):
      let more = detail.isEmpty ? "" : "<span class=\"detail\">\(HTML.escaped(detail))</span>"
      return "<a href=\"#\(Page.anchor(definition: name))\">\(HTML.escaped(text))</a>\(more)"
    case .number(let value, let decimals, let error, let isBest):
      let pad = padding(column - decimals, hasPoint: decimals > 0)
      let text = Numeral.text(value, decimals: decimals) + pad
      let interval = error.map {
        "<span class=\"error\"> ± \(Numeral.text($0, decimals: decimals))\(pad)</span>"
      }
      return (isBest ? "<strong>\(text)</strong>" : text) + (interval ?? "")
    case .strip(let strip): return strip.svg
    }
  }

  /// Digits that are not seen, so that points stand under each other.
  private func padding(_ count: Int, hasPoint: Bool) -> String {
    if count <= 0 { return "" }
    let digits = (hasPoint ? "" : ".") + String(repeating: "0", count: count)
    return "<span class=\"pad\" aria-hidden=\"true\">\(digits)</span>"
  }
}

extension Page.Table.Strip {
  /// The numbers stand beside it, so screen readers pass over it.
  fileprivate var svg: String {
    let (width, step) = (120.0, 10.0)
    let height = 8 + step * Double(max(1, values.count))
    let seen = values.filter { $0.value.isFinite }
    let ends = seen.flatMap {
      [$0.value - 1.96 * ($0.error ?? 0), $0.value + 1.96 * ($0.error ?? 0)]
    }
    let span = Chart.Span([chance, ceiling] + ends) ?? Chart.Span(0, 1)
    let domain = span.low < span.high ? span.low...span.high : span.low...(span.low + 1)
    let scale = Chart.Projection(domain: domain, isLogarithmic: false, from: 6, to: width - 6)
    func place(_ value: Double) -> String { Chart.number(scale.place(value) ?? 0) }
    let middle = Chart.number(height / 2)
    var parts = [
      "<path class=\"g\" d=\"M\(place(chance)) \(middle)H\(place(ceiling))"
        + "M\(place(chance)) 2V\(Chart.number(height - 2))M\(place(ceiling)) 2V\(Chart.number(height - 2))\"/>"
    ]
    for (index, entry) in values.enumerated() where entry.value.isFinite {
      let y = Chart.number(9 + step * Double(index))
      let style = "s\(Page.Table.style(index))"
      if let error = entry.error, error.isFinite {
        parts.append(
          "<path class=\"l \(style)\" d=\"M\(place(entry.value - 1.96 * error)) \(y)"
            + "H\(place(entry.value + 1.96 * error))\"/>")
      }
      parts.append(
        "<circle class=\"b \(style)\" cx=\"\(place(entry.value))\" cy=\"\(y)\" r=\"3.5\"/>")
    }
    let size = "width=\"\(Int(width))\" height=\"\(Chart.number(height))\""
    return "<svg class=\"chart strip\" aria-hidden=\"true\" \(size) "
      + "viewBox=\"0 0 \(Int(width)) \(Chart.number(height))\">\(parts.joined())</svg>"
  }
}
