// Radial flows: space is drawn towards a point or pushed away from it (Rezende and Mohamed 2015, equation 14).
//
//   z' = z + beta h (z - z0),   h = 1 / (alpha + r),   r = |z - z0|
//   log |det| = (d - 1) log(1 + beta h) + log(1 + beta h - beta r h^2)
//
// alpha = e^a > 0 and beta = softplus(b) - alpha > -alpha keep it invertible. With s = softplus(b) both arguments are
// quotients of positive sums: (s + r) / (alpha + r) and (alpha s + 2 alpha r + r^2) / (alpha + r)^2.

import LatentAutodiff
import LatentNumerics

/// `z + beta (z - z0) / (alpha + |z - z0|)`, with no formula for the inverse here.
public struct RadialBijection: Bijection {
  /// With the log-width 0, the strength at which the map is the identity: log(e - 1).
  public static let identityStrength = PlanarBijection.identityProduct

  /// z0, `[batch, size]`.
  public let center: Tensor
  /// a, the logarithm of alpha, `[batch]`.
  public let logWidth: Tensor
  /// b: beta = softplus(b) - alpha, `[batch]`.
  public let strength: Tensor

  /// From z0 `[batch, size]`, a and b `[batch]`, any numbers.
  public init(center: Tensor, logWidth: Tensor, strength: Tensor) {
    self.center = center
    self.logWidth = logWidth
    self.strength = strength
  }

  public func forward(_ z: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let alpha = exp(logWidth.expandingDimension(at: logWidth.rank))
    let positive = softplus(strength.expandingDimension(at: strength.rank))
    let difference = z - center
    let squares = Tensor.dot(difference, difference)
    // At the centre the distance has no derivative; 0 is the mean of those around it.
    let isApart = squares.detached .!= 0
    let distance =
      sqrt(Tensor.where(isApart, squares, squares.onesLike)) * isApart
    let sum = alpha + distance
    let value = z + difference * ((positive - alpha) / sum)
    let across = log(distance + positive) - log(sum)
    let along = log(alpha * positive + distance * (alpha * 2 + distance)) - log(sum) * 2
    let logarithm = across * Double(value.shape[-1] - 1) + along
    return (value, logarithm.squeezed(-1).forEachVector(of: value))
  }
}
