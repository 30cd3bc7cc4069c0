// The workloads `conv28` (1,688,289 parameters) and `conv64` (766,295): convolutions of kernel 4 and
// stride 2, one hidden layer, mirrored, Bernoulli.

import Latent

struct ConvolutionalWorkload: Workload {
  let name: String
  let batch: Int
  var width = 1.0
  private let side, imageChannels, latentSize: Int
  private let channels: [Int]

  static let conv28 = ConvolutionalWorkload(
    name: "conv28", batch: 128, side: 28, imageChannels: 1, latentSize: 16, channels: [32, 64])
  static let conv64 = ConvolutionalWorkload(
    name: "conv64", batch: 64, side: 64, imageChannels: 3, latentSize: 10,
    channels: [32, 32, 64, 64])

  var arithmetic: Arithmetic {
    let (widths, hidden) = (channels.map { widened($0) }, widened(256))
    let convolutions = widths.indices.map { index in
      Arithmetic.convolution(
        side: side >> (index + 1), kernel: 4, index == 0 ? imageChannels : widths[index - 1],
        widths[index])
    }
    let smallest = side >> widths.count
    let features = smallest * smallest * widths[widths.count - 1]
    let shared = convolutions.reduce(0, +) + features * hidden
    return Arithmetic(
      encoder: shared + hidden * 2 * latentSize, decoder: shared + latentSize * hidden,
      firstLayer: convolutions[0])
  }

  func makeModel(
    using random: inout RandomStream
  ) -> VAE<ConvEncoder<DiagonalHead>, ConvDecoder<BernoulliHead>, StandardNormalPrior> {
    let shape: Shape = [side, side, imageChannels]
    let channels = channels.map { widened($0) }
    return VAE(
      encoder: ConvEncoder(
        inputShape: shape, channels: channels, hidden: widened(256), latentSize: latentSize,
        using: &random),
      decoder: ConvDecoder(
        latentSize: latentSize, hidden: widened(256), channels: channels, outputShape: shape,
        head: BernoulliHead(), using: &random),
      prior: .standardNormal(latentSize))
  }

  func inputs(_ count: Int, stream: Int) -> Tensor {
    Rules.blockyImages(count, side: side, channels: imageChannels, stream: stream)
  }

  func latents(_ count: Int) -> Tensor { Rules.normals([count, latentSize]) }

  func parameters(of likelihood: Bernoulli, at x: Tensor) -> Tensor { likelihood.logits }
}
