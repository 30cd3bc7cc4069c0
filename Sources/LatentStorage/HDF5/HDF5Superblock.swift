// The first bytes of an HDF5 file, read by ourselves to say why the library does not open it.

/// What the superblock says about the file as a whole.
struct HDF5Superblock {
  /// `\x89HDF\r\n\x1a\n`.
  static let signature = HDF5Signature.bytes
  /// The newest version that HDF5 1.10 to 2.0 write.
  static let newest = 3

  let version: Int
  /// Whether a writer has it open, or has ended without closing it (version 3).
  let isMarked: Bool
  /// The driver of files in several parts, such as `NCSAfami`.
  let driver: String?

  /// nil without a signature: it lies at byte 0, 512, 1024, 2048 and so on.
  init?(of file: ByteFile) throws {
    var start = 0
    while true {
      // The longest kind, with addresses of 8 bytes.
      let bytes = try file.bytes(from: start, count: 112)
      guard bytes.count > 8 else { return nil }
      if bytes.starts(with: Self.signature) {
        (version, isMarked, driver) = try Self.read(bytes, start, file)
        return
      }
      start = start == 0 ? 512 : start * 2
    }
  }

  private static func read(
    _ bytes: [UInt8], _ start: Int, _ file: ByteFile
  ) throws -> (version: Int, isMarked: Bool, driver: String?) {
    let version = Int(bytes[8])
    switch version {
    case 0, 1:
      // Signature, 16 bytes of versions and sizes, in version 1 another 4, then the addresses of
      // the base, of free space, of the end and of the driver's block.
      let place = (version == 0 ? 24 : 28) + 24
      guard bytes.count >= place + 8, bytes[13] == 8 else { return (version, false, nil) }
      let address = bytes.withUnsafeBytes { $0.littleEndian(at: place, as: UInt64.self) }
      guard let block = Int(exactly: address), block <= file.size else {
        return (version, false, nil)
      }
      // A version, three bytes of zero and the size, then the name.
      let name = try file.bytes(from: start + block, count: 16).dropFirst(8)
      return (version, false, name.count == 8 ? String(decoding: name, as: UTF8.self) : nil)
    case 3:
      guard bytes.count >= 48, bytes[9] == 8 else { return (version, false, nil) }
      // Bit 0: open for writing; bit 2: for writing while others read. A mark that its checksum
      // contradicts is damage.
      let isRight = bytes.withUnsafeBytes {
        SuperblockRepair.lookup3(UnsafeRawBufferPointer(rebasing: $0[..<44]))
          == $0.littleEndian(at: 44, as: UInt32.self)
      }
      return (version, isRight && bytes[11] & 0b101 != 0, nil)
    default: return (version, false, nil)
    }
  }
}

extension ByteFile {
  /// As many of `count` bytes from `start` on as there are.
  func bytes(from start: Int, count: Int) throws -> [UInt8] {
    let count = max(0, min(count, size - start))
    return try [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      try read(from: start, into: UnsafeMutableRawBufferPointer(buffer))
      used = count
    }
  }
}
