// From a page to its file.

import Foundation
import LatentNumerics

extension Page {
  /// The whole file.
  public var html: String {
    let all = sections + definitionSection
    let anchors = Page.anchors(all.map(\.title))
    let known = Set(definitions.map(\.name))
    for case .table(let table) in sections.flatMap(\.blocks) {
      let missing = table.links.filter { !known.contains($0) }
      require(
        missing.isEmpty,
        "table '\(table.caption)': no definition of \(missing.joined(separator: ", "))")
    }
    var writer = Writer()
    let contents = zip(all, anchors).map { section, anchor in
      "<li><a href=\"#\(anchor)\">\(HTML.escaped(section.title))</a></li>"
    }
    var parts: [String] = []
    for (index, section) in sections.enumerated() {
      let blocks = section.blocks.map { writer.html($0) }
      parts.append(Page.section(section.title, anchors[index], blocks))
    }
    if !definitions.isEmpty {
      parts.append(
        Page.section("Definitions", anchors[sections.count], definitions.map(Page.html)))
    }
    let below = subtitle.isEmpty ? "" : "<p class=\"subtitle\">\(HTML.escaped(subtitle))</p>"
    return """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <title>\(HTML.escaped(title))</title>
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
      <link rel="icon" href="data:,">
      <style>
      \(Palette.css)
      \(Chart.css)
      \(Page.css)
      </style>
      </head>
      <body>
      <a class="skip" href="#content">Skip to the content</a>
      <div class="page">
      <header><h1>\(HTML.escaped(title))</h1>\(below)</header>
      <nav aria-label="Contents"><ol>\(contents.joined())</ol></nav>
      <main id="content" tabindex="-1">
      \(parts.joined(separator: "\n"))
      </main>
      </div>
      </body>
      </html>

      """
  }

  /// Where a definition is found.
  static func anchor(definition name: String) -> String { "definition-\(name)" }

  /// Words of titles, joined; of equal ones the second has a number.
  static func anchors(_ titles: [String]) -> [String] {
    var count: [String: Int] = [:]
    return titles.map { title in
      let words = title.lowercased().split { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
      let name = (["section"] + words.map(String.init)).joined(separator: "-")
      count[name, default: 0] += 1
      let number = count[name] ?? 1
      return number == 1 ? name : "\(name)-\(number)"
    }
  }

  private var definitionSection: [Section] {
    definitions.isEmpty ? [] : [Section("Definitions", [])]
  }

  private static func section(_ title: String, _ anchor: String, _ blocks: [String]) -> String {
    """
    <section id="\(anchor)" aria-labelledby="\(anchor)-h">
    <h2 id="\(anchor)-h">\(HTML.escaped(title))</h2>
    \(blocks.joined(separator: "\n"))
    </section>
    """
  }

  private static func html(_ definition: Definition) -> String {
    """
    <article class="definition" id="\(anchor(definition: definition.name))">
    <h3>\(HTML.escaped(definition.title))</h3>
    <p>\(HTML.escaped(definition.text))</p>
    \(list(definition.facts))
    </article>
    """
  }

  private static func list(_ facts: [(name: String, value: String)]) -> String {
    if facts.isEmpty { return "" }
    let rows = facts.map {
      "<div><dt>\(HTML.escaped($0.name))</dt><dd>\(HTML.escaped($0.value))</dd></div>"
    }
    return "<dl class=\"facts\">\n\(rows.joined(separator: "\n"))\n</dl>"
  }

  /// Writes blocks and numbers what needs an identity.
  private struct Writer {
    private var count = 0

    private mutating func identity(_ kind: String) -> String {
      count += 1
      return "\(kind)-\(count)"
    }

    mutating func html(_ block: Block) -> String {
      switch block {
      case .text(let text): return "<p>\(HTML.escaped(text))</p>"
      case .note(let text): return "<p class=\"note\">\(HTML.escaped(text))</p>"
      case .highlights(let list):
        let items = list.map {
          "<div><dt>\(HTML.escaped($0.label))</dt><dd>\(HTML.escaped($0.value))</dd></div>"
        }
        return "<dl class=\"highlights\">\(items.joined())</dl>"
      case .facts(let facts): return Page.list(facts)
      case .figures(let figures):
        var items: [String] = []
        for figure in figures { items.append(html(figure)) }
        return "<div class=\"figures\">\n\(items.joined(separator: "\n"))\n</div>"
      case .table(let table): return table.html(id: identity("table"))
      case .code(let text, let caption):
        let label = HTML.escaped(caption)
        return "<figure><pre role=\"region\" aria-label=\"\(label)\" tabindex=\"0\">"
          + "\(HTML.escaped(text))</pre><figcaption>\(label)</figcaption></figure>"
      }
    }

    private mutating func html(_ figure: Figure) -> String {
      let content: String
      switch figure.content {
      case .chart(let chart): content = chart.svg(id: identity("chart"))
      case .picture(let picture, let text): content = image(picture, picture.png, text)
      case .animation(let animation, let text):
        // The switch comes first, so that styles can tell by it which of the two is shown.
        let id = identity("hold")
        content =
          "<div class=\"animation\"><input type=\"checkbox\" id=\"\(id)\">"
          + "<label for=\"\(id)\">Hold still</label>"
          + image(animation.still, animation.png, text, style: "moving")
          + image(animation.still, animation.still.png, "\(text) (held still)", style: "held")
          + "</div>"
      }
      let caption =
        figure.caption.isEmpty ? "" : "<figcaption>\(HTML.escaped(figure.caption))</figcaption>"
      return "<figure>\(content)\(caption)</figure>"
    }

    private func image(
      _ size: PictureGrid, _ bytes: [UInt8], _ text: String, style: String = ""
    ) -> String {
      let style = style.isEmpty ? "" : " class=\"\(style)\""
      return "<img\(style) alt=\"\(HTML.escaped(text))\" width=\"\(size.width)\" "
        + "height=\"\(size.height)\" src=\"data:image/png;base64,\(Data(bytes).base64EncodedString())\">"
    }
  }
}
