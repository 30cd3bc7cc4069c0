// Convolutions alone, so that latents keep their place in the picture: the encoder and decoder of the first models with
// discrete latents (van den Oord et al. 2017, section 4.1), without their residual blocks.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `[batch, height, width, channels]` to a posterior over `[batch, height / 2^k, width / 2^k, latentChannels]`, k being the
/// number of `channels`: a convolution of kernel 4 and stride 2 with an activation for each, then one of single pixels.
public struct ConvMapEncoder<Ending: PosteriorHead>: Encoder {
  /// Each halves height and width.
  public var convolutions: [Conv2D]
  /// To the raw outputs of the posterior, pixel by pixel.
  public var head: Conv2D
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// `initializer` is that of the layers before the head. Traps unless height and width can be halved as often as there
  /// are layers.
  public init(
    inputShape: Shape, channels: [Int], latentChannels: Int, posterior: Ending = DiagonalHead(),
    activation: Activation = .relu, initializer: Initializer = .heUniform,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    let last = imageAfter(channels, inputShape, file, line)[2]
    convolutions = zip([inputShape[2]] + channels, channels).map {
      Conv2D(
        $0, $1, kernel: 4, stride: 2, padding: 1, activation: activation, initializer: initializer,
        using: &random)
    }
    head = Conv2D(
      last, posterior.outputCount(latents: latentChannels), kernel: 1, using: &random)
    self.posterior = posterior
    posterior.start(&head.bias, latents: latentChannels)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Ending.Posterior {
    let raw = x.inRuns(of: 16, recording: head.weight.isRecorded) {
      head(convolutions.reduce($0) { $1($0) })
    }
    return posterior(raw, eventRank: 3, &context)
  }
}

/// `[..., height / 2^k, width / 2^k, latentChannels]` to a likelihood over `[...] + outputShape`, the mirror image of
/// `ConvMapEncoder`: a convolution of single pixels with an activation, then transposed ones.
public struct ConvMapDecoder<Head: LikelihoodHead>: Decoder {
  /// From the latents to the channels of the smallest image.
  public var input: Conv2D
  /// Each doubles height and width.
  public var convolutions: [ConvTranspose2D]
  /// From raw outputs to the likelihood.
  public var head: Head

  /// `channels` are those of the encoder; they are gone through in reverse. `initializer` is that of all layers but the
  /// last, which starts small.
  public init(
    latentChannels: Int, channels: [Int], outputShape: Shape, head: Head,
    activation: Activation = .relu, initializer: Initializer = .heUniform,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    input = Conv2D(
      latentChannels, imageAfter(channels, outputShape, file, line)[2], kernel: 1,
      activation: activation, initializer: initializer, using: &random)
    convolutions = mirrored(
      channels, outputs: outputShape[2] * head.outputsPerElement, activation: activation,
      initializer: initializer, using: &random)
    self.head = head
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&input, "input")
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor) -> Head.Likelihood {
    // Sample axes are folded into the batch while images are made.
    let leading = z.shape.prefix(z.rank - 3)
    let raw = z.reshaped([leading.count] + z.shape.suffix(3))
      .inRuns(of: 8, recording: input.weight.isRecorded) {
        convolutions.reduce(input($0)) { $1($0) }
      }
    return head(raw.reshaped(leading + raw.shape.suffix(3)), eventRank: 3)
  }
}

extension ConvMapEncoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    convolutions[0].fitInputs(to: statistics.channelMoments)
  }
}

extension ConvMapDecoder: DataInitializable {
  public mutating func initialize(from statistics: DataStatistics) {
    let outputs = head.initialize(from: statistics.channelMoments)
    convolutions[convolutions.count - 1].bias.start(at: outputs)
  }
}
