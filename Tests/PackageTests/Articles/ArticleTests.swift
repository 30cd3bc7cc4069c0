// Code in the articles of the reference is compiled and run: each block of Swift stands in a file of
// this folder, word for word.

import Foundation
import Testing

@Suite struct ArticleTests {
  static let articles = Checkout.files(below: "Sources", ending: ".md")
    .filter { $0.contains(".docc/") }

  /// Lines without indentation, empty ones and imports left out.
  private func essence(_ text: some StringProtocol) -> String {
    text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
      .filter { !$0.isEmpty && !$0.hasPrefix("import ") }.joined(separator: "\n")
  }

  @Test("Every block of Swift in an article is code of these tests", arguments: articles)
  func blocksAreTested(article: String) throws {
    let tested = try Checkout.files(below: "Tests/PackageTests/Articles", ending: ".swift")
      .map { essence(try Checkout.text($0)) }
    let blocks = try Checkout.text(article).components(separatedBy: "```swift\n").dropFirst()
      .compactMap { $0.components(separatedBy: "```").first }
    for block in blocks {
      let isTested = tested.contains { $0.contains(essence(block)) }
      #expect(isTested, "\(article) has code that no test has:\n\(block)")
    }
  }

  @Test("There are articles, and modules have catalogues")
  func catalogues() throws {
    #expect(ArticleTests.articles.count > 20)
    for (module, _) in HouseTests.house {
      #expect(ArticleTests.articles.contains("Sources/\(module)/\(module).docc/\(module).md"))
    }
  }
}

/// Runs `body` with the path of an empty folder and removes it afterwards.
func withFolder(_ body: (String) throws -> Void) throws {
  let url = FileManager.default.temporaryDirectory
    .appendingPathComponent("latent-articles-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  try body(url.path)
}
