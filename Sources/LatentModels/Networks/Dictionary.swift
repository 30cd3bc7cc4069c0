// The network of sparse autoencoders: one linear layer each way, with many more latents than numbers. A code says which
// few of the decoder's directions an example is made of (Olshausen and Field 1996; Bricken et al. 2023).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `[batch, ...]` to a posterior over `[batch, latent]`: one linear layer of the flattened input.
///
/// It starts as the transpose of the decoder, around the mean of the data: `W (x - mean)`. The papers keep the decoder's
/// bias in place of the mean, which the layer's own bias can make up for.
public struct DictionaryEncoder<Ending: PosteriorHead>: Encoder {
  /// `[batch, inputs] -> [batch, outputs of the head]`.
  public var layer: Linear
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// `directions` `[latents, inputs]` are the first weights where the head takes one output for each latent.
  public init(
    directions: Tensor, posterior: Ending, using random: inout RandomStream
  ) {
    let (latents, inputs) = (directions.shape[0], directions.shape[1])
    layer = Linear(inputs, posterior.outputCount(latents: latents), using: &random)
    if layer.weight.shape == directions.shape { layer.weight = directions }
    layer.bias = layer.bias?.zerosLike
    self.posterior = posterior
    posterior.start(&layer.bias, latents: latents)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layer, "layer")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(
    _ x: Tensor, _ context: inout LayerContext
  ) -> Ending.Posterior {
    posterior(rawOutputs(x), eventRank: 1, &context)
  }

  /// What the head is given, `[batch, ...] -> [batch, outputs]`.
  func rawOutputs(_ x: Tensor) -> Tensor { layer(x.flattened(from: 1)) }
}

/// `[..., latent]` to a likelihood over `[...] + outputShape`: the sum of directions, each times its number of the code.
///
/// Numbers that are 0 cost next to nothing.
public struct DictionaryDecoder<Head: LikelihoodHead>: Decoder {
  /// The directions, `[latents, outputs]`.
  public var weight: Tensor
  /// What is there without any, `[outputs]`.
  public var bias: Tensor
  /// From raw outputs to the likelihood.
  public var head: Head
  /// One example.
  public let outputShape: Shape

  /// Random directions of length 1.
  public init(latentSize: Int, outputShape: Shape, head: Head, using random: inout RandomStream) {
    let outputs = outputShape.count * head.outputsPerElement
    weight = random.normalTensor([latentSize, outputs], .float32).unitRows
    bias = .zeros([outputs])
    self.head = head
    self.outputShape = outputShape
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&weight, "weight")
    visitor.leaveArithmetic()
    visitor.visit(&bias, "bias")
    visitor.visit(&head, "head")
  }

  public func callAsFunction(_ z: Tensor) -> Head.Likelihood {
    let raw = matmul(sparse: z, weight) + bias
    let last = outputShape[-1] * head.outputsPerElement
    return head(
      raw.reshaped(z.shape.prefix(z.rank - 1) + outputShape.replacing(-1, with: last)),
      eventRank: outputShape.rank)
  }
}

extension Tensor {
  /// The rows of a matrix, each divided by its length; rows of zeros stay.
  var unitRows: Tensor {
    let squares = square(self).sum(axes: [1], keepingDimensions: true)
    return self * reciprocalSqrt(maximum(squares, squares.zerosLike + 1e-30))
  }
}

extension DictionaryEncoder: DataInitializable {
  /// The bias takes the mean of the data off.
  public mutating func initialize(from statistics: DataStatistics) {
    guard let bias = layer.bias else { return }
    let mean = statistics.moments.mean.converted(to: bias.dtype).reshaped([
      1, layer.weight.shape[1],
    ])
    let shift = matmul(mean, layer.weight, transpose: .right).reshaped(bias.shape)
    layer.bias = Tensor((bias - shift).array)
  }
}

extension DictionaryDecoder: DataInitializable {
  /// The bias starts where a likelihood has the mean of the data.
  public mutating func initialize(from statistics: DataStatistics) {
    guard let start = head.initialize(from: statistics.moments) else { return }
    bias = Tensor(start.converted(to: bias.dtype).reshaped(bias.shape).array)
  }
}

// MARK: - What objectives of sparse codes ask for

/// A model whose examples are sums of directions: codes of many latents, of which few are not 0.
public protocol DictionaryModel: LatentVariableModel {
  /// What the encoder makes of x `[batch, ...]` before some of it becomes 0, `[batch, latent]`.
  func preactivations(of x: Tensor) -> Tensor
  /// The code that these become, `[batch, latent]`.
  func code(of preactivations: Tensor, _ context: inout LayerContext) -> Tensor
  /// The directions, `[latent, elements of an example]`.
  var dictionary: Tensor { get set }
  /// What an example is without any of them, `[elements]`.
  var center: Tensor { get }
  /// The path of the directions among the parameters.
  static var dictionaryPath: String { get }
}

/// An encoder of codes that are points.
public protocol DictionaryEncoding: Encoder {
  /// As of `DictionaryModel`.
  func preactivations(of x: Tensor) -> Tensor
  /// As of `DictionaryModel`.
  func code(of preactivations: Tensor, _ context: inout LayerContext) -> Tensor
}

/// A decoder of a normal likelihood, whose mean is a sum of directions.
public protocol DictionaryDecoding: Decoder {
  /// `[latent, elements of an example]`.
  var weight: Tensor { get set }
  /// `[elements of an example]`.
  var bias: Tensor { get }
}

extension DictionaryEncoder: DictionaryEncoding where Ending.Posterior == Delta {
  public func preactivations(of x: Tensor) -> Tensor { rawOutputs(x) }
  public func code(of preactivations: Tensor, _ context: inout LayerContext) -> Tensor {
    posterior(preactivations, eventRank: 1, &context).value
  }
}

extension DictionaryDecoder: DictionaryDecoding where Head.Likelihood == DiagonalNormal {}

extension VAE: DictionaryModel where E: DictionaryEncoding, D: DictionaryDecoding {
  public func preactivations(of x: Tensor) -> Tensor { encoder.preactivations(of: x) }
  public func code(of preactivations: Tensor, _ context: inout LayerContext) -> Tensor {
    encoder.code(of: preactivations, &context)
  }
  public var dictionary: Tensor {
    get { decoder.weight }
    set { decoder.weight = newValue }
  }
  public var center: Tensor { decoder.bias }
  public static var dictionaryPath: String { "decoder.weight" }
}
