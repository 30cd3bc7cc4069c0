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

/// `[batch, ...]` to a posterior over `[batch, latent]`: hidden layers of the flattened input, then one
/// linear layer.
public struct DenseEncoder<Hidden: Layer, Ending: PosteriorHead>: Encoder {
  /// `[batch, inputs] -> [batch, width]`.
  public var hidden: Hidden
  /// To the raw outputs of the posterior.
  public var head: Linear
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// `width` is what `hidden` ends with.
  public init(
    hidden: Hidden, width: Int, latentSize: Int, posterior: Ending,
    initializer: Initializer = .pyTorch, using random: inout RandomStream
  ) {
    self.hidden = hidden
    head = Linear(
      width, posterior.outputCount(latents: latentSize), initializer: initializer, using: &random)
    self.posterior = posterior
    posterior.start(&head.bias, latents: latentSize)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(
    _ x: Tensor, _ context: inout LayerContext
  ) -> Ending.Posterior {
    posterior(head(hidden(x.flattened(from: 1), &context)), eventRank: 1, &context)
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
