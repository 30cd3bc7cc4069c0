// Residual convolutional encoders and decoders with latents that keep their place in the image:
// pre-activation blocks (He et al. 2016, "Identity Mappings in Deep Residual Networks") with group
// normalisation and SiLU, as in the autoencoders of latent diffusion (Rombach et al. 2022). The
// image is halved between levels of growing width; the decoder enlarges by copying pixels and
// convolves afterwards.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The sizes of a residual network, of the encoder's and the decoder's alike.
public struct ResidualNetwork: Sendable, Hashable, Codable {
  /// Channels of each level, largest image first; the image is halved between levels.
  public var channels: [Int]
  /// Blocks in each level; one more stands at the smallest image.
  public var blocks: Int
  /// Groups of every normalisation.
  public var groups: Int
  /// Channels of the latents, which keep their place in the image.
  public var latentChannels: Int
  /// Added to the variance before dividing by it.
  public var epsilon: Double

  /// Three levels, so that the image is halved twice, unless others are given.
  public init(
    channels: [Int] = [32, 64, 128], blocks: Int = 1, groups: Int = 8, latentChannels: Int = 4,
    epsilon: Double = 1e-6
  ) {
    self.channels = channels
    self.blocks = blocks
    self.groups = groups
    self.latentChannels = latentChannels
    self.epsilon = epsilon
  }

  /// Shape of the latents of images `[height, width, channels]`.
  public func latentShape(of image: Shape) -> Shape {
    let factor = 1 << max(0, channels.count - 1)
    return [image[0] / factor, image[1] / factor, latentChannels]
  }

  fileprivate func check(_ image: Shape, _ file: StaticString, _ line: UInt) {
    let factor = 1 << max(0, channels.count - 1)
    require(
      !channels.isEmpty && blocks > 0 && latentChannels > 0 && image.rank == 3
        && image[0] > 0 && image[1] > 0 && image[0] % factor == 0 && image[1] % factor == 0,
      "a residual network of channels \(channels), \(blocks) blocks and \(latentChannels) latent "
        + "channels for images of shape \(image): expected [height, width, channels] with height "
        + "and width divisible by \(factor)", file: file, line: line)
  }

  fileprivate func norm(
    _ channels: Int, _ file: StaticString, _ line: UInt
  ) -> GroupNorm {
    GroupNorm(
      groups: groups, size: channels, epsilon: epsilon, activation: .silu, file: file, line: line)
  }
}

/// `shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))))))`:
/// `[batch, height, width, channels] -> [batch, height, width, outputs]`.
public struct ResidualBlock: Layer {
  /// With SiLU, before `conv1`.
  public var norm1: GroupNorm
  /// Kernel 3: to the channels of the outputs.
  public var conv1: Conv2D
  /// With SiLU, before `conv2`.
  public var norm2: GroupNorm
  /// Kernel 3: keeps the channels.
  public var conv2: Conv2D
  /// A convolution of single pixels where the numbers of channels differ.
  public var shortcut: Conv2D?

  /// Traps unless `groups` divides both numbers of channels.
  public init(
    _ channels: Int, _ outputs: Int, groups: Int, epsilon: Double = 1e-6,
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    norm1 = GroupNorm(
      groups: groups, size: channels, epsilon: epsilon, activation: .silu, file: file, line: line)
    conv1 = Conv2D(
      channels, outputs, kernel: 3, padding: 1, initializer: initializer, using: &random,
      file: file, line: line)
    norm2 = GroupNorm(
      groups: groups, size: outputs, epsilon: epsilon, activation: .silu, file: file, line: line)
    conv2 = Conv2D(
      outputs, outputs, kernel: 3, padding: 1, initializer: initializer, using: &random,
      file: file, line: line)
    if channels != outputs {
      shortcut = Conv2D(
        channels, outputs, kernel: 1, initializer: initializer, using: &random, file: file,
        line: line)
    }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&norm1, "norm1")
    visitor.visit(&conv1, "conv1")
    visitor.visit(&norm2, "norm2")
    visitor.visit(&conv2, "conv2")
    visitor.visit(&shortcut, "shortcut")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// `[batch, height, width, channels] -> [batch, height, width, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    (shortcut.map { $0(x) } ?? x) + conv2(norm2(conv1(norm1(x))))
  }
}

/// Blocks at one size of the image, then the step to the next size where there is one.
public struct ResidualLevel: Module {
  /// In the order they are called.
  public var blocks: [ResidualBlock]
  /// Of stride 2 in an encoder; after a copying of pixels in a decoder.
  public var resampling: Conv2D?

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&blocks, "blocks")
    visitor.visit(&resampling, "resampling")
  }

  /// The first block changes the channels, the step between levels keeps them.
  fileprivate init(
    _ channels: Int, _ outputs: Int, stride: Int?, _ network: ResidualNetwork,
    _ initializer: Initializer, _ random: inout RandomStream, _ file: StaticString, _ line: UInt
  ) {
    blocks = (0..<network.blocks).map {
      ResidualBlock(
        $0 == 0 ? channels : outputs, outputs, groups: network.groups, epsilon: network.epsilon,
        initializer: initializer, using: &random, file: file, line: line)
    }
    resampling = stride.map {
      Conv2D(
        outputs, outputs, kernel: 3, stride: .same($0), padding: 1, initializer: initializer,
        using: &random)
    }
  }

  fileprivate func features(_ x: Tensor) -> Tensor { blocks.reduce(x) { $1($0) } }
}

