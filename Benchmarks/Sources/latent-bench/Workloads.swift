// The workloads that every contestant runs: shapes, first weights and inputs by rule, exact in any
// language (the peers' WORKLOADS.md).

import Latent

/// Values in [0, 1), multiples of 2^-24: lowbias32 (Wellons 2018) over a counter.
func hashUniform(stream: Int, count: Int) -> [Double] {
  let start = UInt32(truncatingIfNeeded: (stream + 1) &* 0x9E37_79B1)
  return (0..<count).map { index in
    var h = UInt32(truncatingIfNeeded: index) &+ start
    h ^= h >> 16
    h = h &* 0x7FEB_352D
    h ^= h >> 15
    h = h &* 0x846C_A68B
    h ^= h >> 16
    return Double(h >> 8) / 16_777_216
  }
}

/// Parameter number `index` of a workload: uniform within 1 / sqrt(fanIn).
func initialWeight(_ index: Int, shape: Shape, fanIn: Int) -> Tensor {
  let values = hashUniform(stream: index, count: shape.count).map {
    Float((2 * $0 - 1) / Double(fanIn).squareRoot())
  }
  return Tensor(values, shape: shape)
}

/// Blocky images `[count, height, width, channels]` in [0, 1).
func blockyImages(_ count: Int, side: Int, channels: Int, stream: Int) -> Tensor {
  let cell = side == 28 ? side / 7 : side / 8
  let cells = side / cell
  let coarse = hashUniform(stream: stream, count: count * channels * cells * cells)
  var pixels = [Float](repeating: 0, count: count * side * side * channels)
  var position = 0
  for image in 0..<count {
    for y in 0..<side {
      for x in 0..<side {
        for channel in 0..<channels {
          let plane = (image * channels + channel) * cells
          pixels[position] = Float(coarse[(plane + y / cell) * cells + x / cell])
          position += 1
        }
      }
    }
  }
  return Tensor(pixels, shape: [count, side, side, channels])
}

/// The `mlp` workload: 784 -> 400 relu -> 20, mirrored, Bernoulli.
enum MLPWorkload {
  typealias Model = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>
  static let batch = 128
  static let latentSize = 20

  /// The network with weights yet to be set.
  static func emptyModel() -> Model {
    var random = RandomStream(seed: 0)
    return VAE(
      encoder: MLPEncoder(
        inputShape: [784], hidden: [400], latentSize: latentSize, using: &random),
      decoder: MLPDecoder(
        latentSize: latentSize, hidden: [400], outputShape: [784], head: BernoulliHead(),
        using: &random),
      prior: .standardNormal(latentSize))
  }

  static func model() -> Model {
    var model = emptyModel()
    func weight(_ index: Int, _ shape: Shape, _ fanIn: Int) -> Tensor {
      initialWeight(index, shape: shape, fanIn: fanIn)
    }
    model.encoder.hidden.layers[0].weight = weight(0, [400, 784], 784)
    model.encoder.hidden.layers[0].bias = weight(1, [400], 784)
    // Means and log-variances are one layer here, two in the list of parameters.
    model.encoder.head.weight = Tensor.concatenate(
      [weight(2, [20, 400], 400), weight(4, [20, 400], 400)], axis: 0)
    model.encoder.head.bias = Tensor.concatenate(
      [weight(3, [20], 400), weight(5, [20], 400)], axis: 0)
    model.decoder.hidden.layers[0].weight = weight(6, [400, 20], 20)
    model.decoder.hidden.layers[0].bias = weight(7, [400], 20)
    model.decoder.output.weight = weight(8, [784, 400], 400)
    model.decoder.output.bias = weight(9, [784], 400)
    return model
  }

  static func inputs(_ count: Int, stream: Int = 1000) -> Tensor {
    blockyImages(count, side: 28, channels: 1, stream: stream).reshaped([count, 784])
  }
}
