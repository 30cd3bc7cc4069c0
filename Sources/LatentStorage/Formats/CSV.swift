// Tables as comma-separated values (RFC 4180), numbers as short as they still read back the same.

import LatentNumerics

/// Writes tables.
public enum CSV {
  /// The table `[rows, columns]` as text with a line of names first.
  ///
  /// - Throws: `StorageError.notStorable` when names and columns differ in number.
  public static func encoded(_ table: NDArray, columns: [String]) throws -> String {
    guard table.shape.rank == 2, table.shape[1] == columns.count else {
      throw StorageError.notStorable(
        name: "a table", found: "shape \(table.shape) with \(columns.count) names",
        expected: "[rows, \(columns.count)]")
    }
    let isFloat = table.dtype == .float32
    let floats = isFloat ? table.floats : []
    let doubles = isFloat ? [] : table.doubles
    var lines = [columns.map(field).joined(separator: ",")]
    for row in 0..<table.shape[0] {
      let range = (row * columns.count)..<((row + 1) * columns.count)
      lines.append(
        range.map { isFloat ? text("\(floats[$0])") : text("\(doubles[$0])") }
          .joined(separator: ","))
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Writes the table atomically.
  ///
  /// - Throws: `StorageError.cannotWrite`, `.notStorable`.
  public static func write(_ table: NDArray, columns: [String], to path: String) throws {
    try AtomicFile.write(Array(try encoded(table, columns: columns).utf8), to: path)
  }

  private static func text(_ number: String) -> String {
    number.hasSuffix(".0") ? String(number.dropLast(2)) : number
  }

  private static func field(_ name: String) -> String {
    let isPlain = !name.contains { $0 == "," || $0 == "\"" || $0 == "\n" || $0 == "\r" }
    return isPlain ? name : "\"" + name.replacing("\"", with: "\"\"") + "\""
  }
}
