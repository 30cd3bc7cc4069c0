// Which public symbols have no doc comment that says what they are: reads the symbol graphs below a folder, lists them as
// `file:line: module: symbol` and ends with 65 where there are any.
//
// The compiler gives an implementation the comment of the requirement that it satisfies, also one of
// the standard library, so those count only where nobody wrote one. Operators say what they do.

import Foundation

struct SymbolGraph: Decodable {
  struct Module: Decodable { let name: String }
  struct Kind: Decodable { let identifier: String }
  struct DocComment: Decodable {
    struct Line: Decodable { let text: String }
    let lines: [Line]
  }
  struct Location: Decodable {
    struct Position: Decodable { let line: Int }
    let uri: String
    let position: Position
  }
  struct Symbol: Decodable {
    let kind: Kind
    let pathComponents: [String]
    let docComment: DocComment?
    let location: Location?

    /// A list of parameters alone would leave the symbol without a summary on other pages.
    var isDocumented: Bool {
      let lines = docComment?.lines.map { $0.text.drop { $0.isWhitespace } } ?? []
      return lines.first { !$0.isEmpty }.map { !$0.hasPrefix("- ") } ?? false
    }

    /// Extensions of another module's type stand in the graph as symbols of their own.
    var needsComment: Bool { !["swift.func.op", "swift.extension"].contains(kind.identifier) }
  }
  let module: Module
  let symbols: [Symbol]
}

guard CommandLine.arguments.count == 2 else {
  FileHandle.standardError.write(Data("usage: swift undocumented.swift FOLDER\n".utf8))
  exit(64)
}
let folder = URL(fileURLWithPath: CommandLine.arguments[1])
let names = (FileManager.default.enumerator(atPath: folder.path)?.allObjects ?? [])
  .compactMap { $0 as? String }.filter { $0.hasSuffix(".symbols.json") }.sorted()
var (checked, missing) = (0, [String]())
for name in names {
  let data = try Data(contentsOf: folder.appendingPathComponent(name))
  let graph = try JSONDecoder().decode(SymbolGraph.self, from: data)
  for symbol in graph.symbols where symbol.needsComment {
    checked += 1
    if symbol.isDocumented { continue }
    let place = symbol.location.map { location in
      let path = location.uri.replacing("file://", with: "")
      return "\(path.split(separator: "/Sources/").last ?? ""):\(location.position.line + 1)"
    }
    let path = symbol.pathComponents.joined(separator: ".")
    missing.append("\(place ?? "?"): \(graph.module.name): \(path)")
  }
}
for line in missing.sorted() { print(line) }
guard checked > 0, missing.isEmpty else {
  print("\(missing.count) of \(checked) public symbols have no doc comment")
  exit(65)
}
print("\(checked) public symbols have doc comments")
