// IDX, the format of the MNIST files (LeCun): two zero bytes, a type code, the number of axes, the
// extents as big-endian 32-bit numbers, the elements big-endian. Sixteen bytes can claim 10^28
// elements, so the claim is compared with the file before anything is allocated.

import LatentNumerics

/// Reads and writes IDX files, plain or gzip-compressed.
public enum IDX {
  /// Reads an IDX file; gzip is recognised by its first bytes, not by the name.
  ///
  /// Unsigned bytes become uint8, other integers int32, floats float32 and float64: all types of the
  /// format.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.otherFormat` for a file of
  ///   another format, `.damaged` for contents that contradict their header or do not end where it
  ///   says, `.unsupported` for other type codes.
  public static func read(_ path: String) throws -> NDArray {
    var file = try FileStream(path: path)
    let start = try file.bytes(min(2, file.size), place: "the header")
    try file.rewind()
    guard start == Gzip.magic else { return try read(from: &file, recount: nil) }
    var stream = GzipStream(file)
    return try read(from: &stream) { limit in
      var again = GzipStream(try FileStream(path: path))
      return try again.countBytes(limit: limit)
    }
  }

  /// Reads the bytes of an IDX file, plain or compressed.
  public static func decode(
    _ bytes: [UInt8], source: String = "IDX in memory"
  ) throws -> NDArray {
    try bytes.withUnsafeBytes { bytes in
      var stream = MemoryStream(bytes, name: source)
      guard bytes.starts(with: Gzip.magic) else {
        return try read(from: &stream, recount: nil)
      }
      var inflated = GzipStream(stream)
      return try read(from: &inflated) { limit in
        var again = GzipStream(MemoryStream(bytes, name: source))
        return try again.countBytes(limit: limit)
      }
    }
  }

  /// Writes an array atomically, compressed where the name ends in `.gz`.
  ///
  /// - Throws: `StorageError.cannotWrite` or `.notStorable`.
  public static func write(_ array: NDArray, to path: String) throws {
    let bytes = try encode(array)
    try AtomicFile.write(
      path.utf8.suffix(3).elementsEqual(".gz".utf8) ? Gzip.compress(bytes) : bytes, to: path)
  }

  /// The bytes of an IDX file. Weights of low precision are written as the float32 numbers that they
  /// stand for.
  ///
  /// - Throws: `StorageError.notStorable` for scalars and extents above 2^32 - 1.
  public static func encode(_ array: NDArray) throws -> [UInt8] {
    let array = array.inPlainType
    guard array.shape.rank > 0, array.shape.dimensions.allSatisfy({ $0 <= Int(UInt32.max) }) else {
      throw StorageError.notStorable(
        name: "an IDX array", found: "shape \(array.shape)",
        expected: "at least one axis, extents below 2^32")
    }
    var bytes: [UInt8] = [0, 0, code(of: array.dtype), UInt8(array.shape.rank)]
    for extent in array.shape.dimensions { bytes.append(bigEndian: UInt32(extent)) }
    let start = bytes.count
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    bytes.withUnsafeMutableBytes {
      UnsafeMutableRawBufferPointer(rebasing: $0[start...]).reverseBytes(size: array.dtype.size)
    }
    return bytes
  }

  /// The types by their codes.
  private static let types: [UInt8: StoredNumber] = [
    0x08: .u1, 0x09: .i1, 0x0b: .i2, 0x0c: .i4, 0x0d: .f4, 0x0e: .f8,
  ]

  private static func code(of dtype: DType) -> UInt8 {
    switch dtype {
    case .uint8: 0x08
    case .int32: 0x0c
    case .float32, .bfloat16, .int8: 0x0d
    case .float64: 0x0e
    }
  }

  private static func notIDX(_ start: [UInt8], _ name: String) -> StorageError {
    .notOfFormat(
      start, file: name, expected: "an IDX file, as MNIST's are", magic: "0000 first: IDX")
  }

  /// - Parameter recount: For compressed files, whose size is known only roughly: counts the bytes
  ///   from the start of the file, at least until there are more than the number given.
  private static func read(
    from stream: inout some ByteStream, recount: ((Int) throws -> Int)?
  ) throws -> NDArray {
    let name = stream.name
    let head = try stream.prefix(4)
    guard head.starts(with: [0, 0]) || head == [0] else {
      throw notIDX(head + (try stream.prefix(FileKind.prefixBytes - 4)), name)
    }
    guard head.count == 4 else {
      throw StorageError.damaged(
        file: name, place: "the header", found: "the end after \(head.count) bytes",
        expected: "4 bytes and more")
    }
    guard let type = types[head[2]] else {
      // Other formats begin with two zero bytes too.
      let start = head + (try stream.prefix(FileKind.prefixBytes - 4))
      if FileKind(start) != nil { throw notIDX(start, name) }
      throw StorageError.unsupported(
        file: name, place: "the element type", found: "code 0x\(hex([head[2]]))",
        expected: "0x08 or 0x09 (bytes), 0x0b or 0x0c (integers), 0x0d or 0x0e (floats)")
    }
    let rank = Int(head[3])
    guard (1...StorageLimits.rank).contains(rank) else {
      throw StorageError.damaged(
        file: name, place: "the number of axes", found: "\(rank)",
        expected: "1 to \(StorageLimits.rank)")
    }
    let words = try stream.bytes(rank * 4, place: "the header")
    let extents = (0..<rank).map { axis in
      words[(axis * 4)..<(axis * 4 + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    let bound = stream.upperBound
    guard let size = checkedProduct(extents + [type.size]),
      recount == nil ? size == bound : size <= bound
    else {
      throw StorageError.damaged(
        file: name, place: "the header",
        found: "shape \(extents) of elements of \(type.size) bytes",
        expected: "\(recount == nil ? "exactly" : "at most") \(bound) bytes of elements")
    }
    if let recount, size > StorageLimits.uncountedBytes {
      let expected = 4 + rank * 4 + size
      let found = try recount(expected)
      guard found == expected else {
        throw StorageError.damaged(
          file: name, place: "the elements",
          found: found < expected ? "\(found) bytes unpacked" : "more than \(expected) bytes",
          expected: "\(expected) bytes with the header")
      }
    }
    let array = try type.read(from: &stream, shape: Shape(extents), bigEndian: true)
    try stream.expectEnd(after: "shape \(extents)")
    return array
  }
}
