// The linear layer against the same formula in single operations.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct LinearTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let activation: Activation
    let hasBias: Bool
    let dtype: DType
    var testDescription: String { "\(activation), bias \(hasBias), \(dtype)" }
  }

  static let cases = Activation.allCases.flatMap { activation in
    [true, false].flatMap { bias in
      [DType.float32, .float64].map { Case(activation: activation, hasBias: bias, dtype: $0) }
    }
  }

  static let inputs: [Shape] = [[5, 3], [1, 3], [3], [2, 4, 3], [0, 3]]

  /// Values and derivatives, for inputs of any number of leading axes.
  @Test(arguments: cases) func equalsComposedOperations(of row: Case) {
    var random = RandomStream(seed: 11)
    let tolerance = row.dtype == .float32 ? 2e-5 : 1e-12
    let layer = Linear(
      weight: random.doubles([4, 3]).converted(to: row.dtype),
      bias: row.hasBias ? random.doubles([4]).converted(to: row.dtype) : nil,
      activation: row.activation)
    for shape in LinearTests.inputs {
      let x = random.doubles(shape).converted(to: row.dtype)
      func loss(_ output: Tensor) -> Tensor { (output * output * 0.5 + output).sum() }
      func composed(_ x: Tensor, _ layer: Linear) -> Tensor {
        let rows = x.reshaped([x.count / 3, 3])
        var y = matmul(rows, layer.weight.transposed)
        if let bias = layer.bias { y = y + bias }
        return row.activation(y).reshaped(shape.replacing(-1, with: 4))
      }
      let name = "\(row.testDescription), input \(shape)"
      #expect(distance(layer(x), composed(x, layer)) < tolerance, "\(name)")
      let fused = valueAndGradient(at: layer) { loss($0(x)) }
      let plain = valueAndGradient(at: layer) { loss(composed(x, $0)) }
      for (index, pair) in zip(fused.gradients.tensors, plain.gradients.tensors).enumerated() {
        guard let left = pair.0, let right = pair.1 else {
          Issue.record("\(name): parameter \(index) has no gradient")
          continue
        }
        #expect(distance(left, right) < 10 * tolerance, "\(name): parameter \(index)")
      }
    }
  }

  @Test func sizesAndPaths() {
    var random = RandomStream(seed: 1)
    let layer = Linear(7, 5, using: &random)
    #expect(layer.inputSize == 7 && layer.outputSize == 5)
    #expect(layer.weight.shape == [5, 7])
    #expect(layer.namedParameters.map(\.path) == ["weight", "bias"])
    let bare = Linear(7, 5, bias: false, using: &random)
    #expect(bare.namedParameters.map(\.path) == ["weight"])
  }

  /// With PyTorch's rule biases are drawn within 1 / sqrt(in), with the others they are zero.
  @Test func biasesStartAsDocumented() {
    var random = RandomStream(seed: 1)
    let torch = Linear(100, 400, using: &random).bias?.doubles ?? []
    #expect(torch.allSatisfy { abs($0) < 0.1 })
    #expect((torch.map(abs).max() ?? 0) > 0.095)
    let others: [Initializer] = [.glorotUniform, .heNormal, .orthogonal(), .uniform(limit: 1)]
    for initializer in others {
      let layer = Linear(100, 40, initializer: initializer, using: &random)
      #expect(layer.bias?.doubles == Array(repeating: 0, count: 40), "\(initializer)")
    }
  }
}
