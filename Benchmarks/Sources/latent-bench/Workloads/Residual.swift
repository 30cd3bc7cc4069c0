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

  func makeModel(
    using random: inout RandomStream
  ) -> VAE<ResidualEncoder, ResidualDecoder<NormalHead>, StandardNormalPrior> {
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
