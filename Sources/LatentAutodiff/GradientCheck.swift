// Derivatives against central differences: the referee of every operation.

import LatentNumerics

/// The largest relative error of the derivatives of `function` at `inputs` (float64) against
/// central differences.
///
/// `function` may return any shape; it is summed with fixed weights, so that no element can hide behind another.
/// With step h = 1e-5 max(1, |x|) the differences are good to about
/// 1e-10 for well-scaled functions, far below the 1e-6 that tests ask for. Errors are relative
/// to the largest derivative of the same input, at least 1.
public func gradientError(
  at inputs: [Tensor], step: Double = 1e-5, of function: ([Tensor]) throws -> Tensor
) rethrows -> Double {
  func scalar(_ inputs: [Tensor]) throws -> Tensor {
    let result = try function(inputs)
    let weights: [Double] = (0..<result.count).map { (index: Int) -> Double in
      0.5 + Double((index &* 7919 &+ 13) % 17) / 16
    }
    return (result * Tensor(weights, shape: result.shape)).sum()
  }
  func value(_ inputs: [Tensor]) throws -> Double {
    // Constant inputs: the difference quotient never touches the tape.
    try scalar(inputs).item
  }
  let (_, gradients) = try valueAndGradient(at: inputs, of: scalar)
  var worst = 0.0
  for (index, input) in inputs.enumerated() where input.dtype == .float64 {
    let values = input.doubles
    let exact = gradients[index].doubles
    let scale = exact.reduce(1) { Swift.max($0, Swift.abs($1)) }
    for position in values.indices {
      let h = step * Swift.max(1, Swift.abs(values[position]))
      func shifted(_ by: Double) throws -> Double {
        var moved = values
        moved[position] += by
        var arguments = inputs.map(\.detached)
        arguments[index] = Tensor(moved, shape: input.shape)
        return try value(arguments)
      }
      let difference = (try shifted(h) - shifted(-h)) / (2 * h)
      let error = Swift.abs(difference - exact[position]) / scale
      worst = error.isNaN ? .infinity : Swift.max(worst, error)
    }
  }
  return worst
}
