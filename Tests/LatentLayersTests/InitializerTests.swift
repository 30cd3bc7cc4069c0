// First values: limits, deviations, orthogonality, and that they follow the stream.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct InitializerTests {
  struct Rule: Sendable, CustomTestStringConvertible {
    let initializer: Initializer
    /// For a weight [300, 200]: fan in 200, fan out 300.
    var limit: Double?
    let deviation: Double
    var testDescription: String { "\(initializer)" }

    /// A uniform's deviation is its limit over the square root of 3.
    static func uniform(_ initializer: Initializer, limit: Double) -> Rule {
      Rule(initializer: initializer, limit: limit, deviation: limit / 3.0.squareRoot())
    }
  }

  static let rules: [Rule] = [
    .uniform(.glorotUniform, limit: (6.0 / 500).squareRoot()),
    .uniform(.heUniform, limit: (6.0 / 200).squareRoot()),
    .uniform(.pyTorch, limit: 1 / 200.0.squareRoot()),
    .uniform(.uniform(limit: 0.3), limit: 0.3),
    Rule(initializer: .glorotNormal, deviation: (2.0 / 500).squareRoot()),
    Rule(initializer: .heNormal, deviation: (2.0 / 200).squareRoot()),
    Rule(initializer: .normal(deviation: 0.05), deviation: 0.05),
    // Rows or columns of length 1 over 300 or 200 elements each.
    Rule(initializer: .orthogonal(gain: 2), deviation: 2 / 300.0.squareRoot()),
    Rule(initializer: .constant(0), deviation: 0),
  ]

  @Test(arguments: rules, [DType.float32, .float64])
  func limitsAndDeviations(rule: Rule, dtype: DType) {
    var random = RandomStream(seed: 31)
    let weight = rule.initializer([300, 200], dtype, using: &random)
    #expect(weight.shape == [300, 200] && weight.dtype == dtype)
    let values = weight.doubles
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    let deviation = (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    #expect(abs(mean) <= 4 * rule.deviation / count.squareRoot(), "mean \(mean)")
    #expect(abs(deviation - rule.deviation) <= 0.012 * rule.deviation, "deviation \(deviation)")
    if let limit = rule.limit {
      let largest = values.map(abs).max() ?? 0
      #expect(largest <= limit * 1.000_001 && largest > 0.999 * limit, "largest \(largest)")
    }
  }

  @Test func explicitFansReplaceTheShapes() {
    var (first, second) = (RandomStream(seed: 1), RandomStream(seed: 1))
    let own = Initializer.heNormal([8, 2], using: &first)
    let given = Initializer.heNormal([8, 2], fanIn: 18, fanOut: 72, using: &second)
    #expect(distance(own / 3, given) < 1e-7, "fan in 2 and 18: deviations 3 to 1")
    let kernel = Initializer.pyTorch([16, 3, 3, 4], using: &first).doubles
    #expect(kernel.allSatisfy { abs($0) <= 1.0 / 6 }, "fan in of a kernel: 3 x 3 x 4")
  }

  @Test(arguments: [[6, 6], [9, 4], [4, 9], [5, 2, 3], [1, 7], [7, 1]] as [Shape])
  func orthonormalRowsOrColumns(shape: Shape) {
    var random = RandomStream(seed: 41)
    let (rows, columns) = (shape[0], shape.count / shape[0])
    for dtype in [DType.float32, .float64] {
      for gain in [1.0, 1.5] {
        let weight = Initializer.orthogonal(gain: gain)(shape, dtype, using: &random)
        #expect(weight.shape == shape)
        let matrix = weight.reshaped([rows, columns])
        let gram =
          rows <= columns
          ? matmul(matrix, matrix.transposed) : matmul(matrix.transposed, matrix)
        let expected = Tensor.identity(min(rows, columns), dtype) * (gain * gain)
        let error = distance(gram, expected)
        #expect(error < (dtype == .float32 ? 2e-6 : 1e-14), "\(shape) \(dtype) \(gain): \(error)")
      }
    }
  }

  /// Signs are free of LAPACK's habits: the mean over draws is zero (Mezzadri 2007).
  @Test func orthogonalMatricesHaveNoPreferredSign() {
    var random = RandomStream(seed: 51)
    var sum = Tensor.zeros([3, 3], .float64)
    for _ in 0..<2000 { sum += Initializer.orthogonal()([3, 3], .float64, using: &random) }
    // Each element has variance 1/3.
    let limit = 4.5 * (1.0 / 3 / 2000).squareRoot()
    for value in sum.doubles { #expect(abs(value / 2000) < limit, "\(value / 2000)") }
  }

  /// A layer without inputs is its bias, which starts at zero then, as PyTorch's.
  @Test(arguments: rules.map(\.initializer)) func emptyShapes(initializer: Initializer) {
    var random = RandomStream(seed: 1)
    for shape in [[0, 3], [3, 0], [0], [0, 2, 2]] as [Shape] {
      #expect(initializer(shape, using: &random).shape == shape, "\(shape)")
    }
    let layer = Linear(0, 3, initializer: initializer, using: &random)
    #expect(layer(.zeros([2, 0])).doubles == [0, 0, 0, 0, 0, 0])
  }

  /// A layer with relu by He's rule hands on the mean square of what it gets, a transposed convolution
  /// too: an output pixel is a sum over the taps that the stride leaves it.
  @Test func heKeepsTheMeanSquare() {
    var random = RandomStream(seed: 3)
    let x = random.normalTensor([16, 8, 8, 64], .float32)
    let flat = Linear(64, 96, activation: .relu, initializer: .heUniform, using: &random)
    let down = Conv2D(
      64, 96, kernel: 4, stride: 2, padding: 1, activation: .relu, initializer: .heUniform,
      using: &random)
    let up = ConvTranspose2D(
      64, 32, kernel: 4, stride: 2, padding: 1, activation: .relu, initializer: .heNormal,
      using: &random)
    for y in [flat(x), down(x), up(x)] {
      // At the border there is less to add up.
      let inside = y.sliced(1, 1..<(y.shape[1] - 1)).sliced(2, 1..<(y.shape[2] - 1))
      let found = square(inside).mean().item
      #expect(abs(found - 1) < 0.1, "\(found)")
    }
  }

  @Test(arguments: rules.map(\.initializer)) func followTheStream(initializer: Initializer) {
    var (first, again, other) = (
      RandomStream(seed: 1), RandomStream(seed: 1), RandomStream(seed: 2)
    )
    let value = initializer([4, 3], using: &first).array
    #expect(initializer([4, 3], using: &again).array == value)
    if initializer != .constant(0) {
      #expect(initializer([4, 3], using: &other).array != value)
      #expect(initializer([4, 3], using: &again).array != value)
    }
  }
}
