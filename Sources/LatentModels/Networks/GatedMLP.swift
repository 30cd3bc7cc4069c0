// The fully connected networks of "VAE with a VampPrior" (Tomczak and Welling 2018, section 5): gated
// layers in place of activations, 784 -> 300 -> 300 -> latents and back.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Gated layers one after the other: `[..., first] -> [..., last]`.
public struct GatedMLP: Layer {
  /// In the order they are called.
  public var layers: [GatedLinear]

  /// `sizes` are the widths from input to output.
  public init(
    _ sizes: [Int], initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    layers = zip(sizes, sizes.dropFirst()).map {
      GatedLinear($0, $1, initializer: initializer, using: &random)
    }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    for index in layers.indices { visitor.visit(&layers[index], "\(index)") }
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// `[..., inputs] -> [..., width of the last layer]`.
  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}

/// `[batch, ...]` to a diagonal normal over `[batch, latent]`.
public typealias GatedMLPEncoder = DenseEncoder<GatedMLP, DiagonalHead>

extension DenseEncoder where Hidden == GatedMLP {
  /// `hidden` are the widths between input and latents, `initializer` is that of these layers.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, posterior: Ending,
    initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    let hidden = GatedMLP([inputShape.count] + sizes, initializer: initializer, using: &random)
    self.init(
      hidden: hidden, width: sizes.last ?? inputShape.count, latentSize: latentSize,
      posterior: posterior, using: &random)
  }
}

extension DenseEncoder where Hidden == GatedMLP, Ending: PlainPosteriorHead {
  /// With the head that the type says.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, initializer: Initializer = .heUniform,
    using random: inout RandomStream
  ) {
    self.init(
      inputShape: inputShape, hidden: sizes, latentSize: latentSize, posterior: Ending(),
      initializer: initializer, using: &random)
  }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`.
public typealias GatedMLPDecoder<Head: LikelihoodHead> = DenseDecoder<GatedMLP, Head>

extension DenseDecoder where Hidden == GatedMLP {
  /// `hidden` are the widths between latents and output, `initializer` is that of these layers.
  public init(
    latentSize: Int, hidden sizes: [Int], outputShape: Shape, head: Head,
    initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    let hidden = GatedMLP([latentSize] + sizes, initializer: initializer, using: &random)
    self.init(
      hidden: hidden, width: sizes.last ?? latentSize, outputShape: outputShape, head: head,
      using: &random)
  }
}
