// The Poincare ball: hyperbolic space, whose volume grows with the radius as the number of nodes of a tree does with
// the depth (Nickel and Kiela 2017; Mathieu et al. 2019, "Continuous hierarchical representations with Poincare
// variational auto-encoders", section 2).
//
// Every formula is written with s = c |x - y|^2 / ((1 - c |x|^2)(1 - c |y|^2)), which cancels neither near the point
// nor near the boundary: the distance is 2 asinh(sqrt s) / sqrt c, and all is smooth where x = y and where c = 0.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The ball of curvature -c: points `[..., n]` with c |z|^2 < 1; all of space where c = 0, at half of its coordinates.
public struct PoincareBall: Sendable, Hashable {
  /// c, not negative.
  public let curvature: Double

  /// Traps unless `curvature`, which is -c, is given as c from 0 on.
  public init(curvature: Double = 1, file: StaticString = #fileID, line: UInt = #line) {
    require(
      curvature >= 0 && curvature.isFinite, "a Poincare ball of curvature -\(curvature)",
      file: file,
      line: line)
    self.curvature = curvature
  }

  /// Where the elements of its points lie; numbers of which not every combination is a point.
  var support: Support {
    let radius = 1 / curvature.squareRoot()
    return radius.isFinite ? Support.interval(-radius...radius).open : .reals
  }

  private func squares(_ x: Tensor) -> Tensor {
    square(x).sum(axes: [-1], keepingDimensions: true)
  }

  private func products(_ x: Tensor, _ y: Tensor) -> Tensor {
    (x * y).sum(axes: [-1], keepingDimensions: true)
  }

  /// 1 - c |z|^2, which is 2 / lambda, `[..., 1]`.
  private func gap(_ z: Tensor) -> Tensor { 1 - squares(z) * curvature }

  /// How far from the boundary, as a part of the radius, the numbers of a type still tell points apart: coordinates
  /// end there, at a distance of 9.9 / sqrt c from 0 in float32 and 23.7 / sqrt c in float64.
  static func margin(_ dtype: DType) -> Double { dtype == .float64 ? 1e-10 : 1e-4 }

  /// The distance from 0 at which the coordinates of a type end (`inside`); infinite where c = 0.
  public func reach(_ dtype: DType) -> Double {
    let margin = PoincareBall.margin(dtype)
    return Foundation.log((2 - margin) / margin) / curvature.squareRoot()
  }

  /// Points `[..., n]` inside the margin, where the others are moved to it along the radius.
  public func inside(_ z: Tensor) -> Tensor {
    if curvature == 0 { return z }
    let limit = (1 - PoincareBall.margin(z.dtype)) / curvature.squareRoot()
    let length = squares(z)
    let isOutside = length.detached .> limit * limit
    let safe = Tensor.where(isOutside, length, length.onesLike)
    return z * Tensor.where(isOutside, reciprocalSqrt(safe) * limit, length.onesLike)
  }

  /// x + y in the ball (Moebius addition), `[..., n]`.
  public func sum(_ x: Tensor, _ y: Tensor) -> Tensor {
    let c = curvature
    let (xy, xx, yy) = (products(x, y), squares(x), squares(y))
    let numerator = (1 + xy * (2 * c) + yy * c) * x + (1 - xx * c) * y
    return numerator / (1 + xy * (2 * c) + xx * yy * (c * c))
  }

  /// |x - y|^2 / ((1 - c |x|^2)(1 - c |y|^2)), `[..., 1]`.
  private func spread(_ x: Tensor, _ y: Tensor) -> Tensor {
    squares(x - y) / (gap(x) * gap(y))
  }

  /// The squared distance of two points, `[...]`.
  public func squaredDistance(_ x: Tensor, _ y: Tensor) -> Tensor {
    let spread = spread(x, y)
    return (spread * square(areaSineRatio(spread * curvature)) * 4).squeezed(-1)
  }

  /// The point that is reached from `origin` in the direction of `v`, as far as v is long, `[..., n]`: the exponential
  /// map of v / lambda.
  public func exponential(at origin: Tensor, of v: Tensor) -> Tensor {
    sum(origin, v * halfTangentRatio(squares(v) * curvature))
  }

  /// The vector that leads from `origin` to a point, as long as they are apart, `[..., n]`: lambda times the
  /// logarithmic map.
  public func logarithm(at origin: Tensor, of z: Tensor) -> Tensor {
    let s = spread(origin, z) * curvature
    // (-origin) + z of the ball, written without cancellation where they are near.
    let difference = z - origin
    let distance = squares(difference)
    let numerator = gap(origin) * difference - distance * curvature * origin
    let relative = numerator / (gap(origin) * gap(z) + distance * curvature)
    return relative * areaSineRatio(s) * sqrt(s + 1) * 2
  }

  /// log of the volume at a point over that of its coordinates, n log lambda, `[...]`: what is added to a density with
  /// respect to volume to have one with respect to coordinates.
  public func logVolume(at z: Tensor) -> Tensor {
    (logTwo - log(gap(z)).squeezed(-1)) * Double(z.shape[-1])
  }

  /// log of the growth of volume with the distance, `[...]`: (n - 1) log(sinh(sqrt c r) / (sqrt c r)), of vectors
  /// `[..., n]` of length r.
  func logGrowth(_ v: Tensor) -> Tensor {
    logHyperbolicSineRatio(squares(v).squeezed(-1) * curvature) * Double(v.shape[-1] - 1)
  }

  /// Points on the shortest path between two, at equal distances, ends included: `[steps, ..., n]`.
  public func path(
    from start: Tensor, to end: Tensor, steps: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(steps >= 2, "a path of at least 2 steps: found \(steps)", file: file, line: line)
    let whole = logarithm(at: start, of: end)
    return Tensor.stack(
      (0..<steps).map { step in
        inside(exponential(at: start, of: whole * (Double(step) / Double(steps - 1))))
      })
  }
}
