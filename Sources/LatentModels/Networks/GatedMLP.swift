// The fully connected networks of "VAE with a VampPrior" (Tomczak and Welling 2018, section 5): gated
// layers in place of activations, 784 -> 300 -> 300 -> latents and back.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Gated layers one after the other: `[..., first] -> [..., last]`.
public struct GatedMLP: Layer {
  public var layers: [GatedLinear]

  /// `sizes` are the widths from input to output.
  public init(
    _ sizes: [Int], initializer: Initializer = .pyTorch, using random: inout RandomStream
  ) {
    layers = zip(sizes, sizes.dropFirst()).map {
      GatedLinear($0, $1, initializer: initializer, using: &random)
    }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    for index in layers.indices { visitor.visit(&layers[index], "\(index)") }
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  public func callAsFunction(_ x: Tensor) -> Tensor { layers.reduce(x) { $1($0) } }
}

/// `[batch, ...]` to a diagonal normal over `[batch, latent]`.
public struct GatedMLPEncoder: Encoder {
  public var hidden: GatedMLP
  /// Means first, then log-variances.
  public var head: Linear

  public init(
    inputShape: Shape, hidden sizes: [Int], latentSize: Int, initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    hidden = GatedMLP([inputShape.count] + sizes, initializer: initializer, using: &random)
    head = Linear(
      sizes.last ?? inputShape.count, 2 * latentSize, initializer: initializer, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    let halves = head(hidden(x.flattened(from: 1))).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`.
public struct GatedMLPDecoder<Head: LikelihoodHead>: Decoder {
  public var hidden: GatedMLP
  public var output: Linear
  public var head: Head
  public let outputShape: Shape

  public init(
    latentSize: Int, hidden sizes: [Int], outputShape: Shape, head: Head,
    initializer: Initializer = .pyTorch, using random: inout RandomStream
  ) {
    hidden = GatedMLP([latentSize] + sizes, initializer: initializer, using: &random)
    output = Linear(
      sizes.last ?? latentSize, outputShape.count * head.outputsPerElement,
      initializer: initializer, using: &random)
    self.head = head
    self.outputShape = outputShape
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor) -> Head.Likelihood {
    let raw = output(hidden(z))
    let last = outputShape[-1] * head.outputsPerElement
    return head(
      raw.reshaped(z.shape.prefix(z.rank - 1) + outputShape.replacing(-1, with: last)),
      eventRank: outputShape.rank)
  }
}
