// HDF5 1.10 returns file images that no HDF5 can open: H5Fget_file_image clears the "open for
// writing" flag in the superblock but leaves the checksum that was computed with the flag set.
// We compute those four bytes again (Bob Jenkins, lookup3 "hashlittle", 2006, which HDF5 uses for
// all its metadata). With a library that has it right, nothing changes.

enum SuperblockRepair {
  /// Superblock versions 2 and 3: 44 bytes with 8-byte addresses, then their checksum.
  private static let checkedBytes = 44

  /// Repairs the superblock at the start of an HDF5 image; false when it is not of a known kind.
  static func repair(_ image: UnsafeMutableRawBufferPointer) -> Bool {
    guard image.count >= checkedBytes + 4, image[8] == 2 || image[8] == 3, image[9] == 8 else {
      return false
    }
    let checked = UnsafeRawBufferPointer(rebasing: image[..<checkedBytes])
    image.store(littleEndian: lookup3(checked), at: checkedBytes)
    return true
  }

  static func lookup3(_ bytes: UnsafeRawBufferPointer, seed: UInt32 = 0) -> UInt32 {
    func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 { word << bits | word >> (32 - bits) }
    let start = 0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count) &+ seed
    var (a, b, c) = (start, start, start)
    if bytes.isEmpty { return c }
    var offset = 0
    while bytes.count - offset > 12 {
      a &+= bytes.littleEndian(at: offset, as: UInt32.self)
      b &+= bytes.littleEndian(at: offset + 4, as: UInt32.self)
      c &+= bytes.littleEndian(at: offset + 8, as: UInt32.self)
      (a, c) = ((a &- c) ^ rotate(c, 4), c &+ b)
      (b, a) = ((b &- a) ^ rotate(a, 6), a &+ c)
      (c, b) = ((c &- b) ^ rotate(b, 8), b &+ a)
      (a, c) = ((a &- c) ^ rotate(c, 16), c &+ b)
      (b, a) = ((b &- a) ^ rotate(a, 19), a &+ c)
      (c, b) = ((c &- b) ^ rotate(b, 4), b &+ a)
      offset += 12
    }
    for (index, byte) in bytes[offset...].enumerated() {
      let word = UInt32(byte) << UInt32(index % 4 * 8)
      switch index / 4 {
      case 0: a &+= word
      case 1: b &+= word
      default: c &+= word
      }
    }
    c = (c ^ b) &- rotate(b, 14)
    a = (a ^ c) &- rotate(c, 11)
    b = (b ^ a) &- rotate(a, 25)
    c = (c ^ b) &- rotate(b, 16)
    a = (a ^ c) &- rotate(c, 4)
    b = (b ^ a) &- rotate(a, 14)
    c = (c ^ b) &- rotate(b, 24)
    return c
  }
}
