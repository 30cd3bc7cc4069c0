// Every damaged file is refused by a typed error; none crashes, hangs or yields other numbers.

import LatentNumerics
import Testing

@testable import LatentStorage

@Suite struct CheckpointDamageTests {
  static let valid = try? Samples.checkpoint().encoded()

  @Test func everyBitOfTheHeaderCounts() throws {
    let valid = try #require(Self.valid)
    for bit in 0..<(CheckpointHeader.size * 8) {
      var bytes = valid
      bytes[bit / 8] ^= 1 << UInt8(bit % 8)
      let error = storageError("bit \(bit)") { _ = try Checkpoint(decoding: bytes) }
      #expect(error?.kind == .badData, "bit \(bit)")
    }
  }

  @Test func everyLengthCounts() throws {
    let valid = try #require(Self.valid)
    for length in [0, 1, 7, 8, 59, 60, 511, 512, 513, 600, valid.count - 1] {
      storageError("length \(length)") { _ = try Checkpoint(decoding: Array(valid[..<length])) }
    }
    storageError { _ = try Checkpoint(decoding: valid + [0]) }
  }

  @Test func randomDamageIsRefused() throws {
    let valid = try #require(Self.valid)
    for seed in seeds(2_000) {
      var random = Random(seed: seed)
      let bytes = Mutation.random(of: valid, &random)
      let error = storageError("seed \(seed)") { _ = try Checkpoint(decoding: bytes) }
      #expect(error?.kind == .badData, "seed \(seed)")
    }
  }

  /// With the digest made right again the damage reaches HDF5, whose checksums protect the whole
  /// structure and most of the numbers: Fletcher-32 takes 0x0000 for 0xffff, and a chunk zeroed
  /// with its checksum for a chunk of zeros (10 of 60,000 mutations). Hence our digest.
  @Test func damageBehindARightDigestNeverCrashes() throws {
    let valid = try #require(Self.valid)
    let contents = Samples.checkpoint()
    for seed in seeds(600) {
      var random = Random(seed: seed)
      var bytes = Mutation.random(of: valid, from: CheckpointHeader.size, &random)
      bytes.withUnsafeMutableBytes { CheckpointHeader.seal($0) }
      do {
        let decoded = try Checkpoint(decoding: bytes)
        #expect(decoded.texts == contents.texts, "seed \(seed)")
        #expect(
          decoded.arrays.mapValues(\.shape) == contents.arrays.mapValues(\.shape), "seed \(seed)")
      } catch let error as StorageError {
        #expect(error.kind == .badData, "seed \(seed)")
      }
    }
  }

  @Test(arguments: Fixtures.hostile.indices)
  func hostileStructuresAreRefused(index: Int) throws {
    let (name, text, says) = Fixtures.hostile[index]
    let bytes = try Fixtures.sealed(text)
    let error = storageError(name) { _ = try Checkpoint(decoding: bytes) }
    #expect(error?.kind == .badData)
    #expect(error?.description.contains(says) == true, "\(name): \(error as Any)")
  }

  @Test func aCheckpointMadeElsewhereIsRead() throws {
    let checkpoint = try Checkpoint(decoding: Fixtures.sealed(Fixtures.good))
    let expected = NDArray([0, 1, 2, 3, 4, 5] as [Float], shape: [2, 3])
    #expect(checkpoint == Checkpoint(arrays: ["a/b": expected], texts: ["t": "hi"]))
  }

  @Test func newerFormats() throws {
    var bytes = try #require(Self.valid)
    // A newer writer whose files this reader still understands.
    bytes.withUnsafeMutableBytes { CheckpointHeader.seal($0, formatVersion: 9, minimumReader: 1) }
    #expect(try Checkpoint(decoding: bytes) == Samples.checkpoint())
    bytes.withUnsafeMutableBytes { CheckpointHeader.seal($0, formatVersion: 9, minimumReader: 7) }
    let error = storageError { _ = try Checkpoint(decoding: bytes, source: "run/a.h5") }
    #expect(
      error
        == .tooNew(file: "run/a.h5", formatVersion: 9, minimumReader: 7, supported: 2))
    for (version, minimum) in [(0, 0), (1, 0), (0, 1)] {
      bytes.withUnsafeMutableBytes {
        CheckpointHeader.seal($0, formatVersion: version, minimumReader: minimum)
      }
      storageError { _ = try Checkpoint(decoding: bytes) }
    }
  }

  @Test func missingAndForeignFiles() throws {
    let folder = try TemporaryFolder()
    #expect(
      storageError { _ = try Checkpoint(contentsOf: folder.file("none")) }
        == .missing(file: folder.file("none")))
    #expect(storageError { _ = try Checkpoint(contentsOf: folder.path) }?.kind == .unreadable)
    for bytes in [[], Array("hello".utf8), [UInt8](repeating: 0, count: 5_000)] {
      let path = try folder.make("other", bytes)
      #expect(storageError { _ = try Checkpoint(contentsOf: path) }?.kind == .badData)
    }
  }
}
