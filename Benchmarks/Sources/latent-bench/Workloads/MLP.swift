// The `mlp` workload: 784 -> 400 relu -> 20 and back, Bernoulli. 652,824 parameters.

import Latent

struct MLPWorkload: Workload {
  let name = "mlp"
  let batch = 128
  var width = 1.0
  private let latentSize = 20

  var arithmetic: Arithmetic {
    let (data, hidden) = (784, widened(400))
    return Arithmetic(
      encoder: data * hidden + hidden * 2 * latentSize,
      decoder: latentSize * hidden + hidden * data,
      firstLayer: data * hidden)
  }

  func makeModel(
    using random: inout RandomStream
  ) -> VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior> {
    let hidden = [widened(400)]
    return VAE(
      encoder: MLPEncoder(
        inputShape: [784], hidden: hidden, latentSize: latentSize, using: &random),
      decoder: MLPDecoder(
        latentSize: latentSize, hidden: hidden, outputShape: [784], head: BernoulliHead(),
        using: &random),
      prior: .standardNormal(latentSize))
  }

  func inputs(_ count: Int, stream: Int) -> Tensor {
    Rules.blockyImages(count, side: 28, channels: 1, stream: stream).reshaped([count, 784])
  }

  func latents(_ count: Int) -> Tensor { Rules.normals([count, latentSize]) }

  func parameters(of likelihood: Bernoulli, at x: Tensor) -> Tensor { likelihood.logits }
}
