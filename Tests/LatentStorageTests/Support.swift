// What the tests of this folder share.

import Foundation
import LatentNumerics
import Testing

@testable import LatentStorage

/// A folder that goes away with the object.
final class TemporaryFolder {
  let path: String

  init() throws {
    var template = Array("/tmp/latent-storage-XXXXXX".utf8CString)
    path = String(cString: try #require(mkdtemp(&template)))
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  func make(_ name: String, _ bytes: [UInt8]) throws -> String {
    try AtomicFile.write(bytes, to: file(name))
    return file(name)
  }

  func bytes(of name: String) throws -> [UInt8] {
    try FileStream.contents(of: file(name), limit: 1 << 30)
  }
}

extension TemporaryFolder {
  /// The path of a file that `scripts/references/hdf5.py` made.
  func reference(_ name: String) throws -> String {
    let packed = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Resources/\(name).h5.gz")
    return try make(
      "\(name).h5", Gzip.decompress([UInt8](Data(contentsOf: packed)), limit: 1 << 20))
  }
}

/// Seeds of random rounds: `count` of them, or more where `LATENT_TEST_ROUNDS` says how many times.
func seeds(_ count: Int) -> Range<UInt64> {
  let factor = ProcessInfo.processInfo.environment["LATENT_TEST_ROUNDS"].flatMap { Int($0) }
  return 0..<UInt64(count * max(factor ?? 1, 1))
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers in every run.
struct Random: RandomNumberGenerator {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

extension NDArray {
  /// Random bits of any type; among the floats are NaN and infinities.
  init(randomBits shape: Shape, _ dtype: DType, _ random: inout Random) {
    self.init(shape: shape, dtype) { buffer in
      for offset in stride(from: 0, to: buffer.count, by: 8) {
        Swift.withUnsafeBytes(of: random.next()) { word in
          UnsafeMutableRawBufferPointer(rebasing: buffer[offset...].prefix(8))
            .copyBytes(from: word.prefix(min(8, buffer.count - offset)))
        }
      }
    }
  }
}

enum Samples {
  static let shapes: [Shape] = [
    [], [0], [1], [7], [3, 4], [0, 5], [5, 0, 2], [2, 3, 4, 5], [1, 1, 1, 1, 1, 1, 1, 2],
    // More than one chunk of 1 MiB: along the only axis, the first, the last.
    [300_000], [300, 1_000], [2, 270_000],
  ]

  /// A small checkpoint of every kind of content.
  static func checkpoint() -> Checkpoint {
    Checkpoint(
      arrays: [
        "model/encoder.hidden.weight": NDArray((0..<48).map { Float($0) / 7 }, shape: [6, 8]),
        "model/encoder.hidden.bias": NDArray([1.5, -2, .nan, .infinity] as [Double]),
        "optimizer/moment1": NDArray(repeating: 0.25, shape: [6, 8]),
        "counters/step": NDArray([Int32(17)], shape: []),
        "random/key": NDArray([1, 2, 254, 255] as [UInt8]),
        "empty": NDArray([Float](), shape: [0, 3]),
      ],
      texts: ["description": #"{"model": "mlp", "name": "Größe"}"#, "nothing": ""])
  }
}

/// Damage as disks, networks and hands do it.
enum Mutation: CaseIterable {
  case flipBit, setByte, overwriteWord, truncate, extend, moveBlock, zeroBlock

  /// Bytes that differ from `bytes`; only those from `start` on are touched.
  static func random(of bytes: [UInt8], from start: Int = 0, _ random: inout Random) -> [UInt8] {
    while true {
      let mutation = allCases.randomElement(using: &random) ?? .flipBit
      let result = mutation.apply(bytes, start, &random)
      if result != bytes { return result }
    }
  }

  private func apply(_ bytes: [UInt8], _ start: Int, _ random: inout Random) -> [UInt8] {
    var result = bytes
    let position = Int.random(in: start..<bytes.count, using: &random)
    let length = Int.random(in: 1...min(64, bytes.count - position), using: &random)
    switch self {
    case .flipBit: result[position] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case .setByte: result[position] = [0, 0x7f, 0x80, 0xff].randomElement(using: &random) ?? 0
    case .overwriteWord:
      let words: [UInt64] = [.max, 1 << 63, 1 << 40, 0, random.next()]
      let word = words.randomElement(using: &random) ?? 0
      for index in 0..<min(8, bytes.count - position) {
        result[position + index] = UInt8(truncatingIfNeeded: word >> UInt64(8 * index))
      }
    case .truncate: result.removeLast(bytes.count - position)
    case .extend: for _ in 0..<length { result.append(UInt8.random(in: 0...255, using: &random)) }
    case .moveBlock:
      let source = Int.random(in: start...(bytes.count - length), using: &random)
      result.replaceSubrange(
        position..<(position + length), with: bytes[source..<(source + length)])
    case .zeroBlock: for index in 0..<length { result[position + index] = 0 }
    }
    return result
  }
}

/// The typed error that `body` throws; anything else is an issue.
@discardableResult
func storageError(
  _ note: String = "", sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Void
) -> StorageError? {
  do {
    try body()
    Issue.record("no error \(note)", sourceLocation: sourceLocation)
  } catch let error as StorageError {
    return error
  } catch {
    Issue.record("an error of another type \(note): \(error)", sourceLocation: sourceLocation)
  }
  return nil
}
