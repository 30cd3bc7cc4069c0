// From a chart to SVG: room for the texts, then grid, marks, axes and names.

import Foundation

extension Chart {
  /// The chart as an element of a page that has the styles of ``Page``.
  ///
  /// - Parameter id: what no other element of the page is called; title and description are found by it.
  public func svg(id: String) -> String { svg(id: id, styles: "") }

  /// The chart as a file of its own, with its styles, for readers of SVG that know CSS variables (browsers do).
  public var svgFile: String {
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      + svg(id: "chart", styles: "<style>\(Palette.css)\n\(Chart.css)</style>") + "\n"
  }

  /// What a screen reader says of it.
  var spoken: String {
    ([summary] + marks.map(\.description)).filter { !$0.isEmpty }.joined(separator: " ")
  }

  private func svg(id: String, styles: String) -> String {
    let layout = Layout(self)
    let (title, text) = (HTML.escaped(title), HTML.escaped(spoken))
    return """
      <svg class="chart" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(height))" \
      width="\(Int(width))" height="\(Int(height))" role="img" aria-labelledby="\(id)-t \(id)-d">\
      <title id="\(id)-t">\(title)</title><desc id="\(id)-d">\(text)</desc>\(styles)
      \(layout.drawing)
      </svg>
      """
  }

  /// The style of the elements in charts.
  static let css = """
    .chart text{font:12px system-ui,sans-serif;font-variant-numeric:tabular-nums;fill:var(--muted)}
    .chart .t{font-weight:600;font-size:13.5px;fill:var(--ink)}
    .chart .g{stroke:var(--hairline);fill:none;shape-rendering:crispEdges}
    .chart .a{stroke:var(--muted);fill:none;shape-rendering:crispEdges}
    .chart .l{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
    .chart .band{fill:var(--c);fill-opacity:.18}
    .chart .b{fill:var(--c)}
    .chart .d{fill:none;stroke:var(--c);stroke-linecap:round}
    .chart .r{fill:none;stroke:var(--muted);stroke-width:1.5;stroke-dasharray:2 3}
    .chart .n{fill:var(--c);font-weight:600}
    .chart .k{fill:var(--ink);font-weight:600}
    .chart .n,.chart .k{paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
    .chart .o{fill:var(--paper)}.chart .i{fill:var(--ink)}
    .s0{--c:var(--muted)}\(
      (1...Palette.light.groups.count).map { ".s\($0){--c:var(--c\($0))}" }.joined())
    @media print{.chart{print-color-adjust:exact}}
    """

  /// A number of the drawing, to a tenth of a pixel.
  static func number(_ value: Double) -> String {
    let tenths = (value * 10).rounded()
    let whole = tenths / 10
    return whole == whole.rounded() ? String(Int(whole)) : String(format: "%.1f", whole)
  }

  /// An element of text.
  static func text(
    _ x: Double, _ y: Double, _ text: String, style: String = "", anchor: String = "start"
  ) -> String {
    let style = style.isEmpty ? "" : " class=\"\(style)\""
    let anchor = anchor == "start" ? "" : " text-anchor=\"\(anchor)\""
    return
      "<text x=\"\(number(x))\" y=\"\(number(y))\"\(style)\(anchor)>\(HTML.escaped(text))</text>"
  }

  /// About how wide a text is, in pixels, in the wider ones of usual fonts: the true width is the browser's own.
  static func width(of text: String, isBold: Bool = false) -> Double {
    Double(text.count) * 12 * (isBold ? 0.68 : 0.6)
  }
}
