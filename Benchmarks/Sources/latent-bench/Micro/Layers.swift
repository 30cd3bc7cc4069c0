// Layers as a model uses them: evaluated, and trained (with the derivatives of input and parameters).

import Latent

extension MicroBenchmark {
  static var layers: [MicroBenchmark] {
    let (batch, length, width, heads) = (32, 64, 128, 4)
    let tokens = Double(batch * length)
    let attention =
      tokens * 2 * Double(4 * width * width) + tokens * 4 * Double(length * width)
    func product(_ rows: Double, _ inputs: Int, _ outputs: Int) -> Double {
      2 * rows * Double(inputs * outputs)
    }
    var random = RandomStream(seed: 7)
    let sequence: Shape = [batch, length, width]
    let image: Shape = [64, 16, 16, 64]
    let pixels = Double(64 * 8 * 8)
    return [
      pair(
        "Linear 784 to 400, relu", Linear(784, 400, activation: .relu, using: &random),
        [128, 784], product(128, 784, 400)),
      pair(
        "Linear 128 to 512, gelu", Linear(128, 512, activation: .gelu, using: &random), sequence,
        product(tokens, 128, 512)),
      pair(
        "Conv2D 64 to 64, k4 s2, relu",
        Conv2D(64, 64, kernel: 4, stride: 2, padding: 1, activation: .relu, using: &random), image,
        product(pixels, 64 * 16, 64)),
      pair(
        "ConvTranspose2D 64 to 32, k4 s2, relu",
        ConvTranspose2D(
          64, 32, kernel: 4, stride: 2, padding: 1, activation: .relu, using: &random),
        image, product(4 * pixels, 64 * 16, 32)),
      pair("BatchNorm", BatchNorm(64), image),
      pair("GroupNorm of 8", GroupNorm(groups: 8, size: 64), image),
      pair("LayerNorm", LayerNorm(width), sequence),
      // Nothing is left of it outside training.
      Array(pair("Dropout", Dropout(rate: 0.1), sequence).dropFirst()),
      pair(
        "MultiHeadAttention, 4 heads", MultiHeadAttention(width, heads: heads, using: &random),
        sequence, attention),
      pair(
        "TransformerBlock", TransformerBlock(width, heads: heads, using: &random), sequence,
        attention + 2 * product(tokens, width, 4 * width)),
      pair(
        "GRU", GRU(width, width, using: &random), sequence, 2 * product(tokens, width, 3 * width)),
      pair(
        "LSTM", LSTM(width, width, using: &random), sequence, 2 * product(tokens, width, 4 * width)),
    ].flatMap { $0 }
  }

  /// A layer evaluated and trained. A product has two derivatives of the same size; without
  /// products a training pass reads the input, writes and reads the output's cotangent, and writes
  /// output and input's cotangent.
  private static func pair(
    _ title: String, _ layer: some Layer, _ shape: Shape, _ operations: Double = 0
  ) -> [MicroBenchmark] {
    let weights = bytes([layer.parameterCount])
    return [
      MicroBenchmark(
        group: .layers, name: "\(title): \(name("forward", shape))", operations: operations,
        bytes: bytes(shape, shape) + weights
      ) {
        let x = uniformTensor(shape)
        return { blackHole(layer(x)) }
      },
      MicroBenchmark(
        group: .layers, name: "\(title): \(name("training", shape))", operations: 3 * operations,
        bytes: bytes(shape, shape, shape, shape, shape) + 2 * weights
      ) {
        let inputs = [uniformTensor(shape)] + layer.parameters
        var copy = layer
        var context = LayerContext(isTraining: true, random: RandomStream(seed: 1))
        return {
          let (value, _) = valueAndGradient(at: inputs) { leaves in
            copy.setParameters(Array(leaves.dropFirst()))
            return copy(leaves[0], &context).sum()
          }
          blackHole(value)
        }
      },
    ]
  }
}
