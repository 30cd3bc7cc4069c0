// Tables of numbers as text: the shortest digits that read back as the same number, a point as
// decimal sign in every locale.

import LatentNumerics

/// Writes CSV files.
public enum CSV {
  /// The text of a table, lines ended by a line feed, the first one with the column names.
  ///
  /// - Parameter table: `[rows, columns]`, any type.
  /// - Throws: `StorageError.notStorable` when the names do not match the columns.
  public static func encode(_ table: NDArray, columns: [String]) throws -> [UInt8] {
    guard table.shape.rank == 2, table.shape[1] == columns.count else {
      throw StorageError.notStorable(
        name: "a CSV table", found: "shape \(table.shape) with \(columns.count) column names",
        expected: "[rows, columns] with a name for each column")
    }
    var bytes: [UInt8] = []
    bytes.append(contentsOf: columns.map(quoted).joined(separator: [UInt8(ascii: ",")]))
    bytes.append(10)
    switch table.dtype {
    case .float32, .bfloat16, .int8: append(table.inPlainType, of: Float.self, to: &bytes)
    case .float64: append(table, of: Double.self, to: &bytes)
    case .int32: append(table, of: Int32.self, to: &bytes)
    case .uint8: append(table, of: UInt8.self, to: &bytes)
    }
    return bytes
  }

  /// Writes a table atomically; see ``encode(_:columns:)``.
  ///
  /// - Throws: `StorageError.notStorable` or `.cannotWrite`.
  public static func write(_ table: NDArray, columns: [String], to path: String) throws {
    try AtomicFile.write(encode(table, columns: columns), to: path)
  }

  private static func append<Number: ArrayElement & CustomStringConvertible>(
    _ table: NDArray, of type: Number.Type, to bytes: inout [UInt8]
  ) {
    let width = table.shape[1]
    table.withUnsafeElements(of: type) { numbers in
      for (index, number) in numbers.enumerated() {
        bytes.append(contentsOf: number.description.utf8)
        bytes.append((index + 1) % width == 0 ? 10 : UInt8(ascii: ","))
      }
    }
  }

  /// A name, between quotes where it has commas, quotes or line ends (RFC 4180). Byte by byte: to
  /// Swift "\r\n" is one character, and so is a quote with an accent.
  private static func quoted(_ name: String) -> [UInt8] {
    let special = name.utf8.contains { ",\"\n\r".utf8.contains($0) }
    guard special else { return Array(name.utf8) }
    let quote = UInt8(ascii: "\"")
    return [quote] + name.utf8.flatMap { $0 == quote ? [quote, quote] : [$0] } + [quote]
  }
}
