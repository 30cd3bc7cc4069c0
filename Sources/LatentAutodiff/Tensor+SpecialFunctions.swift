// Functions that are known number by number, in double precision, rather than by a kernel: those of mathematical
// physics, and whatever a distribution brings along. And values of which only the slope is known.

import LatentNumerics

/// A function of each element of a floating-point tensor, computed in double precision and rounded to its type.
///
/// For functions without a kernel, of which there is one number for each example rather than for each pixel.
///
/// - Parameters:
///   - name: for errors
///   - derivative: of the same elements, a composition of recorded operations or another function of this kind, so
///     that derivatives of any order are right
public func elementwise(
  _ name: StaticString, of x: Tensor, _ function: @Sendable (Double) -> Double,
  derivative: @escaping @Sendable (Tensor) -> Tensor
) -> Tensor {
  require(x.dtype.isFloatingPoint, "\(name) of elements of type \(x.dtype)")
  let result = NDArray(mapped(x.doubles, function), shape: x.shape).converted(to: x.dtype)
  return Tensor.record(name, x, result, saving: .inputs) { g, call in [g * derivative(call[0])] }
}

/// `function` of each number, on the pool.
private func mapped(_ x: [Double], _ function: @Sendable (Double) -> Double) -> [Double] {
  [Double](unsafeUninitializedCapacity: x.count) { result, count in
    // Each task writes its own elements.
    nonisolated(unsafe) let pointer = result
    parallelFor(x.count) { pointer.initializeElement(at: $0, to: function(x[$0])) }
    count = x.count
  }
}

/// log Gamma(x) of positive elements.
public func logGamma(_ x: Tensor) -> Tensor {
  elementwise("logGamma", of: x, SpecialFunctions.logGamma) { digamma($0) }
}

/// The derivative of `logGamma` at positive elements.
public func digamma(_ x: Tensor) -> Tensor { polygamma(0, x) }

/// The derivative of `digamma` of this order at positive elements; order 0 is `digamma` itself.
public func polygamma(_ order: Int, _ x: Tensor) -> Tensor {
  elementwise("polygamma", of: x, { SpecialFunctions.polygamma(order, $0) }) {
    polygamma(order + 1, $0)
  }
}

extension Tensor {
  /// This constant, to which `slope` says how each element depends on the same element of `x`: what is known of
  /// draws whose distribution function is differentiated, not its inverse (implicit reparameterisation; Figurnov,
  /// Mohamed and Mnih 2018, equation 5).
  ///
  /// Only first derivatives are known: traps where a derivative of the derivative is asked for.
  ///
  /// - Parameters:
  ///   - x: broadcasts to this shape
  ///   - slope: the derivative by `x`, of this shape
  public func depending(on x: Tensor, slope: Tensor) -> Tensor {
    let slope = slope.detached
    require(
      slope.shape == shape && x.shape.broadcast(with: shape) == shape && x.dtype == dtype,
      "values \(shape) with slopes \(slope.shape) by \(x.shape)")
    let source = x.shape
    return Tensor.record("depending", x, array, saving: []) { g, call in
      require(
        !call.isHigherOrder,
        "second derivatives of draws that are reparameterised implicitly are not known")
      return [(g * slope).summed(to: source)]
    }
  }
}
