// NPY, NumPy's array format (versions 1 to 3): a magic number, a header that is a Python
// dictionary, then the elements. The dictionary is parsed by a tiny grammar, never evaluated.

import LatentNumerics

/// Reads and writes NumPy arrays.
public enum NPY {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// Reads a file. `i8` becomes int32 where every value fits, `b1` uint8; both byte orders; Fortran order is
  /// turned into ours.
  ///
  /// - Throws: `StorageError.missing`, `.unreadable`, `.damaged` or `.unsupported`.
  public static func read(contentsOf path: String) throws -> NDArray {
    var stream = try FileStream(path: path)
    return try read(&stream)
  }

  /// Reads the bytes of a file.
  public static func decode(_ bytes: [UInt8], name: String = "NPY data in memory") throws -> NDArray {
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
    let start = try stream.bytes(8, place: "the magic number")
    guard Array(start[..<6]) == magic else {
      throw damaged("the magic number", "other bytes", "those of an NPY file")
    }
    guard (1...3).contains(start[6]) else {
      throw StorageError.unsupported(
        file: name, place: "the version", found: "\(start[6]).\(start[7])", expected: "1.0 to 3.0")
    }
    let lengthBytes = try stream.bytes(start[6] == 1 ? 2 : 4, place: "the header's length")
    let length = lengthBytes.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard length <= min(StorageLimits.npyHeaderBytes, stream.upperBound) else {
      throw damaged(
        "the header's length", "\(length)", "at most \(StorageLimits.npyHeaderBytes) and the file")
    }
    let text = try stream.bytes(length, place: "the header")
    guard let header = NPYHeader(parsing: text) else {
      throw damaged(
        "the header", String(decoding: text.prefix(80), as: UTF8.self),
        "a dictionary of descr, fortran_order and shape")
    }
    guard let element = NPYElement(header.descriptor) else {
      throw StorageError.unsupported(
        file: name, place: "the element type", found: "'\(header.descriptor)'",
        expected: "f4, f8, i4, i8, u1 or b1")
    }
    guard header.shape.count <= StorageLimits.rank,
      let count = checkedProduct(header.shape + [element.size]), count <= stream.upperBound
    else {
      throw damaged(
        "the shape", "\(header.shape)", "at most the \(stream.upperBound) bytes that can follow")
    }
    let array = try element.read(&stream, Shape(
      header.isFortranOrder ? header.shape.reversed() : header.shape))
    try stream.expectEnd(after: "the \(count) bytes of elements")
    let order = Array((0..<header.shape.count).reversed())
    return header.isFortranOrder ? array.permuted(order) : array
  }

  /// The bytes of a version 1.0 file, as NumPy writes it.
  public static func encoded(_ array: NDArray) -> [UInt8] {
    let code =
      switch array.dtype {
      case .float32: "<f4"
      case .float64: "<f8"
      case .int32: "<i4"
      case .uint8: "|u1"
      }
    let sizes = array.shape.dimensions.map(String.init)
    let shape = sizes.count == 1 ? "(\(sizes[0]),)" : "(\(sizes.joined(separator: ", ")))"
    var header = "{'descr': '\(code)', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: (64 - (11 + header.utf8.count) % 64) % 64) + "\n"
    var bytes = magic + [1, 0]
    bytes.append(littleEndian: UInt16(header.utf8.count))
    bytes += header.utf8
    array.withUnsafeBytes { bytes.append(contentsOf: $0) }
    return bytes
  }

  /// Writes a file atomically.
  ///
  /// - Throws: `StorageError.cannotWrite`.
  public static func write(_ array: NDArray, to path: String) throws {
    try AtomicFile.write(encoded(array), to: path)
  }
}

/// An element type of NumPy's that we read.
private struct NPYElement {
  let code: String
  let isBigEndian: Bool
  let size: Int

  init?(_ descriptor: String) {
    guard let order = descriptor.first, "<>|=".contains(order) else { return nil }
    code = String(descriptor.dropFirst())
    guard ["f4", "f8", "i4", "i8", "u1", "b1"].contains(code), let last = code.last?.wholeNumberValue
    else { return nil }
    size = last
    isBigEndian = order == ">"
  }

  func read(_ stream: inout some ByteStream, _ shape: Shape) throws -> NDArray {
    func fill(_ bytes: UnsafeMutableRawBufferPointer) throws {
      try stream.fill(bytes, place: "the elements")
      if isBigEndian { bytes.reverseBytes(size: size) }
    }
    switch code {
    case "f4": return try NDArray(shape: shape, .float32, fill: fill)
    case "f8": return try NDArray(shape: shape, .float64, fill: fill)
    case "i4": return try NDArray(shape: shape, .int32, fill: fill)
    case "i8":
      var wide = [Int64](repeating: 0, count: shape.count)
      try wide.withUnsafeMutableBytes { try fill($0) }
      let narrow = wide.compactMap { Int32(exactly: $0) }
      guard narrow.count == wide.count else {
        throw StorageError.unsupported(
          file: stream.name, place: "the elements", found: "an integer beyond 32 bits",
          expected: "values that fit int32")
      }
      return NDArray(narrow, shape: shape)
    default: return try NDArray(shape: shape, .uint8, fill: fill)
    }
  }
}

/// The dictionary at the start of an NPY file.
private struct NPYHeader {
  var descriptor = ""
  var isFortranOrder = false
  var shape: [Int] = []

  init?(parsing bytes: [UInt8]) {
    var rest = bytes[...]
    func skipSpace() { rest = rest.drop { $0 == 32 || $0 == 10 } }
    func take(_ text: String) -> Bool {
      skipSpace()
      guard rest.starts(with: text.utf8) else { return false }
      rest = rest.dropFirst(text.utf8.count)
      return true
    }
    func string() -> String? {
      skipSpace()
      guard let quote = rest.first, quote == 39 || quote == 34 else { return nil }
      rest = rest.dropFirst()
      guard let end = rest.firstIndex(of: quote) else { return nil }
      defer { rest = rest[(end + 1)...] }
      return String(validating: rest[..<end], as: UTF8.self)
    }
    func number() -> Int? {
      skipSpace()
      let digits = rest.prefix { $0 >= 48 && $0 <= 57 }
      guard (1...10).contains(digits.count) else { return nil }
      rest = rest.dropFirst(digits.count)
      let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
      return value <= Int(Int32.max) ? value : nil
    }
    var seen: Set<String> = []
    guard take("{") else { return nil }
    while !take("}") {
      guard let key = string(), take(":"), seen.insert(key).inserted else { return nil }
      switch key {
      case "descr":
        guard let text = string() else { return nil }
        descriptor = text
      case "fortran_order":
        if take("True") { isFortranOrder = true } else if !take("False") { return nil }
      case "shape":
        guard take("(") else { return nil }
        while !take(")") {
          guard let size = number() else { return nil }
          shape.append(size)
          if !take(",") {
            guard take(")") else { return nil }
            break
          }
        }
      default: return nil
      }
      if !take(",") {
        guard take("}") else { return nil }
        break
      }
    }
    skipSpace()
    guard rest.isEmpty, seen == ["descr", "fortran_order", "shape"] else { return nil }
  }
}