/// `[batch, height, width, channels]` to a diagonal normal over
/// `[batch, height / 2^k, width / 2^k, latentChannels]`, k one less than there are levels.
public struct ResidualEncoder<Ending: PosteriorHead>: Encoder {
  /// From the image to the channels of the first level.
  public var input: Conv2D
  /// Largest image first.
  public var levels: [ResidualLevel]
  /// At the smallest image.
  public var middle: ResidualBlock
  /// With SiLU, before the last convolution.
  public var norm: GroupNorm
  /// To the raw outputs of the posterior.
  public var head: Conv2D
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// Traps unless height and width can be halved between all levels and the groups divide all
  /// channels.
  public init(
    inputShape: Shape, network: ResidualNetwork = ResidualNetwork(),
    posterior: Ending = DiagonalHead(), initializer: Initializer = .pyTorch,
    using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    network.check(inputShape, file, line)
    let channels = network.channels
    let last = channels.count - 1
    input = Conv2D(
      inputShape[2], channels[0], kernel: 3, padding: 1, initializer: initializer, using: &random)
    levels = channels.indices.map {
      ResidualLevel(
        channels[max(0, $0 - 1)], channels[$0], stride: $0 < last ? 2 : nil, network, initializer,
        &random, file, line)
    }
    middle = ResidualBlock(
      channels[last], channels[last], groups: network.groups, epsilon: network.epsilon,
      initializer: initializer, using: &random, file: file, line: line)
    norm = network.norm(channels[last], file, line)
    head = Conv2D(
      channels[last], posterior.outputCount(latents: network.latentChannels), kernel: 3, padding: 1,
      initializer: initializer, using: &random)
    self.posterior = posterior
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&input, "input")
    visitor.visit(&levels, "levels")
    visitor.visit(&middle, "middle")
    visitor.visit(&norm, "norm")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Ending.Posterior {
    let moments = x.inRuns(of: 1, recording: input.weight.isRecorded) { x in
      let features = levels.reduce(input(x)) { x, level in
        let features = level.features(x)
        return level.resampling.map { $0(features) } ?? features
      }
      return head(norm(middle(features)))
    }
    return posterior(moments, eventRank: 3, &context)
  }
}

/// `[..., height / 2^k, width / 2^k, latentChannels]` to a likelihood over `[...] + outputShape`,
/// the mirror image of `ResidualEncoder`.
public struct ResidualDecoder<Head: LikelihoodHead>: Decoder {
  /// From the latents to the channels of the smallest image.
  public var input: Conv2D
  /// At the smallest image.
  public var middle: ResidualBlock
  /// Smallest image first.
  public var levels: [ResidualLevel]
  /// With SiLU, before the last convolution.
  public var norm: GroupNorm
  /// To the raw outputs of the head.
  public var output: Conv2D
  /// From raw outputs to the likelihood.
  public var head: Head

  /// `network` is that of the encoder; its levels are gone through in reverse. `initializer` is that of
  /// all layers but the last, which starts small.
  public init(
    outputShape: Shape, head: Head, network: ResidualNetwork = ResidualNetwork(),
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    network.check(outputShape, file, line)
    let channels = Array(network.channels.reversed())
    let last = channels.count - 1
    input = Conv2D(
      network.latentChannels, channels[0], kernel: 3, padding: 1, initializer: initializer,
      using: &random)
    middle = ResidualBlock(
      channels[0], channels[0], groups: network.groups, epsilon: network.epsilon,
      initializer: initializer, using: &random, file: file, line: line)
    levels = channels.indices.map {
      ResidualLevel(
        channels[max(0, $0 - 1)], channels[$0], stride: $0 < last ? 1 : nil, network, initializer,
        &random, file, line)
    }
    norm = network.norm(channels[last], file, line)
    output = Conv2D(
      channels[last], outputShape[2] * head.outputsPerElement, kernel: 3, padding: 1,
      initializer: .output(fanIn: 9 * channels[last]), using: &random)
    self.head = head
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&input, "input")
    visitor.visit(&middle, "middle")
    visitor.visit(&levels, "levels")
    visitor.visit(&norm, "norm")
    visitor.visit(&output, "output")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor) -> Head.Likelihood {
    // Sample axes are folded into the batch while images are made.
    let leading = z.shape.prefix(z.rank - 3)
    let rows = z.reshaped([leading.count] + z.shape.suffix(3))
    let raw = rows.inRuns(of: 1, recording: input.weight.isRecorded) { z in
      let features = levels.reduce(middle(input(z))) { x, level in
        let features = level.features(x)
        return level.resampling.map { $0(features.upsampled(by: 2)) } ?? features
      }
      return output(norm(features))
    }
    return head(raw.reshaped(leading + raw.shape.suffix(3)), eventRank: 3)
  }
}
