// Rotary positions (Su et al. 2021, "RoFormer", equation 34): neighbouring pairs of a head's
// elements are turned by an angle proportional to the position, so that the product of a query and
// a key depends on how far they are apart.

import CLatentKernels
import Foundation

/// Cosines and sines of `position * base^(-2 i / headSize)` for pair i of a head.
public struct RotaryAngles: Sendable, Hashable {
  /// Positions that have angles.
  public let length: Int
  /// The width of a head: twice the number of angles of a position.
  public let headSize: Int
  /// The angle of pair i of position p is p / base^(2 i / headSize), in radians.
  public let base: Double

  /// Traps unless the head's size is even.
  public init(
    length: Int, headSize: Int, base: Double = 10_000, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      length > 0 && headSize > 0 && headSize % 2 == 0 && base > 0,
      "rotary positions of \(length) positions, heads of \(headSize), base \(base): expected an "
        + "even head size", file: file, line: line)
    self.length = length
    self.headSize = headSize
    self.base = base
  }

  /// `[positions, headSize]`: cosine and sine of each pair side by side.
  package func table(_ positions: Range<Int>, _ dtype: DType) -> NDArray {
    require(
      positions.lowerBound >= 0 && positions.upperBound <= length,
      "rotary positions \(positions) of \(length)")
    var values: [Double] = []
    values.reserveCapacity(positions.count * headSize)
    for position in positions {
      for pair in 0..<(headSize / 2) {
        let angle = Double(position) * pow(base, -2 * Double(pair) / Double(headSize))
        values.append(cos(angle))
        values.append(sin(angle))
      }
    }
    return NDArray(values, shape: [positions.count, headSize]).converted(to: dtype)
  }
}

extension NDArray {
  /// The pairs (2 i, 2 i + 1) of each head in the first `columns` of the last axis, turned by the
  /// `angles` `[length, headSize]` of their position: `[..., length, width] -> [..., length,
  /// width]`.
  package func rotatingPairs(by angles: NDArray, columns: Int, inverse: Bool) -> NDArray {
    require(
      shape.rank >= 2 && angles.shape.rank == 2 && angles.shape[0] == shape[-2]
        && angles.dtype == dtype && dtype.isFloatingPoint && columns <= shape[-1]
        && columns % max(angles.shape[1], 1) == 0,
      "rotary positions: \(columns) columns of \(shape) of \(dtype), angles \(angles.shape) of "
        + "\(angles.dtype)")
    let result = NDArray(uninitialized: shape, dtype)
    let width = shape[-1]
    latent_rotate_pairs(
      dtype.kernel, Int64(width == 0 ? 0 : count / width), Int64(shape[-2]), Int64(width),
      Int64(columns), Int64(angles.shape[1]), inverse, angles.pointer, pointer,
      result.freshPointer)
    keepAlive(storage)
    keepAlive(angles.storage)
    return result
  }
}
