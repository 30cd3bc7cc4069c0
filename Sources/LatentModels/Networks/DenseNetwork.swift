// What fully connected encoders and decoders share, whatever their hidden layers are made of.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension Initializer {
  /// Of the last layer of a decoder: a tenth of `.pyTorch`. What a network of first weights makes of its
  /// latents is noise; where it is as large as what the data differ by, the quickest way to a smaller loss
  /// is to do without latents (decision 0029).
  static func output(fanIn: Int) -> Initializer {
    .uniform(limit: 0.1 / Double(fanIn).squareRoot())
  }
}

/// `[batch, ...]` to a diagonal normal over `[batch, latent]`: hidden layers of the flattened input,
/// then one linear layer.
public struct DenseEncoder<Hidden: Layer>: Encoder {
  /// `[batch, inputs] -> [batch, width]`.
  public var hidden: Hidden
  /// Means first, then log-variances.
  public var head: Linear

  /// `width` is what `hidden` ends with.
  public init(
    hidden: Hidden, width: Int, latentSize: Int, initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    self.hidden = hidden
    head = Linear(width, 2 * latentSize, initializer: initializer, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> DiagonalNormal {
    let halves = head(hidden(x.flattened(from: 1), &context)).split(into: 2, axis: -1)
    return DiagonalNormal(mean: halves[0], logVariance: halves[1])
  }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`: hidden layers, then one linear layer.
public struct DenseDecoder<Hidden: Layer, Head: LikelihoodHead>: Decoder {
  /// `[..., latent] -> [..., width]`.
  public var hidden: Hidden
  /// To the raw outputs of the head.
  public var output: Linear
  /// From raw outputs to the likelihood.
  public var head: Head
  /// One example.
  public let outputShape: Shape

  /// `width` is what `hidden` ends with. The output starts small unless an `initializer` is given.
  public init(
    hidden: Hidden, width: Int, outputShape: Shape, head: Head, initializer: Initializer? = nil,
    using random: inout RandomStream
  ) {
    self.hidden = hidden
    output = Linear(
      width, outputShape.count * head.outputsPerElement,
      initializer: initializer ?? .output(fanIn: width), using: &random)
    self.head = head
    self.outputShape = outputShape
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Head.Likelihood {
    let raw = output(hidden(z, &context))
    let last = outputShape[-1] * head.outputsPerElement
    return head(
      raw.reshaped(z.shape.prefix(z.rank - 1) + outputShape.replacing(-1, with: last)),
      eventRank: outputShape.rank)
  }
}
