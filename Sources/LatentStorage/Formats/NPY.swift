// NPY, NumPy's format for one array (NEP 1; versions 1, 2 and 3): magic, version, a header of
// text, the elements.

import LatentNumerics

/// Reads and writes NPY files.
public enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads an NPY file.
  ///
  /// All of NumPy's number types but long doubles and complex numbers are read, in either byte order
  /// and either order of axes, and keep their values: `f2` and `f4` become float32, `f8` float64, `u1`
  /// uint8, other integers int32, where 32 and 64 bit ones must fit; `b1` becomes uint8 of 0 and 1, which
  /// `contents(of:)` tells from `u1`. Of several arrays that were saved into one file the first is
  /// read, as NumPy does.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.otherFormat` for a file of
  ///   another format, `.damaged` for contents that contradict this one, `.unsupported` for elements
  ///   that are no such numbers.
  public static func read(_ path: String) throws -> NDArray { try contents(of: path).array }

  /// What an NPY file holds.
  public struct Contents: Sendable, Equatable {
    /// The numbers, as their nearest type that the library has.
    public let array: NDArray
    /// Whether the elements are truth values (`b1`), uint8 of 0 and 1 in `array`.
    public let isBoolean: Bool
    /// Whether further arrays follow, which are not read.
    public let isFollowed: Bool
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
    let start = try stream.prefix(8)
    guard start.starts(with: magic) else {
      throw StorageError.notOfFormat(
        start + (try stream.prefix(FileKind.prefixBytes - 8)), file: name,
        expected: "a NumPy array (.npy)", magic: hex(magic))
    }
    guard start.count == 8 else {
      throw StorageError.damaged(
        file: name, place: "the header", found: "the end after \(start.count) bytes",
        expected: "8 bytes and more")
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
    let type: NPYElementType
    do throws(NPYElementType.Foreign) {
      type = try NPYElementType(header.descr)
    } catch {
      throw StorageError.unsupported(
        file: name, place: "the elements", found: error.found, expected: error.expected)
    }
    guard header.shape.count <= StorageLimits.rank,
      let bytes = checkedProduct(header.shape + [type.number.size]), bytes <= stream.upperBound
    else {
      throw StorageError.damaged(
        file: name, place: "the header", found: "shape \(header.shape) of '\(header.descr.text)'",
        expected: "at most \(StorageLimits.rank) axes and \(stream.upperBound) bytes of elements")
    }
    // In Fortran order the first axis is the fastest: the same bytes with the axes reversed.
    let shape = Shape(header.fortranOrder ? header.shape.reversed() : header.shape)
    let stored = try type.number.read(from: &stream, shape: shape, bigEndian: type.isBigEndian)
    // What follows is either another array or a sign that the header does not belong to the file.
    let rest = try stream.prefix(magic.count)
    guard rest.isEmpty || rest == magic else {
      throw StorageError.damaged(
        file: name, place: "the end", found: "more bytes after shape \(header.shape)",
        expected: "none, or another array")
    }
    let array =
      header.fortranOrder && shape.rank > 1
      ? stored.permuted(Array((0..<shape.rank).reversed())) : stored
    return Contents(array: array, isBoolean: type.number == .b1, isFollowed: !rest.isEmpty)
  }
}
