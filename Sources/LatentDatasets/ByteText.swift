// Text as bytes, without a tokenizer: 256 values that every language and encoding has (Xue et al.
// 2022 show that models of bytes keep up).

import LatentNumerics
import LatentStorage

/// A file cut into windows of `length` bytes, field `inputs` as int32 `[batch, length]`.
///
/// The windows follow one another without overlap, and bytes after the last whole one are left out.
/// A batch reads its own windows only, so that the file may be larger than memory.
public struct ByteText: Dataset {
  /// The file.
  public let path: String
  /// Bytes of an example.
  public let length: Int
  public let count: Int
  private let file: ByteFile

  /// Throws `DatasetError.empty` for a file shorter than one window, and `StorageError` for one
  /// that is absent or unreadable. Traps unless `length` is positive.
  public init(
    path: String, length: Int, file location: StaticString = #fileID, line: UInt = #line
  ) throws {
    require(length > 0, "text in windows of \(length) bytes", file: location, line: line)
    file = try ByteFile(path: path)
    self.path = path
    self.length = length
    count = file.size / length
    if count == 0 {
      throw DatasetError.empty(
        path: path, hint: "it has \(file.size) bytes, an example takes \(length)")
    }
  }

  public var name: String { path.lastPathComponent }
  public var fieldShapes: [String: Shape] { [Field.inputs: [length]] }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let bytes = try NDArray(shape: [indices.count, length], .uint8) { buffer in
      for (row, index) in indices.enumerated() {
        try file.read(
          from: index * length,
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[(row * length)...].prefix(length)))
      }
    }
    return Batch(fields: [Field.inputs: bytes.converted(to: .int32)], indices: indices)
  }
}
