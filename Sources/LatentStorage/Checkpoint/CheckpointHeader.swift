// The 512 bytes before the HDF5 part of a checkpoint, which HDF5 calls a user block and skips.
// They are checked, and the digest with them, before HDF5 sees a byte: no damaged file reaches a
// parser. The byte table stands in docs/checkpoint-format.md.

import CLatentZlib

struct CheckpointHeader {
  static let size = 512
  static let magic: [UInt8] = [0x89, 0x4c, 0x41, 0x54, 0x45, 0x4e, 0x54, 0x1a]  // "\x89LATENT\x1a"
  /// The newest version that this code writes and reads.
  static let formatVersion = 2
  /// The version of files that hold no weights of low precision, which is all that the first readers
  /// understand; such files are what they always were.
  static let firstVersion = 1

  private static let digestRange = 24..<56
  private static let checksumOffset = 56
  private static let usedBytes = 60

  /// Fills the first 512 bytes of `file` to match the rest.
  static func seal(
    _ file: UnsafeMutableRawBufferPointer, formatVersion: Int = firstVersion,
    minimumReader: Int = firstVersion
  ) {
    let payload = UnsafeRawBufferPointer(rebasing: file[size...])
    let header = UnsafeMutableRawBufferPointer(rebasing: file[..<size])
    _ = header.initializeMemory(as: UInt8.self, repeating: 0)
    header.copyBytes(from: magic)
    header.store(littleEndian: UInt32(formatVersion), at: 8)
    header.store(littleEndian: UInt32(minimumReader), at: 12)
    header.store(littleEndian: UInt64(payload.count), at: 16)
    UnsafeMutableRawBufferPointer(rebasing: header[digestRange])
      .copyBytes(from: SHA256.digest(payload))
    header.store(littleEndian: checksum(UnsafeRawBufferPointer(header)), at: checksumOffset)
  }

  /// Checks everything in the first 512 bytes that can be checked without the rest.
  static func check(_ header: UnsafeRawBufferPointer, fileSize: Int, file: String) throws {
    func damaged(_ place: String, _ found: String, _ expected: String) -> StorageError {
      .damaged(file: file, place: place, found: found, expected: expected)
    }
    let agreeing = zip(header, magic).count { $0 == $1 }
    guard agreeing > 0 && agreeing >= min(header.count, magic.count) / 2 else {
      // Nothing is wrong with it but that it is another file.
      throw StorageError.otherFile(Array(header), file: file, expected: "a Latent checkpoint")
    }
    guard header.count >= size else {
      throw damaged("the header", "\(header.count) bytes", "\(size) bytes at least")
    }
    guard header.starts(with: magic) else {
      throw damaged(
        "the magic number (bytes 0..<8)", hex(header[..<8]),
        "\(hex(magic)), a Latent checkpoint")
    }
    guard header.littleEndian(at: checksumOffset, as: UInt32.self) == checksum(header) else {
      throw damaged("the header", "contents that contradict their checksum", "agreement")
    }
    let version = Int(header.littleEndian(at: 8, as: UInt32.self))
    let minimum = Int(header.littleEndian(at: 12, as: UInt32.self))
    guard minimum <= formatVersion else {
      throw StorageError.tooNew(
        file: file, formatVersion: version, minimumReader: minimum, supported: formatVersion)
    }
    guard version >= minimum, minimum >= 1 else {
      throw damaged(
        "the header", "format version \(version) with minimum reader \(minimum)",
        "1 <= minimum reader <= format version")
    }
    if let offset = header[usedBytes..<size].firstIndex(where: { $0 != 0 }) {
      throw damaged("the header, byte \(offset)", "\(header[offset])", "0")
    }
    let length = header.littleEndian(at: 16, as: UInt64.self)
    guard length == UInt64(fileSize - size) else {
      throw damaged(
        "the end", "\(fileSize - size) bytes after the header", "\(length) bytes")
    }
  }

  /// Checks the whole file: header, length and digest.
  static func check(file bytes: UnsafeRawBufferPointer, name: String) throws {
    try check(bytes, fileSize: bytes.count, file: name)
    let found = SHA256.digest(UnsafeRawBufferPointer(rebasing: bytes[size...]))
    guard bytes[digestRange].elementsEqual(found) else {
      throw StorageError.damaged(
        file: name, place: "the contents", found: "SHA-256 \(hex(found.prefix(8)))...",
        expected: "\(hex(bytes[digestRange].prefix(8)))...")
    }
  }

  private static func checksum(_ header: UnsafeRawBufferPointer) -> UInt32 {
    UInt32(
      crc32(0, header.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(checksumOffset)))
  }
}

/// Bytes as hexadecimal digits.
func hex(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
  return String(decoding: text, as: UTF8.self)
}
