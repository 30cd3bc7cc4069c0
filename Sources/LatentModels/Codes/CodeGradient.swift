// How a derivative passes a code book, in which a nearest code is looked up: no formula has a derivative there.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// What takes the place of the derivative of a code with respect to the vector that it is nearest to.
public enum CodeGradient: String, SettingWord {
  /// The identity (van den Oord et al. 2017).
  case straightThrough = "straight-through"
  /// The rotation that turns the vector to the code, times the quotient of their lengths (Fifty et al. 2024, equation 4):
  /// vectors of one code get derivatives that differ as the vectors do.
  case rotation
  /// None: training goes on from a place as far away from the vector as the code, in a direction near the code's, and
  /// derivatives of the loss move vector and code along it (DiVeQ, arXiv 2509.26469).
  case diveq
}

/// The codes to the bit, with the derivative of `|e| / |z| R z`, where R z has the direction of e and R is a constant:
/// R = I - 2 r r^T + 2 b a^T with a = z / |z|, b = e / |e|, r = (a + b) / |a + b| (Fifty et al. 2024, arXiv 2410.06424).
///
/// Rows in which one of them is zero or they are opposite, so that there is no such rotation, pass straight through.
func rotated(from z: Tensor, to codes: Tensor) -> Tensor {
  let code = codes.detached
  if !z.isRecorded { return code }
  let vector = z.detached
  func lengths(_ x: Tensor) -> Tensor { sqrt(square(x).sum(axes: [1], keepingDimensions: true)) }
  func dot(_ x: Tensor, _ y: Tensor) -> Tensor { (x * y).sum(axes: [1], keepingDimensions: true) }
  // Divisions by what is zero are by 1: such rows are not used.
  func divisor(_ x: Tensor) -> Tensor { Tensor.where(x .> 0, x, x.onesLike) }
  let (long, short) = (lengths(vector), lengths(code))
  let (a, b) = (vector / divisor(long), code / divisor(short))
  let sum = a + b
  let middle = lengths(sum)
  let r = sum / divisor(middle)
  let turned = (z - r * (dot(r, z) * 2) + b * (dot(a, z) * 2)) * (short / divisor(long))
  let isDefined = (long .> 0) * (short .> 0) * (middle .> smallestMiddle)
  return code.withDerivative(of: Tensor.where(isDefined.broadcast(to: z.shape), turned, z))
}

/// |a + b| of unit vectors that count as opposite: r would be made of rounding.
private let smallestMiddle = 1e-3

/// `z + |e - z| u`, where u is the constant unit vector along `e - z + s n`, n drawn from N(0, I), s² = `variance`: as far
/// from z as e is.
func diverted(
  from z: Tensor, to codes: Tensor, variance: Double, using random: inout RandomStream
) -> Tensor {
  let difference = codes - z
  let noise = random.normalTensor(z.shape, z.dtype) * variance.squareRoot()
  let direction = difference.detached + noise
  func squared(_ x: Tensor) -> Tensor { square(x).sum(axes: [1], keepingDimensions: true) }
  // The root of what is zero has no slope; such vectors are at their codes.
  func length(_ x: Tensor) -> Tensor {
    let squares = squared(x)
    let isAway = squares.detached .> 0
    let root = sqrt(Tensor.where(isAway, squares, squares.onesLike))
    return Tensor.where(isAway, root, root.zerosLike)
  }
  let norm = length(direction)
  let unit = direction / Tensor.where(norm .> 0, norm, norm.onesLike)
  return z + length(difference) * unit.detached
}
