// NPY, NumPy's format for one array (NEP 1; versions 1, 2 and 3): magic, version, a header of
// text, the elements.

import LatentNumerics

/// Reads and writes NPY files.
public enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The element types of the format that are read, and how.
  private static let types: [String: (size: Int, dtype: DType)] = [
    "f4": (4, .float32), "f8": (8, .float64), "i4": (4, .int32), "i8": (8, .int32),
    "u1": (1, .uint8), "b1": (1, .uint8),
  ]

  /// Reads an NPY file.
  ///
  /// Types `f4`, `f8`, `i4`, `u1` are read as they are, in either byte order; `i8` as int32 where
  /// all elements fit; `b1` as uint8 of 0 and 1, which `contents(of:)` tells from `u1`. Fortran
  /// order is turned into row-major order.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.damaged` for contents that
  ///   contradict the format, `.unsupported` for other types, Python objects among them.
  public static func read(_ path: String) throws -> NDArray { try contents(of: path).array }

  /// What an NPY file holds.
  public struct Contents: Sendable, Equatable {
    public let array: NDArray
    /// Whether the elements are truth values (`b1`), uint8 of 0 and 1 in `array`.
    public let isBoolean: Bool
  }

  /// Reads an NPY file as `read(_:)` does, and tells booleans from bytes.
  public static func contents(of path: String) throws -> Contents {
    var stream = try FileStream(path: path)
    return try contents(of: &stream)
  }

  /// Reads the bytes of an NPY file.
  public static func decode(
    _ bytes: [UInt8], source: String = "NPY in memory"
  ) throws -> NDArray {
    try bytes.withUnsafeBytes { bytes in
      var stream = MemoryStream(bytes, name: source)
      return try contents(of: &stream).array
    }
  }

  /// Writes an array atomically, in version 1 and little-endian order, as NumPy does.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  public static func write(_ array: NDArray, to path: String) throws {
    try AtomicFile.write(encode(array), to: path)
  }

  /// The bytes of an NPY file: those that NumPy's `save` writes. Weights of low precision are written
  /// as the float32 numbers that they stand for.
  public static func encode(_ array: NDArray) -> [UInt8] {
    let array = array.inPlainType
    let extents = array.shape.dimensions
    let list = extents.map(String.init).joined(separator: ", ")
    let tuple = extents.count == 1 ? "(\(list),)" : "(\(list))"
    let text = "{'descr': '\(descr(of: array.dtype))', 'fortran_order': False, 'shape': \(tuple), }"
    // NumPy leaves room for the first extent to grow, then fills up to a multiple of 64.
    let growth = extents.isEmpty ? 0 : max(0, 21 - String(extents[0]).utf8.count)
    let unpadded = magic.count + 4 + text.utf8.count + growth + 1
    let padding = growth + (64 - unpadded % 64)
    var bytes = magic + [1, 0]
    bytes.append(littleEndian: UInt16(text.utf8.count + padding + 1))
    bytes.append(contentsOf: text.utf8)
    bytes.append(contentsOf: repeatElement(32, count: padding))
    bytes.append(10)
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return bytes
  }

  private static func descr(of dtype: DType) -> String {
    switch dtype {
    case .float32, .bfloat16, .int8: "<f4"
    case .float64: "<f8"
    case .int32: "<i4"
    case .uint8: "|u1"
    }
  }

  private static func readHeader(_ stream: inout some ByteStream) throws -> NPYHeader {
    let name = stream.name
    let start = try stream.bytes(8, place: "the header")
    guard start.starts(with: magic) else {
      throw StorageError.damaged(
        file: name, place: "the magic number", found: hex(start[..<6]), expected: hex(magic))
    }
    guard (1...3).contains(start[6]), start[7] == 0 else {
      throw StorageError.unsupported(
        file: name, place: "the version", found: "\(start[6]).\(start[7])",
        expected: "1.0, 2.0 or 3.0")
    }
    let lengthBytes = try stream.bytes(start[6] == 1 ? 2 : 4, place: "the header")
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= min(StorageLimits.npyHeaderBytes, stream.upperBound) else {
      throw StorageError.damaged(
        file: name, place: "the header's length", found: "\(length)",
        expected: "at most \(min(StorageLimits.npyHeaderBytes, stream.upperBound))")
    }
    do {
      return try NPYHeader(parsing: try stream.bytes(length, place: "the header"))
    } catch let problem as NPYHeader.Malformed {
      throw StorageError.damaged(
        file: name, place: "the header, character \(problem.offset)", found: problem.found,
        expected: problem.expected)
    }
  }

  private static func contents(of stream: inout some ByteStream) throws -> Contents {
    let name = stream.name
    let header = try readHeader(&stream)
    guard let order = header.descr.first, "<>|=".contains(order),
      let (size, dtype) = types[String(header.descr.dropFirst())], size == 1 || order != "|"
    else {
      throw StorageError.unsupported(
        file: name, place: "the element type",
        found: header.descr.contains("O") ? "Python objects" : "'\(header.descr)'",
        expected: "f4, f8, i4, i8, u1 or b1")
    }
    guard header.shape.count <= StorageLimits.rank,
      let bytes = checkedProduct(header.shape + [size]), bytes == stream.upperBound
    else {
      throw StorageError.damaged(
        file: name, place: "the header", found: "shape \(header.shape) of '\(header.descr)'",
        expected: "at most \(StorageLimits.rank) axes and \(stream.upperBound) bytes of elements")
    }
    // In Fortran order the first axis is the fastest: the same bytes with the axes reversed.
    let shape = Shape(header.fortranOrder ? header.shape.reversed() : header.shape)
    let isBoolean = header.descr.hasSuffix("b1")
    let stored: NDArray
    if header.descr.hasSuffix("i8") {
      stored = try readWide(&stream, shape, swapped: order == ">")
    } else {
      stored = try NDArray(shape: shape, dtype) { buffer in
        try stream.fill(buffer, place: "the elements")
        if order == ">" { buffer.reverseBytes(size: size) }
        // As in NumPy, every byte but 0 is true.
        if isBoolean { for index in buffer.indices where buffer[index] > 1 { buffer[index] = 1 } }
      }
    }
    try stream.expectEnd(after: "shape \(header.shape)")
    let array =
      header.fortranOrder && shape.rank > 1
      ? stored.permuted(Array((0..<shape.rank).reversed())) : stored
    return Contents(array: array, isBoolean: isBoolean)
  }

  private static func readWide(
    _ stream: inout some ByteStream, _ shape: Shape, swapped: Bool
  ) throws -> NDArray {
    var wide = [Int64](repeating: 0, count: shape.count)
    try wide.withUnsafeMutableBytes { buffer in
      try stream.fill(buffer, place: "the elements")
      if swapped { buffer.reverseBytes(size: 8) }
    }
    let name = stream.name
    return try NDArray(narrowing: wide, shape: shape) { index, value in
      .unsupported(
        file: name, place: "element \(index)", found: "\(value)",
        expected: "integers that fit 32 bits")
    }
  }
}
