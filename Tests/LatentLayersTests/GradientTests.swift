// Derivatives through every layer against central differences, in float64.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@Suite struct GradientTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let layer: any Layer
    let x: Tensor
    var testDescription: String { name }
  }

  static let cases: [Case] = {
    var random = RandomStream(seed: 21)
    let x = random.doubles([3, 4])
    var rows = Activation.allCases.flatMap { activation in
      [
        Case(
          name: "Linear \(activation)",
          layer: Linear(4, 3, activation: activation, using: &random), x: x),
        Case(name: "Activation \(activation)", layer: activation, x: x),
      ]
    }
    let block = Sequential(
      LayerNorm(4), Linear(4, 4, activation: .gelu, using: &random), Dropout(rate: 0.4),
      Linear(4, 4, initializer: .orthogonal(gain: 0.5), using: &random))
    rows += [
      Case(
        name: "Linear without bias", layer: Linear(4, 3, bias: false, using: &random),
        x: random.doubles([2, 2, 4])),
      Case(name: "GatedLinear", layer: GatedLinear(4, 3, using: &random), x: x),
      Case(name: "LayerNorm", layer: LayerNorm(4), x: x),
      Case(name: "BatchNorm", layer: BatchNorm(4, activation: .silu), x: x),
      Case(name: "BatchNorm of one", layer: BatchNorm(4), x: x.sliced(0, 0..<1)),
      Case(name: "GroupNorm", layer: GroupNorm(groups: 2, size: 4, activation: .gelu), x: x),
      Case(name: "InstanceNorm", layer: InstanceNorm(2, affine: true), x: x.reshaped([1, 6, 2])),
      Case(
        name: "MultiHeadAttention", layer: MultiHeadAttention(4, heads: 2, using: &random),
        x: random.doubles([2, 3, 4])),
      Case(
        name: "TransformerBlock",
        layer: TransformerBlock(4, heads: 2, isCausal: true, dropout: 0.3, using: &random),
        x: random.doubles([2, 3, 4])),
      Case(
        name: "TransformerBlock, norm after",
        layer: TransformerBlock(4, heads: 1, hidden: 3, norm: .after, using: &random),
        x: random.doubles([1, 3, 4])),
      Case(
        name: "GRU",
        layer: GRU(3, 2, layers: 2, isBidirectional: true, using: &random),
        x: random.doubles([2, 3, 3])),
      Case(
        name: "LSTM without bias", layer: LSTM(3, 2, layers: 2, bias: false, using: &random),
        x: random.doubles([2, 3, 3])),
      Case(name: "WeightNorm", layer: WeightNorm(Linear(4, 3, using: &random)), x: x),
      Case(name: "Dropout", layer: Dropout(rate: 0.4), x: x),
      Case(name: "Flatten", layer: Flatten(), x: random.doubles([2, 3, 2])),
      Case(name: "Sequential", layer: block, x: x),
      Case(name: "Residual", layer: Residual(block), x: x),
      Case(
        name: "Residual with shortcut",
        layer: Residual(
          Linear(4, 2, activation: .silu, using: &random),
          shortcut: Linear(4, 2, using: &random)), x: x),
      Case(
        name: "Embedding", layer: Embedding(count: 4, size: 3, using: &random),
        x: Tensor([0, 3, 3, 1] as [Int32], shape: [2, 2])),
    ]
    return rows
  }()

  @Test(arguments: cases) func matchDifferences(row: Case) {
    func check(_ layer: some Layer) -> Double {
      let layer = layer.converted(to: .float64)
      return gradientError(at: layer.parameters + [row.x]) { inputs in
        var copy = layer
        copy.setParameters(Array(inputs.dropLast()))
        // A copy of the context at each call: the same masks.
        var context = LayerContext(isTraining: true, random: RandomStream(seed: 9))
        return copy(inputs[inputs.count - 1], &context)
      }
    }
    let error = check(row.layer)
    #expect(error < 1e-6, "\(row.name): \(error)")
  }
}
