// Convolutional encoders and decoders in the manner of DCGAN (Radford, Metz and Chintala 2016) and of
// the disentanglement literature (Burgess et al. 2018): each layer halves or doubles the image, one
// fully connected layer stands between image and latents.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `[batch, height, width, channels]` to a posterior over `[batch, latent]`, a diagonal normal unless
/// another is given.
///
/// Kernel 4, stride 2, padding 1 and an activation for each of `channels`, then one hidden layer.
public struct ConvEncoder<Ending: PosteriorHead>: Encoder {
  /// Each halves height and width.
  public var convolutions: [Conv2D]
  /// From the smallest image to `[batch, width]`.
  public var hidden: Linear
  /// To the raw outputs of the posterior.
  public var head: Linear
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// `initializer` is that of the layers before the head. Traps unless height and width can be halved as
  /// often as there are layers.
  public init(
    inputShape: Shape, channels: [Int], hidden width: Int, latentSize: Int,
    posterior: Ending = DiagonalHead(), activation: Activation = .relu,
    initializer: Initializer = .heUniform,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    let flat = imageAfter(channels, inputShape, file, line)
    convolutions = zip([inputShape[2]] + channels, channels).map {
      Conv2D(
        $0, $1, kernel: 4, stride: 2, padding: 1, activation: activation, initializer: initializer,
        using: &random)
    }
    hidden = Linear(
      flat.count, width, activation: activation, initializer: initializer, using: &random)
    head = Linear(width, posterior.outputCount(latents: latentSize), using: &random)
    self.posterior = posterior
    posterior.start(&head.bias, latents: latentSize)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&hidden, "hidden")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Ending.Posterior {
    let features = x.inRuns(of: 16, recording: convolutions[0].weight.isRecorded) {
      convolutions.reduce($0) { $1($0) }.flattened(from: 1)
    }
    return posterior(head(hidden(features)), eventRank: 1, &context)
  }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`, the mirror image of `ConvEncoder`.
public struct ConvDecoder<Head: LikelihoodHead>: Decoder {
  /// `[..., latent] -> [..., width]`.
  public var hidden: Linear
  /// To the smallest image.
  public var image: Linear
  /// Each doubles height and width.
  public var convolutions: [ConvTranspose2D]
  /// From raw outputs to the likelihood.
  public var head: Head
  private let imageShape: Shape

  /// `channels` are those of the encoder; they are gone through in reverse. `initializer` is that of all
  /// layers but the last, which starts small.
  public init(
    latentSize: Int, hidden width: Int, channels: [Int], outputShape: Shape, head: Head,
    activation: Activation = .relu, initializer: Initializer = .heUniform,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    imageShape = imageAfter(channels, outputShape, file, line)
    hidden = Linear(
      latentSize, width, activation: activation, initializer: initializer, using: &random)
    image = Linear(
      width, imageShape.count, activation: activation, initializer: initializer, using: &random)
    convolutions = mirrored(
      channels, outputs: outputShape[2] * head.outputsPerElement, activation: activation,
      initializer: initializer, using: &random)
    self.head = head
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&image, "image")
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor) -> Head.Likelihood {
    // Sample axes are folded into the batch while images are made.
    let leading = z.shape.prefix(z.rank - 1)
    let start = image(hidden(z.reshaped([leading.count, z.shape[-1]])))
    let raw = start.reshaped([leading.count] + imageShape)
      .inRuns(of: 8, recording: convolutions[0].weight.isRecorded) {
        convolutions.reduce($0) { $1($0) }
      }
    return head(raw.reshaped(leading + raw.shape.suffix(3)), eventRank: 3)
  }
}

/// Transposed convolutions that undo those of an encoder with these channels. The last one, to so many outputs, has no
/// activation and starts small.
func mirrored(
  _ channels: [Int], outputs: Int, activation: Activation, initializer: Initializer,
  using random: inout RandomStream
) -> [ConvTranspose2D] {
  let widths = Array(channels.reversed())
  return zip(widths, widths.dropFirst() + [outputs]).enumerated().map { index, pair in
    let isLast = index + 1 == widths.count
    // Four of the sixteen taps of each channel meet in a pixel.
    return ConvTranspose2D(
      pair.0, pair.1, kernel: 4, stride: 2, padding: 1, activation: isLast ? .none : activation,
      initializer: isLast ? .output(fanIn: 4 * pair.0) : initializer, using: &random)
  }
}

/// `[height, width, channels]` of the smallest image. Traps where the sizes cannot be halved so often.
func imageAfter(
  _ channels: [Int], _ shape: Shape, _ file: StaticString, _ line: UInt
) -> Shape {
  let factor = 1 << channels.count
  require(
    !channels.isEmpty && shape.rank == 3 && shape[0] % factor == 0 && shape[1] % factor == 0
      && shape[0] > 0 && shape[1] > 0,
    "\(channels.count) convolutions of stride 2 for images of shape \(shape): expected [height, "
      + "width, channels] with height and width divisible by \(factor)", file: file, line: line)
  return [shape[0] / factor, shape[1] / factor, channels[channels.count - 1]]
}
