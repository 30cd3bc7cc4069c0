// Points between two latents, and latents with one element moved.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The path between two latents.
public enum Interpolation: String, Sendable, CaseIterable, Codable {
  /// Along the straight line.
  case linear
  /// Along the great circle (Shoemake 1985; White 2016 for latents), which keeps the norm that
  /// samples of a high-dimensional normal have. Between vectors of different norms the sines weigh the vectors
  /// as they are.
  case spherical
  /// The same directions, with norms that change evenly from one end's to the other's.
  case sphericalNorm = "spherical-norm"
}

/// Points on the path from `start` to `end`, ends included: `[steps] + shape`.
///
/// Vectors on one line through the origin have no great circle or any: between them the path is straight.
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
  let size = start.shape[-1]
  let corners = corners(start.doubles, end.doubles, size: size)
  func weights(_ fraction: Double) -> (Tensor, Tensor) {
    let pairs = corners.map { corner -> (Double, Double) in
      let (angle, norms) = (corner.angle, corner.norms)
      if angle < 1e-4 || angle > .pi - 1e-4 { return (1 - fraction, fraction) }
      let (a, b) = (
        Foundation.sin((1 - fraction) * angle) / Foundation.sin(angle),
        Foundation.sin(fraction * angle) / Foundation.sin(angle)
      )
      if path == .spherical { return (a, b) }
      let norm = (1 - fraction) * norms.start + fraction * norms.end
      return (a * (norm / norms.start), b * (norm / norms.end))
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

/// The angles between the vectors of `size` elements of two lists, in radians, 0 for a vector of zeros, and their
/// norms.
///
/// Each vector is scaled by its own largest element first, so that no square overflows, and the angle comes from
/// sum and difference of the unit vectors (Kahan 2006), which is right to the last digits near 0 and pi,
/// where the arc cosine has half of them.
private func corners(
  _ first: [Double], _ second: [Double], size: Int
) -> [(angle: Double, norms: (start: Double, end: Double))] {
  func length(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 }.squareRoot() }
  func unit(_ vector: ArraySlice<Double>) -> (direction: [Double], norm: Double) {
    let largest = max(vector.reduce(0) { max($0, abs($1)) }, .leastNormalMagnitude)
    let scaled = vector.map { $0 / largest }
    let norm = length(scaled)
    return (scaled.map { $0 / max(norm, .leastNormalMagnitude) }, largest * norm)
  }
  return stride(from: 0, to: first.count, by: max(1, size)).map { start in
    let (a, b) = (unit(first[start..<start + size]), unit(second[start..<start + size]))
    let apart = length(zip(a.direction, b.direction).map { $0 - $1 })
    let together = length(zip(a.direction, b.direction).map { $0 + $1 })
    let isZero = a.norm == 0 || b.norm == 0
    return (isZero ? 0 : 2 * Foundation.atan2(apart, together), (a.norm, b.norm))
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
