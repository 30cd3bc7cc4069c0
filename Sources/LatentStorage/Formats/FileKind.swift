// What a file is, told by its first bytes: names say what somebody meant, bytes what is there. A
// whole file of another format is never called damaged; it is named, with a way to get what is wanted
// out of it.

/// The formats that are recognised by their first bytes.
public enum FileKind: Sendable, Hashable {
  /// A format that the library reads.
  case npy, hdf5, gzip, png
  /// A zip archive with the name of its first member, which tells NumPy's `.npz` from others.
  case zip(firstMember: String)
  /// A format of pictures.
  case jpeg, gif, bmp, tiff, webp, heif, netpbm
  /// A format of scientific data before HDF5.
  case netCDF3, hdf4
  /// A format of other programs.
  case matlab, pickle, bzip2, xz, zstandard, tar, pdf, parquet
  /// A text in place of the file: a pointer of Git LFS, the page of a server, or any other text.
  case gitLargeFilePointer, webPage, text
  /// No bytes at all.
  case empty
  /// Nothing but zeros where a format would begin: what a crash leaves of a file on some systems.
  case zeros

  /// How many of a file's first bytes are enough.
  public static let prefixBytes = 520

  /// What a file is that begins so.
  ///
  /// - Parameter start: The first bytes of a file, all of them where it has no more than
  ///   `prefixBytes`; nil for what is not recognised.
  public init?(_ start: some Collection<UInt8>) {
    let bytes = Array(start.prefix(FileKind.prefixBytes))
    guard let kind = FileKind.recognized(bytes) else { return nil }
    self = kind
  }

  /// Reads the first bytes of a file.
  ///
  /// - Throws: `StorageError.missing` or `.unreadable`.
  public init?(contentsOf path: String) throws {
    var stream = try FileStream(path: path)
    self.init(try stream.prefix(FileKind.prefixBytes))
  }

  /// Whether it is a picture in a format that other programs turn into PNG.
  public var isPicture: Bool {
    switch self {
    case .png, .jpeg, .gif, .bmp, .tiff, .webp, .heif, .netpbm: true
    default: false
    }
  }

  /// Signatures at fixed places; the first that matches decides.
  private static let signatures: [(offset: Int, bytes: [UInt8], kind: FileKind)] = [
    (0, [0x93] + Array("NUMPY".utf8), .npy),
    (0, HDF5Signature.bytes, .hdf5),
    (0, PNG.signature, .png),
    (0, [0xff, 0xd8, 0xff], .jpeg),
    (0, Array("GIF87a".utf8), .gif), (0, Array("GIF89a".utf8), .gif),
    (0, Array("II*\0".utf8), .tiff), (0, Array("MM\0*".utf8), .tiff),
    (8, Array("WEBP".utf8), .webp),
    (4, Array("ftypheic".utf8), .heif), (4, Array("ftypmif1".utf8), .heif),
    (4, Array("ftypavif".utf8), .heif),
    // MATLAB's version 7.3 is HDF5 behind a header of its own.
    (512, HDF5Signature.bytes, .hdf5),
    (0, Array("MATLAB 5.0 MAT-file".utf8), .matlab),
    (0, Array("CDF\u{1}".utf8), .netCDF3), (0, Array("CDF\u{2}".utf8), .netCDF3),
    (0, [0x0e, 0x03, 0x13, 0x01], .hdf4),
    (0, Gzip.magic, .gzip),
    (0, Array("BZh".utf8), .bzip2), (0, [0xfd] + Array("7zXZ\0".utf8), .xz),
    (0, [0x28, 0xb5, 0x2f, 0xfd], .zstandard),
    (257, Array("ustar".utf8), .tar),
    (0, Array("%PDF-".utf8), .pdf), (0, Array("PAR1".utf8), .parquet),
    (0, Array("version https://git-lfs.github.com".utf8), .gitLargeFilePointer),
  ]

  private static func recognized(_ bytes: [UInt8]) -> FileKind? {
    if bytes.isEmpty { return .empty }
    if bytes.prefix(16).allSatisfy({ $0 == 0 }) { return .zeros }
    func has(_ expected: [UInt8], at offset: Int) -> Bool {
      bytes.dropFirst(offset).starts(with: expected)
    }
    if let found = signatures.first(where: { has($0.bytes, at: $0.offset) }) { return found.kind }
    if has([0x50, 0x4b, 3, 4], at: 0), bytes.count >= 30 {
      let length = Int(bytes[26]) | Int(bytes[27]) << 8
      return .zip(firstMember: String(decoding: bytes.dropFirst(30).prefix(length), as: UTF8.self))
    }
    // An archive without members is its end record alone.
    if has([0x50, 0x4b, 5, 6], at: 0) { return .zip(firstMember: "") }
    // The protocols 2 to 5 of Python's pickle begin with their number.
    if bytes.count > 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) { return .pickle }
    if has(Array("BM".utf8), at: 0), bytes.count >= 18, bytes[6..<10].allSatisfy({ $0 == 0 }) {
      return .bmp
    }
    if bytes.count > 2, bytes[0] == UInt8(ascii: "P"), (0x31...0x36).contains(bytes[1]),
      isSpace(bytes[2])
    {
      return .netpbm
    }
    guard isText(bytes) else { return nil }
    let words = bytes.drop(while: isSpace).prefix(14).map { $0 | 0x20 }
    let isPage = [Array("<!doctype html".utf8), Array("<html".utf8)].contains {
      words.starts(with: $0.map { $0 | 0x20 })
    }
    return isPage ? .webPage : .text
  }

  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }

  /// Whether the bytes are UTF-8 of characters that texts have; one may be cut off at the end.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    if bytes.contains(where: { $0 < 32 && !isSpace($0) || $0 == 127 }) { return false }
    let whole = (0...3).contains { cut in
      cut < bytes.count && String(validating: bytes.dropLast(cut), as: UTF8.self) != nil
    }
    return whole
  }
}

/// The eight bytes that begin an HDF5 file.
enum HDF5Signature {
  static let bytes: [UInt8] = [0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a]
}

extension StorageError {
  /// The error for contents that do not begin as the format does: another format by its name, else
  /// damage.
  static func notOfFormat(
    _ start: [UInt8], file: String, expected: String, magic: String
  ) -> StorageError {
    guard let kind = FileKind(start) else {
      return .damaged(
        file: file, place: "the magic number", found: hex(start.prefix(8)), expected: magic)
    }
    return .otherFormat(
      file: file, found: "\(kind)", expected: expected, advice: kind.advice(for: file))
  }
}

extension StorageError {
  /// The error for a whole file that is another than was expected, where nothing tells damage from that.
  static func otherFile(_ start: [UInt8], file: String, expected: String) -> StorageError {
    guard let kind = FileKind(start) else {
      return .unsupported(
        file: file, place: "the contents", found: "a file of another kind", expected: expected)
    }
    return .otherFormat(
      file: file, found: "\(kind)", expected: expected, advice: kind.advice(for: file))
  }
}

extension ByteStream {
  /// The next `count` bytes, or fewer where the end comes before.
  mutating func prefix(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      while initialized < count {
        let more = try read(
          into: UnsafeMutableRawBufferPointer(rebasing: raw[initialized..<count]))
        if more == 0 { return }
        initialized += more
      }
    }
  }
}
