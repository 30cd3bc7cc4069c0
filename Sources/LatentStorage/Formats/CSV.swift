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
    bytes.append(contentsOf: columns.map(quoted).joined(separator: ",").utf8)
    bytes.append(10)
    switch table.dtype {
    case .float32: table.withUnsafeElements(of: Float.self) { append($0, columns.count, to: &bytes) }
    case .float64: table.withUnsafeElements(of: Double.self) { append($0, columns.count, to: &bytes) }
    case .int32: table.withUnsafeElements(of: Int32.self) { append($0, columns.count, to: &bytes) }
    case .uint8: table.withUnsafeElements(of: UInt8.self) { append($0, columns.count, to: &bytes) }
    }
    return bytes
  }

  /// Writes a table atomically; see ``encode(_:columns:)``.
  ///
  /// - Throws: `StorageError.notStorable` or `.cannotWrite`.
  public static func write(_ table: NDArray, columns: [String], to path: String) throws {
    try AtomicFile.write(encode(table, columns: columns), to: path)
  }

  private static func append<Number: CustomStringConvertible>(
    _ numbers: UnsafeBufferPointer<Number>, _ width: Int, to bytes: inout [UInt8]
  ) {
    guard width > 0 else { return }
    for (index, number) in numbers.enumerated() {
      bytes.append(contentsOf: number.description.utf8)
      bytes.append((index + 1) % width == 0 ? 10 : UInt8(ascii: ","))
    }
  }

  /// A name, between quotes where it has commas, quotes or line ends (RFC 4180).
  private static func quoted(_ name: String) -> String {
    let special = name.unicodeScalars.contains { [",", "\"", "\n", "\r"].contains($0) }
    return special ? "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\"" : name
  }
}
