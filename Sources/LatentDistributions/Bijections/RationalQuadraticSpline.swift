// Monotone splines of rational quadratic pieces (Gregory and Delbourgo 1982; as flows Durkan, Bekasov, Murray and
// Papamakarios 2019, equations 4 to 8). With slope s = h / w of a bin and t = (x - x_k) / w:
//
//   y = y_k + h (s t^2 + d_k t (1 - t)) / (s + (d_k + d_{k+1} - 2 s) t (1 - t))
//
// Outside of the knots it is the identity.

import Foundation
import LatentAutodiff
import LatentNumerics

/// A monotone map of each element through knots, the identity outside of them.
public struct RationalQuadraticSpline: InvertibleBijection {
  /// The least width and height of a bin, as a share of all, and the least derivative, of splines from
  /// unconstrained numbers.
  public static let least = 1e-3
  /// Discriminants, positive but for rounding, count as at least this: a root has no derivative at 0.
  public static let leastDiscriminant = 1e-30

  /// x of the knots, rising, `[..., size, knots]`.
  public let inputs: Tensor
  /// y of the knots, rising, likewise.
  public let outputs: Tensor
  /// dy/dx at the knots, positive, likewise; 1 at both ends where the identity is to go on smoothly.
  public let derivatives: Tensor

  /// Through knots `[..., size, knots]`, three or more, whose first and last inputs are their outputs.
  public init(
    inputs: Tensor, outputs: Tensor, derivatives: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      inputs.rank >= 2 && inputs.shape[-1] >= 3 && inputs.shape == outputs.shape
        && inputs.shape == derivatives.shape,
      "RationalQuadraticSpline: knots \(inputs.shape), \(outputs.shape), \(derivatives.shape): "
        + "expected one shape [..., size, knots]", file: file, line: line)
    self.inputs = inputs
    self.outputs = outputs
    self.derivatives = derivatives
  }

  /// How many numbers a spline of so many bins takes for each element: widths, heights and inner derivatives.
  public static func parameterCount(bins: Int) -> Int { 3 * bins - 1 }

  /// On [-bound, bound] from numbers that may be anything, `[..., size, 3 bins - 1]`: logits of the widths, of the
  /// heights, then the derivatives at inner knots. Zeros are the identity.
  public init(
    unconstrained: Tensor, bound: Double, file: StaticString = #fileID, line: UInt = #line
  ) {
    let count = unconstrained.rank > 0 ? unconstrained.shape[-1] : 0
    let bins = (count + 1) / 3
    require(
      unconstrained.rank >= 2 && bins > 1 && 3 * bins - 1 == count && bound > 0,
      "RationalQuadraticSpline: parameters \(unconstrained.shape) within \(bound): expected "
        + "[..., size, 3 bins - 1] of 2 bins or more, and a positive bound", file: file, line: line)
    require(
      Double(bins) * RationalQuadraticSpline.least < 1,
      "RationalQuadraticSpline: \(bins) bins, of which each has a share of at least "
        + "\(RationalQuadraticSpline.least)", file: file, line: line)
    func part(_ range: Range<Int>) -> Tensor { unconstrained.sliced(-1, range) }
    let inner = part(2 * bins..<count)
    // softplus of such a steepness that zeros become the derivative 1 of the identity.
    let free = 1 - RationalQuadraticSpline.least
    let steepness = Foundation.log(2) / free
    let slopes = softplus(inner * steepness) / steepness + RationalQuadraticSpline.least
    let ones = part(0..<1).onesLike
    self.init(
      inputs: RationalQuadraticSpline.knots(part(0..<bins), bound),
      outputs: RationalQuadraticSpline.knots(part(bins..<2 * bins), bound),
      derivatives: Tensor.concatenate([ones, slopes, ones], axis: -1), file: file, line: line)
  }

  /// Knots from -bound to bound, exactly, with shares of what is between by softmax.
  private static func knots(_ logits: Tensor, _ bound: Double) -> Tensor {
    let bins = logits.shape[-1]
    let shares = softmax(logits) * (1 - Double(bins) * least) + least
    let ends = logits.sliced(-1, 0..<1).zerosLike
    let inner = shares.cumulativeSum(axis: -1).sliced(-1, 0..<bins - 1) * (2 * bound) - bound
    return Tensor.concatenate([ends - bound, inner, ends + bound], axis: -1)
  }

  /// A bin for each element.
  private struct Bin {
    let x, y, width, height, left, right: Tensor
    var slope: Tensor { height / width }
    /// d_k + d_{k+1} - 2 s.
    var excess: Tensor { left + right - slope * 2 }
  }

  /// The bins in which values lie, where `knots` are theirs: half open, but for the last, which has its end.
  private func bins(of value: Tensor, among knots: Tensor) -> Bin {
    let last = inputs.shape[-1] - 1
    let shape = value.shape.appending(last + 1)
    let inner = knots.detached.sliced(-1, 1..<last)
    let isRight = (value.detached.expandingDimension(at: value.rank) .>= inner)
    let index = isRight.sum(axes: [-1], keepingDimensions: true).converted(to: .int32)
    let all = [inputs, outputs, derivatives].map { $0.broadcast(to: shape) }
    func at(_ table: Int, _ offset: Int) -> Tensor {
      all[table].sliced(-1, offset..<last + offset).gathering(along: -1, index).squeezed(-1)
    }
    let (x, y) = (at(0, 0), at(1, 0))
    return Bin(
      x: x, y: y, width: at(0, 1) - x, height: at(1, 1) - y, left: at(2, 0), right: at(2, 1))
  }

  /// `value` where it lies between the ends of `knots`, else their first; and where it does.
  private func inside(_ value: Tensor, _ knots: Tensor) -> (Tensor, isInside: Tensor) {
    let (low, high) = (knots.selecting(0, axis: -1), knots.selecting(knots.shape[-1] - 1, axis: -1))
    let isInside = (value.detached .>= low.detached) * (value.detached .<= high.detached)
    return (Tensor.where(isInside, value, low.detached), isInside)
  }

  /// log dy/dx at the place t of a bin.
  private func logDerivative(_ bin: Bin, _ t: Tensor) -> Tensor {
    let rest = 1 - t
    let (slope, product) = (bin.slope, t * rest)
    let numerator = bin.right * square(t) + slope * product * 2 + bin.left * square(rest)
    return log(slope) * 2 + log(numerator) - log(slope + bin.excess * product) * 2
  }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let x = x.broadcast(to: common(x))
    let (safe, isInside) = inside(x, inputs)
    let bin = bins(of: safe, among: inputs)
    let t = (safe - bin.x) / bin.width
    let product = t * (1 - t)
    let numerator = bin.height * (bin.slope * square(t) + bin.left * product)
    let value = bin.y + numerator / (bin.slope + bin.excess * product)
    let logs = Tensor.where(isInside, logDerivative(bin, t), t.zerosLike)
    return (Tensor.where(isInside, value, x), logs.sum(axes: [-1]))
  }

  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let y = y.broadcast(to: common(y))
    let (safe, isInside) = inside(y, outputs)
    let bin = bins(of: safe, among: outputs)
    let rise = safe - bin.y
    let bent = rise * bin.excess
    let a = bent + bin.height * (bin.slope - bin.left)
    let b = bin.height * bin.left - bent
    let c = -(bin.slope * rise)
    let discriminant = square(b) - a * c * 4
    let root = sqrt(
      maximum(discriminant, discriminant.zerosLike + RationalQuadraticSpline.leastDiscriminant))
    let t = c * 2 / (-b - root)
    let value = bin.x + t * bin.width
    let logs = Tensor.where(isInside, logDerivative(bin, t), t.zerosLike)
    return (Tensor.where(isInside, value, y), -(logs.sum(axes: [-1])))
  }

  /// The shape that values and knots broadcast to.
  private func common(_ value: Tensor) -> Shape {
    let own = inputs.shape.prefix(inputs.rank - 1)
    guard let shape = value.shape.broadcast(with: own) else {
      fatalError("RationalQuadraticSpline: values \(value.shape) for splines of \(own)")
    }
    return shape
  }
}
