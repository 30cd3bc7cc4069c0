// Planar flows: space is moved along one direction, by how far it is along another (Rezende and Mohamed 2015,
// equations 10 to 12, appendix A.1).
//
//   z' = z + uhat tanh(w z + b),   log |det| = log(1 + (1 - tanh^2) w uhat)
//   uhat = u + (m(w u) - w u) w / |w|^2,   m(a) = -1 + softplus(a)
//
// w uhat = m(w u) > -1, so that the map is invertible whatever the parameters. It is not the identity at u = 0: there
// w uhat = log 2 - 1; it is where w u = log(e - 1).

import LatentAutodiff
import LatentNumerics

/// `z + uhat tanh(w z + b)`, with no formula for the inverse.
public struct PlanarBijection: Bijection {
  /// Where w u has this value, the map is the identity: log(e - 1).
  public static let identityProduct = 0.541_324_854_612_918_1
  /// |w|^2 counts as at least this where it divides: w = 0 moves everything by `u tanh b`.
  public static let leastSquare = 1e-12

  /// u of the paper, before it is made admissible, `[batch, size]`.
  public let displacement: Tensor
  /// w, `[batch, size]`.
  public let direction: Tensor
  /// b, `[batch]`.
  public let offset: Tensor

  /// From u and w `[batch, size]` and b `[batch]`, any numbers.
  public init(displacement: Tensor, direction: Tensor, offset: Tensor) {
    self.displacement = displacement
    self.direction = direction
    self.offset = offset
  }

  public func forward(_ z: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let product = Tensor.dot(direction, displacement)
    let length = Tensor.dot(direction, direction)
    let divisor = maximum(length, length.zerosLike + PlanarBijection.leastSquare)
    let share = length / divisor
    let correction = softplus(product) - 1 - product
    let admissible = displacement + direction * (correction / divisor)
    let slope = product + correction * share
    // 1 + slope without the difference of near numbers.
    let above = softplus(product) * share + (product + 1) * (1 - share)
    let bend = tanh(Tensor.dot(direction, z) + offset.expandingDimension(at: offset.rank))
    let falls = (slope.detached + bend.zerosLike) .< 0
    let summed = Tensor.where(falls, above - square(bend) * slope, bend.onesLike)
    let near = Tensor.where(falls, bend.zerosLike, (1 - square(bend)) * slope)
    let logarithm = Tensor.where(falls, log(summed), log(onePlus: near))
    let value = z + admissible * bend
    return (value, logarithm.squeezed(-1).forEachVector(of: value))
  }
}
