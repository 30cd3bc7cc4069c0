// Points between two latents, and latents with one element moved.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The path between two latents.
public enum Interpolation: String, Sendable, CaseIterable, Codable {
  /// Along the straight line.
  case linear
  /// Along the great circle (Shoemake 1985; White 2016 for latents), which keeps the norm that
  /// samples of a high-dimensional normal have.
  case spherical
}

/// Points on the path from `start` to `end`, ends included: `[steps] + shape`.
public func interpolated(
  from start: Tensor, to end: Tensor, steps: Int, _ path: Interpolation,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    start.shape == end.shape && start.rank > 0,
    "interpolation from shape \(start.shape) to \(end.shape)", file: file, line: line)
  require(
    steps >= 2, "an interpolation has at least 2 steps: found \(steps)", file: file, line: line)
  let fractions = (0..<steps).map { Double($0) / Double(steps - 1) }
  if path == .linear {
    return Tensor.stack(fractions.map { start * (1 - $0) + end * $0 })
  }
  let angles = angles(start.doubles, end.doubles, size: start.shape[-1])
  func weights(_ fraction: Double) -> (Tensor, Tensor) {
    let pairs = angles.map { angle -> (Double, Double) in
      // Along one line there is no circle, or any.
      if angle < 1e-4 || angle > .pi - 1e-4 { return (1 - fraction, fraction) }
      return (
        Foundation.sin((1 - fraction) * angle) / Foundation.sin(angle),
        Foundation.sin(fraction * angle) / Foundation.sin(angle)
      )
    }
    let shape = start.shape.replacing(-1, with: 1)
    return (
      Tensor(pairs.map(\.0), shape: shape).converted(to: start.dtype),
      Tensor(pairs.map(\.1), shape: shape).converted(to: start.dtype)
    )
  }
  return Tensor.stack(
    fractions.map { fraction in
      let (a, b) = weights(fraction)
      return start * a + end * b
    })
}

/// The angles between the vectors of `size` elements of two lists, in radians; 0 for a vector of zeros.
///
/// Each vector is scaled by its own length first, so that no square overflows, and the angle comes from
/// sum and difference of the unit vectors (Kahan 2006), which is right to the last digits near 0 and pi,
/// where the arc cosine has half of them.
private func angles(_ first: [Double], _ second: [Double], size: Int) -> [Double] {
  func units(_ vector: ArraySlice<Double>) -> [Double] {
    let largest = vector.reduce(0) { max($0, abs($1)) }
    let scaled = vector.map { $0 / max(largest, .leastNormalMagnitude) }
    let length = scaled.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return scaled.map { $0 / max(length, .leastNormalMagnitude) }
  }
  func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  return stride(from: 0, to: first.count, by: max(1, size)).map { start in
    let (a, b) = (units(first[start..<start + size]), units(second[start..<start + size]))
    let apart = length(zip(a, b).map { $0 - $1 })
    let together = length(zip(a, b).map { $0 + $1 })
    let isZero = length(a) == 0 || length(b) == 0
    return isZero ? 0 : 2 * Foundation.atan2(apart, together)
  }
}

/// Copies of `z` `[latent]` with `dimension` at each of `values`: `[values, latent]`.
public func traversal(
  of z: Tensor, dimension: Int, values: [Double], file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    z.rank == 1, "a traversal starts at one latent [latent]: found \(z.shape)", file: file,
    line: line)
  require(
    dimension >= 0 && dimension < z.count, "latent \(dimension) of \(z.count)", file: file,
    line: line)
  return Tensor.stack(
    values.map { value in
      var list = z.doubles
      list[dimension] = value
      return Tensor(list).converted(to: z.dtype)
    })
}
