// IDX, the format of MNIST (LeCun, Cortes and Burges): two zero bytes, a type code, the number of
// axes, their sizes as big-endian 32-bit numbers, then the elements, big-endian.

import LatentNumerics

/// Reads and writes IDX files, plain or gzip-compressed.
public enum IDX {
  private static let codes: [(code: UInt8, dtype: DType)] = [
    (0x08, .uint8), (0x0C, .int32), (0x0D, .float32), (0x0E, .float64),
  ]

  /// Reads a file; compression is recognised by its first bytes.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`, `.damaged` or `.unsupported`.
  public static func read(contentsOf path: String) throws -> NDArray {
    let probe = try FileStream(path: path)
    let start = try probe.readBytes(min(2, probe.size), place: "the magic number")
    let isCompressed = start == Gzip.magic
    let file = try FileStream(path: path)
    if isCompressed {
      var stream = try GzipStream(file)
      return try read(&stream)
    }
    var stream = file
    return try read(&stream)
  }

  /// Reads the bytes of a plain file.
  public static func decode(_ bytes: [UInt8], name: String = "IDX data in memory") throws -> NDArray {
    try bytes.withUnsafeBytes { bytes in
      var stream = MemoryStream(bytes, name: name)
      return try read(&stream)
    }
  }

  private static func read(_ stream: inout some ByteStream) throws -> NDArray {
    let name = stream.name
    func damaged(_ place: String, _ found: String, _ expected: String) -> StorageError {
      .damaged(file: name, place: place, found: found, expected: expected)
    }
    let magic = try stream.bytes(4, place: "the magic number")
    guard magic[0] == 0, magic[1] == 0 else {
      throw damaged(
        "the magic number", "bytes \(magic[0]), \(magic[1])", "0, 0 (is it an IDX file?)")
    }
    guard let dtype = codes.first(where: { $0.code == magic[2] })?.dtype else {
      throw StorageError.unsupported(
        file: name, place: "the type code", found: "\(magic[2])", expected: "8, 12, 13 or 14")
    }
    let rank = Int(magic[3])
    guard (1...StorageLimits.rank).contains(rank) else {
      throw damaged("the number of axes", "\(rank)", "1 to \(StorageLimits.rank)")
    }
    let sizes = try stream.bytes(4 * rank, place: "the sizes")
    let extents = (0..<rank).map { axis in
      sizes[(4 * axis)..<(4 * axis + 4)].reduce(0) { $0 << 8 | Int($1) }
    }
    guard let count = checkedProduct(extents + [dtype.size]), count <= stream.upperBound else {
      throw damaged(
        "the sizes", "shape \(extents) of \(dtype.rawValue)",
        "at most the \(stream.upperBound) bytes that can follow")
    }
    let result = try NDArray(shape: Shape(extents), dtype) { bytes in
      try stream.fill(bytes, place: "the elements")
      bytes.reverseBytes(size: dtype.size)
    }
    try stream.expectEnd(after: "the \(count) bytes of elements")
    return result
  }

  /// The bytes of a plain file.
  ///
  /// - Throws: `StorageError.notStorable` for a scalar.
  public static func encoded(_ array: NDArray) throws -> [UInt8] {
    guard array.shape.rank >= 1, let code = codes.first(where: { $0.dtype == array.dtype })?.code
    else {
      throw StorageError.notStorable(
        name: "an IDX array", found: "a scalar", expected: "at least one axis")
    }
    var bytes: [UInt8] = [0, 0, code, UInt8(array.shape.rank)]
    for size in array.shape.dimensions {
      guard let word = UInt32(exactly: size) else {
        throw StorageError.notStorable(
          name: "an IDX array", found: "shape \(array.shape)", expected: "axes below 2^32")
      }
      bytes.append(bigEndian: word)
    }
    let start = bytes.count
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    bytes.withUnsafeMutableBytes {
      UnsafeMutableRawBufferPointer(rebasing: $0[start...]).reverseBytes(size: array.dtype.size)
    }
    return bytes
  }

  /// Writes a file atomically, compressed where the name ends in `.gz`.
  ///
  /// - Throws: `StorageError.cannotWrite`, `.notStorable`.
  public static func write(_ array: NDArray, to path: String) throws {
    let bytes = try encoded(array)
    try AtomicFile.write(path.hasSuffix(".gz") ? Gzip.compress(bytes) : bytes, to: path)
  }
}

extension FileStream {
  func readBytes(_ count: Int, place: String) throws -> [UInt8] {
    var stream = self
    return try stream.bytes(count, place: place)
  }
}
