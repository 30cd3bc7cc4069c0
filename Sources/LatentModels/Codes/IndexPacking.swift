// Indices with no more bits than they need: what a compressed data set is.

import LatentAutodiff
import LatentNumerics

/// Packs the indices of latents, `[example, index]`, into bytes.
///
/// Of an index with K codes the ceil(log2 K) bits of its number are stored, none where there is one code. The bits of an
/// example follow one another in the order of its indices, the least bit of each first; bit b of the row is bit b mod 8 of
/// byte b / 8, bit 0 being the least. Each example begins with a new byte, and bits left in its last one are 0.
public struct IndexPacking: Sendable, Hashable {
  /// How many codes there are for each index of an example.
  public let counts: [Int]

  /// For indices below these counts.
  public init(counts: [Int]) { self.counts = counts }

  /// The bits of each index.
  public var bits: [Int] {
    counts.map { $0 <= 1 ? 0 : Int.bitWidth - ($0 - 1).leadingZeroBitCount }
  }

  /// The bytes of an example.
  public var bytesPerExample: Int { (bits.reduce(0, +) + 7) / 8 }

  /// int32 indices `[example, index]` to uint8 `[example, byte]`.
  /// - Throws: `CodeError` where one is none of the counts', such as a stage that was left out.
  public func packed(_ indices: NDArray) throws -> NDArray {
    guard indices.dtype == .int32, indices.shape.rank == 2, indices.shape[1] == counts.count else {
      throw CodeError.wrongShape(found: indices.shape, indices.dtype, expected: counts.count)
    }
    let (bits, length, values) = (bits, bytesPerExample, indices.int32s)
    var bytes = [UInt8](repeating: 0, count: indices.shape[0] * length)
    for example in 0..<indices.shape[0] {
      var bit = example * length * 8
      for (place, count) in counts.enumerated() {
        let value = Int(values[example * counts.count + place])
        guard (0..<count).contains(value) else {
          throw CodeError.noCode(index: value, place: place, 0..<count)
        }
        for position in 0..<bits[place] {
          bytes[bit / 8] |= UInt8(value >> position & 1) << (bit % 8)
          bit += 1
        }
      }
    }
    return NDArray(bytes, shape: [indices.shape[0], length])
  }

  /// uint8 `[example, byte]` to int32 indices `[example, index]`.
  /// - Throws: `CodeError` where the bytes are not as many as indices take, or hold a number that no index has.
  public func unpacked(_ bytes: NDArray) throws -> NDArray {
    let length = bytesPerExample
    guard bytes.dtype == .uint8, bytes.shape.rank == 2, bytes.shape[1] == length else {
      throw CodeError.wrongBytes(found: bytes.shape, bytes.dtype, expected: length)
    }
    let (bits, values) = (bits, bytes.elements(as: UInt8.self))
    var indices: [Int32] = []
    indices.reserveCapacity(bytes.shape[0] * counts.count)
    for example in 0..<bytes.shape[0] {
      var bit = example * length * 8
      for (place, count) in counts.enumerated() {
        var value = 0
        for position in 0..<bits[place] {
          value |= Int(values[bit / 8] >> (bit % 8) & 1) << position
          bit += 1
        }
        guard value < count else {
          throw CodeError.noCode(index: value, place: place, 0..<count)
        }
        indices.append(Int32(value))
      }
    }
    return NDArray(indices, shape: [bytes.shape[0], counts.count])
  }
}
