// Every derivative against central differences: first and second, and float32 against float64.

import Testing

@testable import LatentAutodiff
@testable import LatentNumerics

@Suite struct GradientTests {
  @Test(arguments: Operation.all) func first(operation: Operation) throws {
    let error = try gradientError(at: operation.tensors(), of: operation.function)
    #expect(error <= 1e-6)
  }

  /// The derivative of the first derivative of f^2 (so that linear operations have one) against
  /// differences of first derivatives. The former runs the pullbacks while they are recorded, the
  /// latter their fused forms.
  @Test(arguments: Operation.all) func second(operation: Operation) throws {
    let error = try gradientError(at: operation.tensors()) { inputs in
      let gradients = try valueAndGradient(at: inputs) {
        weightedSum(square(try operation.function($0)))
      }
      .gradients
      return Tensor.concatenate(gradients.map { $0.flattened() }, axis: 0)
    }
    #expect(error <= 1e-5)
  }

  /// The recorded first derivative is the unrecorded one, and both have the inputs' shapes.
  @Test(arguments: Operation.all) func recordedEqualsFused(operation: Operation) throws {
    let inputs = operation.tensors()
    func gradients(_ inputs: [Tensor]) throws -> [Tensor] {
      try valueAndGradient(at: inputs) { weightedSum(try operation.function($0)) }.gradients
    }
    let plain = try gradients(inputs)
    #expect(plain.allSatisfy { !$0.isRecorded })
    _ = try valueAndGradient(at: inputs) { inputs in
      let recorded = try gradients(inputs)
      for (a, b) in zip(plain, recorded) {
        #expect(a.shape == b.shape && a.dtype == b.dtype)
        #expect(relativeError(b.doubles, a.doubles) < 1e-12)
      }
      return recorded[0].sum()
    }
    for (gradient, input) in zip(plain, inputs) {
      #expect(gradient.shape == input.shape && gradient.dtype == input.dtype)
    }
  }

  @Test(arguments: Operation.all) func singlePrecision(operation: Operation) throws {
    func run(_ dtype: DType) throws -> (Tensor, [Tensor]) {
      try valueAndGradient(at: operation.tensors(dtype)) { weightedSum(try operation.function($0)) }
    }
    let (value, gradients) = try run(.float32)
    let (wideValue, wideGradients) = try run(.float64)
    #expect(value.dtype == .float32 && gradients.allSatisfy { $0.dtype == .float32 })
    var worst = relativeError(value.doubles, wideValue.doubles)
    for (narrow, wide) in zip(gradients, wideGradients) {
      worst = Swift.max(worst, relativeError(narrow.doubles, wide.doubles))
    }
    #expect(worst <= 1e-4)
  }

  @Test func enoughCases() { #expect(Operation.all.count >= 300) }
}

/// The largest difference, relative to the largest element (at least 1).
func relativeError(_ values: [Double], _ oracle: [Double]) -> Double {
  guard values.count == oracle.count else { return .infinity }
  let scale = oracle.reduce(1) { Swift.max($0, Swift.abs($1)) }
  return zip(values, oracle).reduce(0) {
    let difference = Swift.abs($1.0 - $1.1) / scale
    return difference.isNaN ? .infinity : Swift.max($0, difference)
  }
}
