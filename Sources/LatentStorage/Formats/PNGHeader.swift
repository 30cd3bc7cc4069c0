// What a PNG file says of itself before its pixels: enough to judge a whole folder of them without
// decoding one. Needs no library.

/// The header of a PNG image (W3C, third edition, 11.2.1).
public struct PNGHeader: Sendable, Equatable {
  /// Pixels.
  public let height: Int
  /// Pixels.
  public let width: Int
  /// Bits of a stored sample: 1, 2, 4, 8 or 16.
  public let bitDepth: Int
  /// Whether pixels have colours, of their own or of a palette.
  public let isColor: Bool
  /// Whether pixels may be transparent: by a channel, or by a chunk `tRNS`.
  public let hasAlpha: Bool

  /// Reads the header of an image file.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable` for the file, `.otherFormat` for a file of
  ///   another format, `.damaged` where it does not begin as a PNG image does.
  public init(contentsOf path: String) throws {
    let file = try ByteFile(path: path)
    func bytes(_ count: Int, from start: Int) throws -> [UInt8] {
      guard start <= file.size - count else { return [] }
      return try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
        let raw = UnsafeMutableRawBufferPointer(buffer)
        try file.read(from: start, into: UnsafeMutableRawBufferPointer(rebasing: raw[..<count]))
        initialized = count
      }
    }
    let start = try bytes(min(file.size, FileKind.prefixBytes), from: 0)
    guard start.starts(with: PNG.signature) else { throw PNG.notPNG(start, path) }
    let fields = start.dropFirst(16).prefix(10)
    guard fields.count == 10, start[12..<16].elementsEqual("IHDR".utf8) else {
      throw StorageError.damaged(
        file: path, place: "the header", found: hex(start.dropFirst(8).prefix(8)),
        expected: "a chunk IHDR")
    }
    width = PNGHeader.number(fields.prefix(4))
    height = PNGHeader.number(fields.dropFirst(4).prefix(4))
    bitDepth = Int(start[24])
    // Bit 1 is colour, bit 2 an alpha channel; a palette has both bits 0 and 1.
    let colorType = start[25]
    isColor = colorType & 2 != 0
    var hasAlpha = colorType & 4 != 0
    // Else a chunk before the pixels may make colours transparent. Damage is for the decoder to find.
    var offset = 33
    for _ in 0..<64 where !hasAlpha {
      let chunk = try bytes(8, from: offset)
      if chunk.isEmpty || chunk[4...].elementsEqual("IDAT".utf8) { break }
      hasAlpha = chunk[4...].elementsEqual("tRNS".utf8)
      offset += 12 + PNGHeader.number(chunk.prefix(4))
    }
    self.hasAlpha = hasAlpha
  }

  private static func number(_ bytes: some Sequence<UInt8>) -> Int {
    bytes.reduce(0) { $0 << 8 | Int($1) }
  }
}
