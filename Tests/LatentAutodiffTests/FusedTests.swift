// Fused operations equal the operations they stand for, values and derivatives, in both precisions
// and at extreme arguments; and they refuse what does not fit.

import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct FusedTests {
  struct Pair: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var shapes: [Shape]
    var fused: @Sendable ([Tensor]) -> Tensor
    var composed: @Sendable ([Tensor]) -> Tensor
  }

  static let pairs: [Pair] = {
    var pairs: [Pair] = []
    for activation in Activation.allCases {
      for lead in [[70], [3, 5], []] as [Shape] {
        pairs.append(
          Pair(
            testDescription: "linear \(activation) \(lead)", shapes: [lead + [40], [33, 40], [33]]
          ) {
            linear($0[0], weight: $0[1], bias: $0[2], activation: activation)
          } composed: { x in
            let rows = x[0].rank == 1 ? x[0].expandingDimension(at: 0) : x[0]
            let result = activation(matmul(rows, x[1].transposed) + x[2])
            return x[0].rank == 1 ? result.squeezed(0) : result
          })
      }
    }
    for shape in [[3, 200], [2, 4, 50], [17]] as [Shape] {
      pairs.append(
        Pair(testDescription: "bernoulli \(shape)", shapes: [shape]) { x in
          bernoulliLogProbability(logits: x[0] * 9, targets: targets(x[0]))
        } composed: { x in
          let (l, t) = (x[0] * 9, targets(x[0]))
          return (t * logSigmoid(l) + (1 - t) * logSigmoid(-l)).sum(axes: [-1])
        })
      pairs.append(
        Pair(testDescription: "layer norm \(shape)", shapes: [shape, [shape[-1]], [shape[-1]]]) {
          layerNormalized($0[0] * 3 + 1, scale: $0[1], shift: $0[2], epsilon: 1e-3)
        } composed: { x in
          let y = x[0] * 3 + 1
          let centered = y - y.mean(axes: [-1], keepingDimensions: true)
          let variance = y.variance(axes: [-1], keepingDimensions: true)
          return centered / sqrt(variance + 1e-3) * x[1] + x[2]
        })
      pairs.append(
        Pair(testDescription: "KL \(shape)", shapes: [shape, shape]) {
          standardNormalKL(mean: $0[0], logVariance: $0[1])
        } composed: {
          ((square($0[0]) + exp($0[1]) - 1 - $0[1]) * 0.5).sum(axes: [-1])
        })
      pairs.append(
        Pair(testDescription: "reparameterized \(shape)", shapes: [shape, shape, [2] + shape]) {
          reparameterized(mean: $0[0], logVariance: $0[1], noise: $0[2])
        } composed: {
          $0[0] + sqrt(exp($0[1])) * $0[2]
        })
    }
    return pairs
  }()

  private static func targets(_ x: Tensor) -> Tensor {
    let values = (0..<x.count).map { Double($0 % 7) / 6 }
    return constant(values, x.shape, like: x)
  }

  @Test(arguments: pairs, [DType.float32, .float64]) func equalsComposed(pair: Pair, dtype: DType) {
    var stream = RandomStream(seed: 77)
    let inputs = pair.shapes.map { stream.normalTensor($0, dtype) }
    let (fused, composed) = (pair.fused(inputs), pair.composed(inputs))
    let tolerance = dtype == .float32 ? 1e-5 : 1e-13
    #expect(fused.shape == composed.shape)
    #expect(relativeError(fused.doubles, composed.doubles) < tolerance)
    let a = valueAndGradient(at: inputs) { weightedSum(pair.fused($0)) }
    let b = valueAndGradient(at: inputs) { weightedSum(pair.composed($0)) }
    for (index, (x, y)) in zip(a.gradients, b.gradients).enumerated() {
      #expect(relativeError(x.doubles, y.doubles) < tolerance, "input \(index), seed 77")
    }
  }

  /// Logits that saturate, log-variances far from the prior, and the digits next to it.
  @Test(arguments: [DType.float32, .float64]) func extremes(dtype: DType) {
    let logits = Tensor([-1e4, -90, 0, 90, 1e4], shape: [5, 1]).converted(to: dtype)
    for (target, expected) in [
      (0.0, [0, 0, -0.6931471805599453, -90, -1e4]),
      (1.0, [-1e4, -90, -0.6931471805599453, 0, 0]),
    ] {
      let targets = Tensor(repeating: target, shape: [5, 1], dtype)
      let found = bernoulliLogProbability(logits: logits, targets: targets).doubles
      #expect(relativeError(found, expected) < 1e-7)
      let slope = gradient(at: logits) {
        bernoulliLogProbability(logits: $0, targets: targets).sum()
      }
      #expect(relativeError(slope.doubles, (targets - sigmoid(logits)).doubles) < 1e-7)
    }
    let small = 1e-4
    let near = standardNormalKL(
      mean: Tensor.zeros([1], dtype), logVariance: Tensor(repeating: small, shape: [1], dtype))
    // 1/2 (v^2/2 + v^3/6): all digits cancel in e^v - 1 - v when it is computed in float32.
    let exact = 0.25 * small * small + small * small * small / 12
    #expect(Swift.abs(near.item - exact) / exact < (dtype == .float32 ? 5e-2 : 1e-7))
    #expect(near.item >= 0)
  }

  /// A row without any spread is the shift, and its derivative is finite.
  @Test func layerNormOfConstants() {
    let x = Tensor(repeating: 1e3, shape: [2, 5])
    let ones = Tensor.ones([5])
    let result = layerNormalized(x, scale: ones, shift: ones * 0.5)
    #expect(result.floats.allSatisfy { Swift.abs($0 - 0.5) < 1e-3 })
    let slope = gradient(at: x) { weightedSum(layerNormalized($0, scale: ones, shift: ones)) }
    #expect(slope.array.nonFiniteCount == 0)
  }

  /// Nothing to sum up: the bias alone, for every row.
  @Test func linearOfEmptyRows() {
    for dtype in [DType.float32, .float64] {
      let bias = Tensor([1, 2, 3, 4, 5]).converted(to: dtype)
      for lead in [[], [4], [2, 3], [2, 0]] as [Shape] {
        let (x, weight) = (Tensor.zeros(lead + [0], dtype), Tensor.zeros([5, 0], dtype))
        let y = linear(x, weight: weight, bias: bias)
        #expect(y.array == bias.broadcast(to: lead + [5]).array, "\(lead)")
        let (_, gradients) = valueAndGradient(at: [x, weight, bias]) {
          linear($0[0], weight: $0[1], bias: $0[2], activation: .tanh).sum()
        }
        #expect(gradients.map(\.shape) == [x.shape, [5, 0], [5]], "\(lead)")
        // No outputs.
        let none = valueAndGradient(at: [Tensor.ones(lead + [2], dtype)]) {
          linear($0[0], weight: .zeros([0, 2], dtype), bias: nil).sum()
        }
        #expect(none.gradients[0].array == NDArray(repeating: 0, shape: lead + [2], dtype))
      }
    }
  }

  @Test(arguments: 0..<5) func mistakesTrap(index: Int) async throws {
    let words = [
      "linear: input [2, 4] does not fit weight [5, 3] ([out, in])",
      "linear: bias [4] does not fit weight [5, 3]",
      "bias [5] of float32 does not fit weight [5, 3] of float64",
      "layer norm: input [2, 3], scale [2], shift [3]",
      "layer norm: scale [3] of float32 does not fit rows of [2, 3] of float64",
    ]
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [index] in
      let weight = Tensor.ones([5, 3], .float64)
      let x = Tensor.ones([2, 3], .float64)
      switch index {
      case 0: _ = linear(Tensor.ones([2, 4], .float64), weight: weight, bias: nil)
      case 1: _ = linear(x, weight: weight, bias: Tensor.ones([4], .float64))
      case 2: _ = linear(x, weight: weight, bias: Tensor.ones([5], .float32))
      case 3: _ = layerNormalized(x, scale: Tensor.ones([2], .float64), shift: x.sum(axes: [0]))
      default: _ = layerNormalized(x, scale: Tensor.ones([3]), shift: Tensor.ones([3]))
      }
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains(words[index]), "\(text.prefix(300))")
  }
}
