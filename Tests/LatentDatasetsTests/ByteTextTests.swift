import Foundation
import LatentDatasets
import LatentNumerics
import LatentStorage
import Testing

@Suite struct ByteTextTests {
  static let bytes = (0..<1003).map { UInt8(truncatingIfNeeded: $0 * 31 + $0 / 256) }

  private func withText<Result>(_ body: (String) throws -> Result) throws -> Result {
    try withTemporaryFolder { folder in
      try write(ByteTextTests.bytes, to: "\(folder)/text")
      return try body("\(folder)/text")
    }
  }

  @Test(arguments: [1, 7, 64, 1003]) func windowsFollowOneAnother(length: Int) throws {
    try withText { path in
      let text = try ByteText(path: path, length: length)
      #expect(text.count == 1003 / length && text.inputShape == [length])
      let batch = try text.batch(0..<text.count)
      #expect(batch.inputs.dtype == .int32 && batch.inputs.shape == [text.count, length])
      let expected = ByteTextTests.bytes.prefix(text.count * length).map(Int32.init)
      #expect(batch.inputs.int32s == expected)
    }
  }

  @Test func anyOrderWithRepeats() throws {
    try withText { path in
      let text = try ByteText(path: path, length: 10)
      let indices = [99, 0, 4, 4, 50]
      let expected = indices.flatMap { index in
        ByteTextTests.bytes[(10 * index)..<(10 * index + 10)].map(Int32.init)
      }
      #expect(try text.batch(at: indices).inputs.int32s == expected)
      #expect(try text.batch(at: []).inputs.shape == [0, 10])
    }
  }

  @Test func aFileThatShrinksIsReported() throws {
    try withText { path in
      let text = try ByteText(path: path, length: 10)
      #expect(truncate(path, 15) == 0)
      #expect(try text.batch(at: [0]).count == 1)
      #expect(throws: StorageError.self) { try text.batch(at: [1]) }
    }
  }

  @Test func wrongFilesAreTypedErrors() throws {
    try withText { path in
      #expect(throws: StorageError.missing(file: path + "2")) {
        try ByteText(path: path + "2", length: 4)
      }
      #expect(throws: StorageError.self) {
        try ByteText(path: String(path.dropLast(5)), length: 4)
      }
      let short = datasetErrorText { _ = try ByteText(path: path, length: 1004) }
      #expect(
        short
          == "cannot open \(path): it holds no examples; it has 1003 bytes, an example takes 1004")
    }
  }
}
