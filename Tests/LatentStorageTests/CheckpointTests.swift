// What goes in comes out, in the same bytes every time, and nothing else comes out.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct CheckpointTests {
  @Test(arguments: DType.arithmetic + [.bfloat16])
  func everyShapeComesBack(dtype: DType) throws {
    var random = Random(seed: 1)
    var checkpoint = Checkpoint()
    for (index, shape) in Samples.shapes.enumerated() {
      checkpoint.arrays["a/\(index)"] = NDArray(randomBits: shape, dtype, &random)
    }
    let decoded = try Checkpoint(decoding: checkpoint.encoded())
    #expect(decoded == checkpoint)
  }

  @Test(arguments: [
    "", "a", "Größe, 尺寸", "line\nline\t", "{\"a\": [1, 2]}", String(repeating: "x", count: 32_768),
    String(repeating: "ä", count: 50_000),
  ])
  func everyTextComesBack(text: String) throws {
    let checkpoint = Checkpoint(texts: ["text": text])
    #expect(try Checkpoint(decoding: checkpoint.encoded()) == checkpoint)
  }

  @Test func nothingIsAContentToo() throws {
    #expect(try Checkpoint(decoding: Checkpoint().encoded()) == Checkpoint())
  }

  @Test func manyNamesComeBack() throws {
    var checkpoint = Checkpoint()
    for index in 0..<3_000 {
      checkpoint.arrays["model/layer\(index % 50)/p\(index)"] = NDArray([Int32(index)])
    }
    #expect(try Checkpoint(decoding: checkpoint.encoded()) == checkpoint)
  }

  @Test func sameContentsSameBytes() throws {
    let bytes = try Samples.checkpoint().encoded()
    for _ in 0..<20 {
      // A dictionary built anew has another order.
      var other = Checkpoint()
      for (name, array) in Samples.checkpoint().arrays.shuffled() { other.arrays[name] = array }
      for (name, text) in Samples.checkpoint().texts.shuffled() { other.texts[name] = text }
      #expect(try other.encoded() == bytes)
    }
  }

  @Test func filesAreReadAndReplaced() throws {
    let folder = try TemporaryFolder()
    let path = folder.file("c.h5")
    try Samples.checkpoint().write(to: path)
    #expect(try Checkpoint(contentsOf: path) == Samples.checkpoint())
    try Checkpoint(texts: ["a": "b"]).write(to: path)
    #expect(try Checkpoint(contentsOf: path).texts == ["a": "b"])
    #expect(try Folder.names(in: folder.path) == ["c.h5"])
  }

  @Test func concurrentUseIsSafe() async throws {
    let bytes = try Samples.checkpoint().encoded()
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask {
          let decoded = try Checkpoint(decoding: bytes)
          return try decoded.encoded() == bytes
        }
      }
      for try await same in group { #expect(same) }
    }
  }

  @Test(arguments: [
    ("", "empty"), ("/a", "empty"), ("a/", "empty"), ("a//b", "empty"), (".", "dot"),
    ("a/../b", "dot"), ("a\u{0}b", "control"), ("a\nb", "control"),
    (String(repeating: "n", count: 1025), "1025 bytes"),
    (Array(repeating: "g", count: 33).joined(separator: "/"), "33 parts"),
  ])
  func badNamesAreRefused(name: String, says: String) throws {
    let error = storageError { _ = try Checkpoint(texts: [name: "x"]).encoded() }
    #expect(error?.kind == .cannotWrite)
    #expect("\(error as Any)".contains(says))
  }

  @Test func clashesOfNamesAreRefused() throws {
    let array = NDArray([1] as [Float])
    storageError { _ = try Checkpoint(arrays: ["a": array], texts: ["a": "x"]).encoded() }
    storageError { _ = try Checkpoint(arrays: ["a": array, "a/b": array]).encoded() }
    let error = storageError { _ = try Checkpoint(texts: ["t": "a\u{0}b"]).encoded() }
    #expect(
      error
        == .notStorable(name: "t", found: "a text with a zero character", expected: "none"))
  }
}
