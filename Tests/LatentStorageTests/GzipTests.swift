// Gzip against bytes made by Python, and against attacks.

import Testing

@testable import LatentStorage

@Suite struct GzipTests {
  /// gzip.compress(b"hello, latent\n" * 3, mtime=0) of Python 3.11.
  @Test func bytesOfPython() throws {
    let packed: [UInt8] = [
      0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
      0xd7, 0x51, 0xc8, 0x49, 0x2c, 0x49, 0xcd, 0x2b, 0xe1, 0xca, 0xc0, 0xc3, 0x03, 0x00, 0xd8,
      0x59, 0xa2, 0x24, 0x2a, 0x00, 0x00, 0x00,
    ]
    let text = String(decoding: try Gzip.decompress(packed, limit: 100), as: UTF8.self)
    #expect(text == String(repeating: "hello, latent\n", count: 3))
  }

  @Test(arguments: [0, 1, 100, 65_535, 65_536, 65_537, 500_000])
  func everyLengthComesBack(length: Int) throws {
    var random = Random(seed: UInt64(length))
    let noise = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    for bytes in [noise, [UInt8](repeating: 7, count: length)] {
      let packed = Gzip.compress(bytes)
      #expect(packed == Gzip.compress(bytes))
      #expect(try Gzip.decompress(packed, limit: length) == bytes)
    }
  }

  @Test func membersFollowEachOther() throws {
    let two = Gzip.compress([1, 2, 3]) + Gzip.compress([]) + Gzip.compress([4])
    #expect(try Gzip.decompress(two, limit: 4) == [1, 2, 3, 4])
  }

  @Test func everythingElseIsRefused() throws {
    let valid = Gzip.compress(Array("The quick brown fox jumps over the lazy dog".utf8))
    for length in 0..<valid.count {
      storageError("length \(length)") {
        _ = try Gzip.decompress(Array(valid[..<length]), limit: 100)
      }
    }
    for extra in [[0], [0x1f], [0x1f, 0x8b], Array("garbage".utf8)] as [[UInt8]] {
      storageError("\(extra)") { _ = try Gzip.decompress(valid + extra, limit: 100) }
    }
    // The checksum and the length that follow the data.
    for index in (valid.count - 8)..<valid.count {
      var bytes = valid
      bytes[index] ^= 1
      storageError("trailer byte \(index)") { _ = try Gzip.decompress(bytes, limit: 100) }
    }
  }

  @Test func bombsStopAtTheLimit() throws {
    let bomb = Gzip.compress([UInt8](repeating: 0, count: 50 << 20))
    #expect(bomb.count < 60_000)
    let error = storageError { _ = try Gzip.decompress(bomb, limit: 1000, source: "a.gz") }
    #expect(
      error
        == .damaged(
          file: "a.gz", place: "the contents", found: "more than 1000 bytes",
          expected: "at most that"))
  }

  @Test func randomDamageNeverCrashes() throws {
    var random = Random(seed: 5)
    let text = (0..<2_000).map { _ in UInt8.random(in: 97...101, using: &random) }
    let valid = Gzip.compress(text)
    for seed in seeds(2_000) {
      var random = Random(seed: seed)
      do {
        // Bytes of the gzip header that mean nothing (time, system) may change.
        let bytes = try Gzip.decompress(Mutation.random(of: valid, &random), limit: 10_000)
        #expect(bytes == text, "seed \(seed)")
      } catch let error as StorageError {
        #expect(error.kind == .badData)
      }
    }
  }
}
