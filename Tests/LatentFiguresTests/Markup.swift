// Markup taken apart by a parser that is not ours.

import Foundation
import FoundationXML
import Testing

/// An element with its attributes and what is inside.
final class Element {
  let name: String
  let attributes: [String: String]
  var children: [Element] = []
  var text = ""

  init(_ name: String, _ attributes: [String: String]) {
    self.name = name
    self.attributes = attributes
  }

  /// This and everything inside.
  var all: [Element] { [self] + children.flatMap(\.all) }
  func all(_ name: String) -> [Element] { all.filter { $0.name == name } }
}

/// Well-formed XML as a tree; a failure where it is none.
func parsed(_ xml: String) throws -> Element {
  final class Reader: NSObject, XMLParserDelegate {
    var open: [Element] = [Element("document", [:])]
    func parser(
      _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
      qualifiedName: String?, attributes: [String: String]
    ) {
      let element = Element(name, attributes)
      open[open.count - 1].children.append(element)
      open.append(element)
    }
    func parser(
      _ parser: XMLParser, didEndElement name: String, namespaceURI: String?, qualifiedName: String?
    ) { open.removeLast() }
    func parser(_ parser: XMLParser, foundCharacters text: String) {
      open[open.count - 1].text += text
    }
  }
  let parser = XMLParser(data: Data(xml.utf8))
  let reader = Reader()
  parser.delegate = reader
  #expect(parser.parse(), "line \(parser.lineNumber): \(parser.parserError.map { "\($0)" } ?? "")")
  return try #require(reader.open[0].children.first)
}
