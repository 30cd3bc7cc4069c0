// Householder flows: reflections, whose products are all orthogonal matrices. They turn a diagonal covariance into a
// full one (Tomczak and Welling 2016).
//
//   z' = z - 2 v (v z) / |v|^2,   |det| = 1

import LatentAutodiff
import LatentNumerics

/// The reflection at the plane that v is perpendicular to; lengths and volumes stay, and twice it is the identity.
public struct HouseholderBijection: InvertibleBijection {
  /// |v|^2 counts as at least this: v = 0 is the identity.
  public static let leastSquare = 1e-30

  /// v, `[batch, size]`, of any length.
  public let normal: Tensor

  /// From v, `[batch, size]`.
  public init(normal: Tensor) { self.normal = normal }

  /// x `[..., size]` without twice its part along v.
  func reflected(_ x: Tensor) -> Tensor {
    let square = Tensor.dot(normal, normal)
    let divisor = maximum(square, square.zerosLike + HouseholderBijection.leastSquare)
    return x - normal * (Tensor.dot(normal, x) * 2 / divisor)
  }

  public func forward(_ z: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let value = reflected(z)
    return (value, value.withoutChange)
  }

  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) { forward(y) }
}
