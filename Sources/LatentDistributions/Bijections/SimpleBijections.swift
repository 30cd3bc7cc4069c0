// The bijections that others are built with: an affine map of each element, and another order of the elements.

import LatentAutodiff
import LatentNumerics

/// `y = x e^s + t` element by element; log |det| = sum s.
public struct AffineBijection: InvertibleBijection {
  /// t, `[..., size]` or what broadcasts with it.
  public let shift: Tensor
  /// s, likewise.
  public let logScale: Tensor

  /// From t and s, which broadcast against the values.
  public init(shift: Tensor, logScale: Tensor) {
    (self.shift, self.logScale) = (shift, logScale)
  }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let value = x * exp(logScale) + shift
    return (value, logScale.broadcast(to: value.shape).sum(axes: [-1]))
  }

  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let value = (y - shift) * exp(-logScale)
    return (value, -(logScale.broadcast(to: value.shape).sum(axes: [-1])))
  }
}

/// The elements of a vector in another order: `y_i = x_order(i)`; volumes stay.
public struct PermutationBijection: InvertibleBijection {
  /// From where each element of the result comes.
  public let order: [Int]

  /// Traps unless `order` has each position from 0 once.
  public init(_ order: [Int], file: StaticString = #fileID, line: UInt = #line) {
    require(
      order.sorted() == Array(order.indices),
      "PermutationBijection: \(order) is no order of \(order.count) elements", file: file,
      line: line)
    self.order = order
  }

  /// The last element first.
  public static func reversal(_ size: Int) -> PermutationBijection {
    PermutationBijection((0..<size).reversed())
  }

  /// Every element where it is.
  public static func identity(_ size: Int) -> PermutationBijection {
    PermutationBijection(Array(0..<size))
  }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    (ordered(x, order), x.withoutChange)
  }

  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    var back = order
    for (position, source) in order.enumerated() { back[source] = position }
    return (ordered(y, back), y.withoutChange)
  }

  private func ordered(_ x: Tensor, _ order: [Int]) -> Tensor {
    if order == Array(order.indices) { return x }
    return x.gathering(Tensor(order.map { Int32($0) }), axis: -1)
  }
}
