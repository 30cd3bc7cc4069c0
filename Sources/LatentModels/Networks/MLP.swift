// Fully connected encoders and decoders: the networks of Kingma and Welling (2014), of any depth.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Linear layers with an activation after each.
public struct MLP: Layer {
  /// In the order they are called.
  public var layers: [Linear]

  /// `sizes` are the widths from input to output.
  public init(
    _ sizes: [Int], activation: Activation, initializer: Initializer = .heUniform,
    using random: inout RandomStream
  ) {
    layers = zip(sizes, sizes.dropFirst()).map {
      Linear($0, $1, activation: activation, initializer: initializer, using: &random)
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
public typealias MLPEncoder = DenseEncoder<MLP, DiagonalHead>

/// `[batch, ...]` to a point in latent space: the encoder of a plain autoencoder.
public typealias MLPPointEncoder = DenseEncoder<MLP, PointHead>

extension DenseEncoder where Hidden == MLP {
  /// `hidden` are the widths between input and latents, `initializer` is that of these layers.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, posterior: Ending,
    activation: Activation = .relu, initializer: Initializer = .heUniform,
    using random: inout RandomStream
  ) {
    let hidden = MLP(
      [inputShape.count] + sizes, activation: activation, initializer: initializer, using: &random)
    self.init(
      hidden: hidden, width: sizes.last ?? inputShape.count, latentSize: latentSize,
      posterior: posterior, using: &random)
  }
}

extension DenseEncoder where Hidden == MLP, Ending: PlainPosteriorHead {
  /// With the head that the type says.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, activation: Activation = .relu,
    initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    self.init(
      inputShape: inputShape, hidden: sizes, latentSize: latentSize, posterior: Ending(),
      activation: activation, initializer: initializer, using: &random)
  }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`.
public typealias MLPDecoder<Head: LikelihoodHead> = DenseDecoder<MLP, Head>

extension DenseDecoder where Hidden == MLP {
  /// `hidden` are the widths between latents and output, `initializer` is that of these layers.
  public init(
    latentSize: Int, hidden sizes: [Int], outputShape: Shape, head: Head,
    activation: Activation = .relu, initializer: Initializer = .heUniform,
    using random: inout RandomStream
  ) {
    let hidden = MLP(
      [latentSize] + sizes, activation: activation, initializer: initializer, using: &random)
    self.init(
      hidden: hidden, width: sizes.last ?? latentSize, outputShape: outputShape, head: head,
      using: &random)
  }
}
