// Maps whose change of volume is known: what makes a simple distribution a flexible one without losing its density
// (Tabak and Turner 2013; Rezende and Mohamed 2015).
//
//   z' = f(z),   log q(z') = log q(z) - log |det df/dz|

import LatentAutodiff
import LatentNumerics

/// An invertible, differentiable map of vectors onto vectors of the same size, with its change of volume.
///
/// Parameters have a batch, `[batch, ...]`, and broadcast against values with sample axes in front,
/// `[sample, batch, size]`. That there is an inverse does not say that anybody knows a formula for it: what does,
/// is an ``InvertibleBijection``.
public protocol Bijection: Sendable {
  /// How many trailing axes are mapped together: 1, a vector, unless a map says otherwise.
  var eventRank: Int { get }
  /// f(x) `[..., size]` and log |det df/dx| `[...]`.
  func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor)
}

/// A bijection whose inverse can be computed.
public protocol InvertibleBijection: Bijection {
  /// The x with f(x) = y, `[..., size]`, and log |det dx/dy| `[...]`, the negative of the determinant at x.
  func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor)
}

extension Bijection {
  public var eventRank: Int { 1 }

  /// This map, and another one of its results.
  public func then<Next: Bijection>(_ next: Next) -> Composition<Self, Next> {
    Composition(self, next)
  }
}

extension InvertibleBijection {
  /// The inverse as a map of its own.
  public var inverted: InvertedBijection<Self> { InvertedBijection(self) }
}

extension Tensor {
  /// log-determinants, which may lack axes that only `value` has, for each vector of it.
  func forEachVector(of value: Tensor) -> Tensor {
    broadcast(to: value.shape.prefix(value.rank - 1))
  }

  /// The log-determinants of a map that keeps volumes.
  var withoutChange: Tensor { .zeros(shape.prefix(rank - 1), dtype) }

  /// The inner product over the last axis, which stays with size 1.
  static func dot(_ x: Tensor, _ y: Tensor) -> Tensor {
    (x * y).sum(axes: [-1], keepingDimensions: true)
  }
}
