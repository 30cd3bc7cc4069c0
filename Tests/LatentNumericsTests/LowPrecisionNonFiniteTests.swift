// What 8-bit integers cannot hold is not lost on the way through them.

import Testing

@testable import LatentNumerics

@Suite struct LowPrecisionNonFiniteTests {
  /// Integers have no NaN: an example with one, or with an infinity, becomes NaN as a whole, and no
  /// other; by oneDNN and by our own kernels, with and without an activation.
  @Test(arguments: [Float.nan, .infinity, -.infinity], [true, false])
  func whatIntegersLackIsNotLost(value: Float, byPlans: Bool) {
    func check(_ y: NDArray, _ name: String) {
      let each = y.count / y.shape[0]
      let isNaN = y.floats.map(\.isNaN)
      #expect(
        isNaN.indices.allSatisfy { isNaN[$0] == ($0 / each == 1) }, "\(name), \(value), \(byPlans)")
    }
    for range in [Float(0)...1, -1...1] {
      for activation in [Activation.none, .relu, .tanh] {
        for rows in [2, 9, 70] {
          var numbers = [Float](repeating: 0.5, count: rows * 64)
          numbers[64 + 5] = value
          let weight = NDArray(repeating: 0.25, shape: [96, 64])
            .quantized(scalesShape: [96, 1], inputRange: range)
          check(
            NDArray(numbers, shape: [rows, 64]).lowPrecisionLinear(
              weight, bias: NDArray(repeating: 1, shape: [96]), activation: activation,
              byPlans: byPlans), "\(rows) rows, \(activation), \(range)")
        }
        let geometry = ConvolutionGeometry(rank: 2, kernel: 3, before: 1)
        var image = [Float](repeating: 0.5, count: 3 * 6 * 6 * 16)
        image[6 * 6 * 16 + 100] = value
        let x = NDArray(image, shape: [3, 6, 6, 16])
        let weight = NDArray(repeating: 0.25, shape: [16, 3, 3, 16])
        check(
          x.lowPrecisionConvolved(
            with: weight.quantized(scalesShape: [16, 1, 1, 1], inputRange: range), geometry,
            bias: nil, activation: activation, byPlans: byPlans),
          "convolution, \(activation), \(range)")
        check(
          x.lowPrecisionTransposed(
            weight: weight.quantized(scalesShape: [1, 1, 1, 16], inputRange: range), geometry,
            inputSize: [1, 6, 6], bias: nil, activation: activation, byPlans: byPlans),
          "transposed, \(activation), \(range)")
      }
    }
  }
}
