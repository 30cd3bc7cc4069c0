// Names in HDF5 files are bytes. Most are UTF-8, but nothing says so, and two that a Swift `String`
// takes for equal (an accent composed and decomposed) are two names. So they are kept and compared
// as bytes, and a text stands for them only where people read or write them.

import Glibc

/// The place of an object in a file: the names of the links from the root to it.
struct HDF5Path: Hashable, Sendable {
  /// None of them empty or a single dot, which HDF5 skips.
  var parts: [[UInt8]]

  static let root = HDF5Path(parts: [])

  init(parts: [[UInt8]]) { self.parts = parts }

  /// The names between the slashes of `bytes`.
  init(bytes: some Collection<UInt8>) {
    parts = bytes.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [0x2e] }
  }

  /// What a text may stand for, the likeliest first: with its escapes resolved, and as it is.
  static func readings(of text: String) -> [HDF5Path] {
    let (plain, resolved) = (Array(text.utf8), unescaped(Array(text.utf8)))
    return plain == resolved
      ? [HDF5Path(bytes: plain)] : [HDF5Path(bytes: resolved), HDF5Path(bytes: plain)]
  }

  /// As HDF5 reads it.
  var bytes: [UInt8] { Array(parts.joined(separator: [UInt8(ascii: "/")])) }

  /// As people read it; `readings(of:)` has it first.
  var text: String { Self.text(bytes) }

  /// As C reads it; a dot for the group from which paths begin.
  var cString: [CChar] {
    parts.isEmpty ? [0x2e, 0] : bytes.map { CChar(bitPattern: $0) } + [0]
  }

  /// The groups on the way to it, without the root.
  var parents: [HDF5Path] { parts.indices.dropFirst().map { HDF5Path(parts: Array(parts[..<$0])) } }

  static func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
  }

  func appending(_ name: [UInt8]) -> HDF5Path { HDF5Path(parts: parts + [name]) }

  /// In the order of their bytes.
  static func sorted(_ paths: [HDF5Path]) -> [HDF5Path] {
    paths.map { (bytes: $0.bytes, path: $0) }
      .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }.map(\.path)
  }

  static func precedes(_ left: HDF5Path, _ right: HDF5Path) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

extension HDF5Path {
  /// The text of a name: bytes that are not UTF-8 as `\xe9`, and a backslash that would begin such
  /// an escape as `\x5c`.
  static func text(_ name: [UInt8]) -> String {
    var rest = name[...]
    var result: [UInt8] = []
    while let first = rest.first {
      let length = lengthOfCharacter(rest)
      if length == 0 || (first == backslash && escape(rest) != nil) {
        result += escaped(first)
        rest = rest.dropFirst()
      } else {
        result += rest.prefix(length)
        rest = rest.dropFirst(length)
      }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// The text with every byte outside ASCII as an escape, for names that a `String` takes for the
  /// same as another.
  static func plainText(_ name: [UInt8]) -> String {
    let escapes = name.flatMap { $0 < 0x80 && $0 != backslash ? [$0] : escaped($0) }
    return String(decoding: escapes, as: UTF8.self)
  }

  static func unescaped(_ text: [UInt8]) -> [UInt8] {
    var rest = text[...]
    var result: [UInt8] = []
    while let first = rest.first {
      let byte = escape(rest)
      result.append(byte ?? first)
      rest = rest.dropFirst(byte == nil ? 1 : 4)
    }
    return result
  }

  private static let backslash = UInt8(ascii: "\\")

  private static func escaped(_ byte: UInt8) -> [UInt8] {
    [backslash, UInt8(ascii: "x")] + Array(hex([byte]).utf8)
  }

  /// The byte behind an escape at the start of `bytes`.
  private static func escape(_ bytes: ArraySlice<UInt8>) -> UInt8? {
    let start = Array(bytes.prefix(4))
    guard start.count == 4, start[0] == backslash, start[1] == UInt8(ascii: "x"),
      start[2...].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 })
    else { return nil }
    return UInt8(String(decoding: start[2...], as: UTF8.self), radix: 16)
  }

  /// Bytes of the character at the start of `bytes`; 0 where they are not UTF-8.
  private static func lengthOfCharacter(_ bytes: ArraySlice<UInt8>) -> Int {
    let length =
      switch bytes.first ?? 0 {
      case 0..<0x80: 1
      case 0xc2..<0xe0: 2
      case 0xe0..<0xf0: 3
      case 0xf0..<0xf5: 4
      default: 0
      }
    return String(validating: bytes.prefix(length), as: UTF8.self) == nil ? 0 : length
  }
}
