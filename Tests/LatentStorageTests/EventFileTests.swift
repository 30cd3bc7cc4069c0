// Event files beside what TensorBoard's own messages make of the same values (scripts/references/tensorboard_events.py).

import Foundation
import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct EventFileTests {
  private static let time = Date(timeIntervalSince1970: 1_700_000_000)

  private static func reference(_ names: [String]) throws -> [UInt8] {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/tensorboard-events.json")
    let records = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: url))
    return try names.flatMap { name -> [UInt8] in
      let digits = Array(try #require(records[name]).utf8)
      return try stride(from: 0, to: digits.count, by: 2).map {
        try #require(UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16))
      }
    }
  }

  @Test("Every kind of value is written byte by byte as TensorBoard writes it")
  func records() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(in: folder.path, continuingAt: 7, now: EventFileTests.time)
    let rows: [(step: Int, values: [(tag: String, value: EventValue)])] = [
      (3, [("train/loss", .scalar(1.5)), ("train/kl", .scalar(-2))]),
      (300, [("weights", .histogram(Histogram(of: [1, 1, 3, 3, .nan], bins: 2)))]),
      (1, [("note", .text("**bold**"))]), (5, []),
    ]
    for row in rows { try file.add(row.values, step: row.step, now: EventFileTests.time) }
    try file.add(
      settings: [("model", "mlp"), ("rate", "0.25")], comparedBy: ["train/loss"],
      now: EventFileTests.time)
    let expected = try EventFileTests.reference([
      "version", "restart", "scalars", "histogram", "text", "experiment", "session",
    ])
    #expect(try FileStream.contents(of: file.path, limit: 1 << 20) == expected)
  }

  @Test("A picture is a PNG of its size, and each file is a new one")
  func pictures() throws {
    let folder = try TemporaryFolder()
    let files = try (0..<2).map { _ in
      try EventFile(in: folder.path, continuingAt: 0, now: EventFileTests.time)
    }
    #expect(files[0].path != files[1].path)
    let image = NDArray([UInt8](0..<24), shape: [2, 4, 3])
    try files[0].add([("samples", .picture(image))], step: 1, now: EventFileTests.time)
    let bytes = try FileStream.contents(of: files[0].path, limit: 1 << 20)
    let png = try PNG.encode(image)
    #expect(bytes.firstRange(of: png) != nil)
    // Without a step before it no session is said to start again.
    #expect(
      try FileStream.contents(of: files[1].path, limit: 1 << 20)
        == EventFileTests.reference(["version"]))
  }

  @Test("A folder that cannot be written to is named")
  func refused() throws {
    let folder = try TemporaryFolder()
    let file = try folder.make("file", [1])
    #expect(throws: StorageError.self) { try EventFile(in: file, continuingAt: 0) }
  }

  @Test("Numbers that are all the same, or none, are a histogram too")
  func histograms() {
    #expect(Histogram(of: [2, 2], bins: 3).counts == [2, 0, 0])
    #expect(Histogram(of: [], bins: 2).counts == [0, 0])
    #expect(Histogram(of: [0, 1, 2, 3], bins: 3).counts == [1, 1, 2])
    #expect(Histogram(of: [0, 3], bins: 3).edges == [1, 2, 3])
  }
}
