// The `resnet64` workload: residual blocks with group normalisation, latents of 16 x 16 x 4, normal
// likelihood of unit variance. 1,589,611 parameters.

import Latent

struct ResidualWorkload: Workload {
  let name = "resnet64"
  let batch = 16
  var width = 1.0

  private static let shape: Shape = [64, 64, 3]
  private static let groups = 8

  private var network: ResidualNetwork {
    ResidualNetwork(
      channels: [32, 64, 128].map { widened($0, multipleOf: ResidualWorkload.groups) },
      groups: ResidualWorkload.groups)
  }

  var arithmetic: Arithmetic {
    let c = network.channels, latent = network.latentChannels
    func conv(_ side: Int, _ inputs: Int, _ outputs: Int, kernel: Int = 3) -> Int {
      Arithmetic.convolution(side: side, kernel: kernel, inputs, outputs)
    }
    func block(_ side: Int, _ inputs: Int, _ outputs: Int) -> Int {
      conv(side, inputs, outputs) + conv(side, outputs, outputs)
        + (inputs == outputs ? 0 : conv(side, inputs, outputs, kernel: 1))
    }
    let encoder = [
      conv(64, 3, c[0]), block(64, c[0], c[0]), conv(32, c[0], c[0]), block(32, c[0], c[1]),
      conv(16, c[1], c[1]), block(16, c[1], c[2]), block(16, c[2], c[2]),
      conv(16, c[2], 2 * latent),
    ]
    let decoder = [
      conv(16, latent, c[2]), block(16, c[2], c[2]), block(16, c[2], c[2]), conv(32, c[2], c[2]),
      block(32, c[2], c[1]), conv(64, c[1], c[1]), block(64, c[1], c[0]), conv(64, c[0], 3),
    ]
    return Arithmetic(
      encoder: encoder.reduce(0, +), decoder: decoder.reduce(0, +), firstLayer: encoder[0])
  }

  func makeModel(
    using random: inout RandomStream
  ) -> VAE<ResidualEncoder<DiagonalHead>, ResidualDecoder<NormalHead>, StandardNormalPrior> {
    let shape = ResidualWorkload.shape
    return VAE(
      encoder: ResidualEncoder(inputShape: shape, network: network, using: &random),
      decoder: ResidualDecoder(
        outputShape: shape, head: NormalHead(.fixed(1)), network: network, using: &random),
      prior: StandardNormalPrior(network.latentShape(of: shape)))
  }

  func inputs(_ count: Int, stream: Int) -> Tensor {
    Rules.blockyImages(count, side: 64, channels: 3, stream: stream)
  }

  /// The rule counts channels first.
  func latents(_ count: Int) -> Tensor {
    Rules.normals([count, 4, 16, 16]).permuted([0, 2, 3, 1])
  }

  func parameters(of likelihood: DiagonalNormal, at x: Tensor) -> Tensor { likelihood.mean }
}
