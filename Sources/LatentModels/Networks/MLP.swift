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
public typealias MLPEncoder = DenseEncoder<MLP>

extension DenseEncoder where Hidden == MLP {
  /// `hidden` are the widths between input and latents, `initializer` is that of these layers.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, activation: Activation = .relu,
    initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    let hidden = MLP(
      [inputShape.count] + sizes, activation: activation, initializer: initializer, using: &random)
    self.init(
      hidden: hidden, width: sizes.last ?? inputShape.count, latentSize: latentSize, using: &random)
  }
}

/// `[batch, ...]` to a point in latent space: the encoder of a plain autoencoder.
public struct MLPPointEncoder: Encoder {
  /// `[batch, inputs] -> [batch, width]`.
  public var hidden: MLP
  /// To the point, `[batch, latent]`.
  public var head: Linear

  /// Hidden layers of the given sizes and by `initializer`, then one linear layer.
  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, activation: Activation = .relu,
    initializer: Initializer = .heUniform, using random: inout RandomStream
  ) {
    hidden = MLP(
      [inputShape.count] + sizes, activation: activation, initializer: initializer, using: &random)
    head = Linear(sizes.last ?? inputShape.count, latentSize, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ x: Tensor) -> Delta { Delta(head(hidden(x.flattened(from: 1)))) }
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
