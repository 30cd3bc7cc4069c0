// Published values of the checksums that we compute ourselves.

import CLatentDigest
import Testing

@testable import LatentStorage

@Suite struct ChecksumTests {
  /// FIPS 180-4 and its companion examples; the lengths go through every kind of padding.
  @Test(arguments: [
    ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
    ("a", 55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"),
    ("a", 64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"),
    ("a", 1_000_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
  ])
  func sha256(text: String, times: Int, digest: String) {
    let bytes = [UInt8](String(repeating: text, count: times).utf8)
    #expect(bytes.withUnsafeBytes { hex(SHA256.digest($0)) } == digest)
  }

  /// The values in the comments of Bob Jenkins' lookup3.c (driver5).
  static let hashes: [(String, UInt32, UInt32)] = [
    ("", 0, 0xdead_beef), ("", 0xdead_beef, 0xbd5b_7dde),
    ("Four score and seven years ago", 0, 0x1777_0551),
    ("Four score and seven years ago", 1, 0xcd62_8161),
  ]

  @Test(arguments: hashes)
  func lookup3(text: String, seed: UInt32, hash: UInt32) {
    #expect([UInt8](text.utf8).withUnsafeBytes { SuperblockRepair.lookup3($0, seed: seed) } == hash)
  }

  /// RFC 3720, B.4, and the check value that catalogues of checksums give for `123456789`.
  @Test(
    arguments: [
      ([UInt8](repeating: 0, count: 32), 0x8a91_36aa),
      ([UInt8](repeating: 255, count: 32), 0x62a8_ab43), (Array(0..<32), 0x46dd_794e),
      (Array((0..<32).reversed()), 0x113f_db5c), (Array("123456789".utf8), 0xe306_9283), ([], 0),
    ] as [([UInt8], UInt32)])
  func crc32c(bytes: [UInt8], checksum: UInt32) {
    #expect(bytes.withUnsafeBytes { CRC32C.checksum($0) } == checksum)
    #expect(latent_crc32c_plain(bytes, bytes.count) == checksum)
  }

  /// With and without the instruction, at every length around its step.
  @Test func bothWaysOfCRC32CAgree() {
    var random = Random(seed: 11)
    let bytes = (0..<100).map { _ in UInt8.random(in: 0...255, using: &random) }
    for start in 0..<9 {
      for count in 0...(bytes.count - start) {
        bytes.withUnsafeBytes { bytes in
          let part = bytes.baseAddress.unsafelyUnwrapped + start
          #expect(latent_crc32c(part, count) == latent_crc32c_plain(part, count), "\(count)")
        }
      }
    }
  }
}
