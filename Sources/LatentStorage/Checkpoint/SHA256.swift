// SHA-256 (FIPS 180-4). Written here because a package for it would more than double the time of
// a clean build; the rounds are unrolled eight at a time so that the state stays in registers.

struct SHA256 {
  private static let constants: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4,
    0xab1c_5ed5, 0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe,
    0x9bdc_06a7, 0xc19b_f174, 0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f,
    0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da, 0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7,
    0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967, 0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc,
    0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85, 0xa2bf_e8a1, 0xa81a_664b,
    0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070, 0x19a4_c116,
    0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7,
    0xc671_78f2,
  ]

  /// The 32 bytes of the digest.
  static func digest(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var state: SIMD8<UInt32> = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
      0x5be0_cd19,
    ]
    let whole = bytes.count / 64
    if whole > 0, let base = bytes.baseAddress { compress(&state, base, blocks: whole) }
    // The rest, a one bit, zeros, and the length in bits: one or two more blocks.
    var tail = Array(bytes[(whole * 64)...])
    tail.append(0x80)
    tail.append(contentsOf: repeatElement(0, count: (120 - tail.count % 64) % 64))
    tail.append(bigEndian: UInt64(bytes.count) &* 8)
    tail.withUnsafeBytes {
      if let base = $0.baseAddress { compress(&state, base, blocks: tail.count / 64) }
    }
    var result: [UInt8] = []
    for word in 0..<8 { result.append(bigEndian: state[word]) }
    return result
  }

  @inline(__always)
  private static func rotate(_ word: UInt32, _ bits: UInt32) -> UInt32 {
    (word &>> bits) | (word &<< (32 &- bits))
  }

  /// One round with the roles of the eight variables given by the order of the arguments.
  @inline(__always)
  private static func round(
    _ a: UInt32, _ b: UInt32, _ c: UInt32, _ d: inout UInt32, _ e: UInt32, _ f: UInt32,
    _ g: UInt32, _ h: inout UInt32, _ input: UInt32
  ) {
    let sumE = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
    let t = h &+ sumE &+ (g ^ (e & (f ^ g))) &+ input
    d = d &+ t
    let sumA = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
    h = t &+ sumA &+ ((a & b) ^ (c & (a ^ b)))
  }

  private static func compress(
    _ state: inout SIMD8<UInt32>, _ bytes: UnsafeRawPointer, blocks: Int
  ) {
    constants.withUnsafeBufferPointer { k in
      withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
        guard let k = k.baseAddress, let w = w.baseAddress else { return }
        for block in 0..<blocks {
          schedule(bytes + block &* 64, w, k)
          var (a, b, c, d) = (state[0], state[1], state[2], state[3])
          var (e, f, g, h) = (state[4], state[5], state[6], state[7])
          var i = 0
          while i < 64 {
            round(a, b, c, &d, e, f, g, &h, w[i])
            round(h, a, b, &c, d, e, f, &g, w[i &+ 1])
            round(g, h, a, &b, c, d, e, &f, w[i &+ 2])
            round(f, g, h, &a, b, c, d, &e, w[i &+ 3])
            round(e, f, g, &h, a, b, c, &d, w[i &+ 4])
            round(d, e, f, &g, h, a, b, &c, w[i &+ 5])
            round(c, d, e, &f, g, h, a, &b, w[i &+ 6])
            round(b, c, d, &e, f, g, h, &a, w[i &+ 7])
            i &+= 8
          }
          state &+= [a, b, c, d, e, f, g, h]
        }
      }
    }
  }

  /// The 64 words of a block, with the round constants added once the recurrence is done.
  @inline(__always)
  private static func schedule(
    _ block: UnsafeRawPointer, _ w: UnsafeMutablePointer<UInt32>, _ k: UnsafePointer<UInt32>
  ) {
    for i in 0..<16 {
      w[i] = UInt32(bigEndian: block.loadUnaligned(fromByteOffset: i &* 4, as: UInt32.self))
    }
    for i in 16..<64 {
      let x = w[i &- 15]
      let y = w[i &- 2]
      let first = rotate(x, 7) ^ rotate(x, 18) ^ (x &>> 3)
      let second = rotate(y, 17) ^ rotate(y, 19) ^ (y &>> 10)
      w[i] = w[i &- 16] &+ first &+ w[i &- 7] &+ second
    }
    for i in 0..<64 { w[i] = w[i] &+ k[i] }
  }
}
