import Foundation
import LatentNumerics
import Testing

@testable import LatentFigures

@Suite struct PageTests {
  static func page() throws -> Page {
    let pixels = NDArray((0..<48).map { Float($0) / 47 }, shape: [3, 4, 4, 1])
    let table = Page.Table(
      caption: "Scores",
      columns: [.init("measured"), .init("run", group: 1), .init("n"), .init("")],
      rows: [
        [
          .defined("Gap <1>", by: "gap", detail: "higher"), .number(0.5, decimals: 2, error: 0.01),
          .none, .text("&"),
        ],
        [
          .defined("Count", by: "count"), .number(12, decimals: 0, isBest: true),
          .number(3, decimals: 1),
          .strip(.init([(0.5, 0.1), (0.7, nil)], chance: 0, ceiling: 1)),
        ],
      ])
    return Page(
      title: "Run <one>", subtitle: "Under it",
      sections: [
        .init(
          "First part",
          [
            .text("A & B"), .note("Odd"), .highlights([.init("3", "things")]), .facts([("a", "b")]),
            .table(table), .code("x <y>", caption: "Texts"),
          ]),
        .init(
          "First part",
          [
            .figures([
              .init(
                .picture(try PictureGrid(pixels, columns: 3), alternative: "Three"),
                caption: "Three pictures"),
              .init(
                .animation(try Animation([pixels, pixels], columns: 3), alternative: "Moving"),
                caption: ""),
              .init(
                .chart(
                  Chart(
                    "C", x: .init("x"), y: .init("y"), marks: [Chart.Line("l", [(0, 1), (1, 2)])])),
                caption: "c"),
            ])
          ]),
      ],
      definitions: [
        .init("gap", title: "Gap", text: "max − second", facts: [("unit", "share")]),
        .init("count", title: "Count", text: "how many"),
      ])
  }

  /// HTML whose empty elements are closed is XML.
  private func tree(_ html: String) throws -> Element {
    var text = html.replacingOccurrences(of: "<!DOCTYPE html>\n", with: "")
    for name in ["meta", "link", "img", "input"] {
      text = text.replacing(try Regex("<\(name)([^>]*)>")) { match in
        "<\(name)\(match.output[1].substring ?? "")/>"
      }
    }
    // Style sheets are no text of the page.
    text = text.replacing(/<style>[^<]*<\/style>/, with: "")
    return try parsed(text)
  }

  @Test("Elements are closed, identities unique, and links lead somewhere")
  func structure() throws {
    let root = try tree(try PageTests.page().html)
    let identities = root.all.compactMap { $0.attributes["id"] }
    #expect(Set(identities).count == identities.count)
    let links = root.all("a").compactMap { $0.attributes["href"] }
    #expect(links.count == 1 + 3 + 2)
    for link in links { #expect(identities.contains(String(link.dropFirst())), "\(link)") }
    for element in root.all {
      for name in ["aria-labelledby", "for"] {
        for target in (element.attributes[name] ?? "").split(separator: " ") {
          #expect(identities.contains(String(target)))
        }
      }
    }
    #expect(root.all("img").allSatisfy { $0.attributes["alt"]?.isEmpty == false })
    #expect(
      root.all("img").allSatisfy {
        $0.attributes["src"]?.hasPrefix("data:image/png;base64,") == true
      })
    #expect(
      root.all.filter { ["h1", "h2", "h3"].contains($0.name) }.map(\.name) == [
        "h1", "h2", "h2", "h2", "h3", "h3",
      ])
    #expect(root.all("th").allSatisfy { $0.attributes["scope"] != nil })
  }

  @Test("Text is shown and never read, and nothing is fetched")
  func texts() throws {
    let html = try PageTests.page().html
    #expect(html.contains("<h1>Run &lt;one&gt;</h1>") && html.contains("x &lt;y&gt;"))
    #expect(html.contains("default-src 'none'") && !html.contains("<script"))
    let addresses = html.matches(of: /https?:\/\/[^"' )<]*/).map { String($0.output) }
    #expect(Set(addresses) == ["http://www.w3.org/2000/svg"])
  }

  @Test("Numbers of a column stand under each other by their points")
  func alignment() throws {
    let html = try PageTests.page().html
    #expect(html.contains("0.50<span class=\"error\"> ± 0.01</span>"))
    #expect(html.contains("<strong>12<span class=\"pad\" aria-hidden=\"true\">.00</span></strong>"))
  }

  @Test("Anchors are words, and titles that repeat are numbered")
  func anchors() {
    #expect(
      Page.anchors(["What it makes", "What it makes", "§ 1"])
        == ["section-what-it-makes", "section-what-it-makes-2", "section-1"])
  }
}
