// A variational autoencoder of text (Bowman et al. 2016) with Transformers (Vaswani et al. 2017) on
// both sides: the encoder looks at all positions and averages them, the decoder predicts each token
// from those before it and from the latent, which is added at every position.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What the two Transformers of a text model have in common.
public struct TransformerSize: Sendable, Hashable, Codable {
  /// The size of the vectors at each position.
  public var width: Int
  /// Heads of attention, which divide the width.
  public var heads: Int
  /// Blocks of encoder and decoder each.
  public var layers: Int
  /// Width of the network inside a block; 4 times the width where nil.
  public var hidden: Int?
  /// On which side of a part its layer norm stands.
  public var norm: TransformerBlock.NormPlacement
  /// How positions are told apart.
  public var positions: PositionEncoding.Policy
  /// The probability of an element to become zero in training.
  public var dropout: Double

  /// Small sizes unless others are given.
  public init(
    width: Int = 128, heads: Int = 4, layers: Int = 2, hidden: Int? = nil,
    norm: TransformerBlock.NormPlacement = .before, positions: PositionEncoding.Policy = .learned,
    dropout: Double = 0
  ) {
    self.width = width
    self.heads = heads
    self.layers = layers
    self.hidden = hidden
    self.norm = norm
    self.positions = positions
    self.dropout = dropout
  }

  fileprivate func blocks(
    isCausal: Bool, _ initializer: Initializer, _ random: inout RandomStream
  ) -> [TransformerBlock] {
    (0..<layers).map { _ in
      TransformerBlock(
        width, heads: heads, hidden: hidden, isCausal: isCausal, norm: norm, dropout: dropout,
        initializer: initializer, using: &random)
    }
  }

  fileprivate func positions(
    _ length: Int, _ random: inout RandomStream
  ) -> PositionEncoding {
    PositionEncoding(positions, length: length, width: width, heads: heads, using: &random)
  }
}

/// How tokens and the other vectors of a text model start (Radford et al. 2019).
private let embeddingInitializer = Initializer.normal(deviation: 0.02)

/// What a block makes of so many sequences of some hundred positions fits into a second-level cache.
private let examplesPerRun = 4

/// int32 tokens `[batch, length]` to a diagonal normal over `[batch, latent]`.
public struct TransformerTextEncoder<Ending: PosteriorHead>: Encoder {
  /// `[vocabulary, width]`.
  public var tokens: Embedding
  /// Added to the tokens' vectors, or rotations of queries and keys.
  public var positions: PositionEncoding
  /// In the order they are called.
  public var blocks: [TransformerBlock]
  /// After the last block.
  public var norm: LayerNorm
  /// To the raw outputs of the posterior.
  public var head: Linear
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// For texts of `length` tokens out of `vocabulary`.
  public init(
    length: Int, vocabulary: Int = 256, latentSize: Int, _ size: TransformerSize = .init(),
    posterior: Ending = DiagonalHead(), initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    tokens = Embedding(
      count: vocabulary, size: size.width, initializer: embeddingInitializer, using: &random)
    positions = size.positions(length, &random)
    blocks = size.blocks(isCausal: false, initializer, &random)
    norm = LayerNorm(size.width)
    head = Linear(
      size.width, posterior.outputCount(latents: latentSize), initializer: initializer,
      using: &random)
    self.posterior = posterior
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&tokens, "tokens")
    visitor.visit(&positions, "positions")
    visitor.visit(&blocks, "blocks")
    visitor.visit(&norm, "norm")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Ending.Posterior {
    let summary =
      context.isTraining
      ? features(x, &context)
      : x.inRuns(of: examplesPerRun, recording: tokens.weight.isRecorded) {
        var context = LayerContext.inference
        return features($0, &context)
      }
    return posterior(head(summary), eventRank: 1, &context)
  }

  /// `[batch, width]`.
  private func features(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let last = blocks.reduce(positions(tokens(x))) {
      $1($0, mask: nil, angles: positions.angles, &context)
    }
    return norm(last).mean(axes: [1])
  }
}

/// `[..., latent]` to sequences of `length` tokens.
public struct TransformerTextDecoder: Decoder, AutoregressiveNetwork {
  /// `[vocabulary, width]`.
  public var tokens: Embedding
  /// Added to the tokens' vectors, or rotations of queries and keys.
  public var positions: PositionEncoding
  /// What stands before the first token, `[width]`.
  public var start: Tensor
  /// From the latent to what is added at every position.
  public var condition: Linear
  /// Causal, in the order they are called.
  public var blocks: [TransformerBlock]
  /// After the last block.
  public var norm: LayerNorm
  /// To the logits of the next token; not tied to the embedding.
  public var output: Linear

  /// For texts of `length` tokens out of `vocabulary`.
  public init(
    latentSize: Int, length: Int, vocabulary: Int = 256, _ size: TransformerSize = .init(),
    initializer: Initializer = .pyTorch, using random: inout RandomStream
  ) {
    tokens = Embedding(
      count: vocabulary, size: size.width, initializer: embeddingInitializer, using: &random)
    positions = size.positions(length, &random)
    start = embeddingInitializer([size.width], using: &random)
    condition = Linear(latentSize, size.width, initializer: initializer, using: &random)
    blocks = size.blocks(isCausal: true, initializer, &random)
    norm = LayerNorm(size.width)
    output = Linear(size.width, vocabulary, initializer: initializer, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&tokens, "tokens")
    visitor.visit(&positions, "positions")
    visitor.visit(&start, "start")
    visitor.visit(&condition, "condition")
    visitor.visit(&blocks, "blocks")
    visitor.visit(&norm, "norm")
    visitor.visit(&output, "output")
  }

  public var length: Int { positions.length }
  public var classCount: Int { output.outputSize }

  public func callAsFunction(
    _ z: Tensor, _ context: inout LayerContext
  ) -> AutoregressiveCategorical<TransformerTextDecoder> {
    AutoregressiveCategorical(self, latents: z, &context)
  }

  public func logits(_ z: Tensor, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let embedded = shifted(x, tokens: tokens, start: start)
    let first = positions(embedded) + condition(z).expandingDimension(at: 1)
    if context.isTraining { return logits(first, &context) }
    return first.inRuns(of: examplesPerRun, recording: output.weight.isRecorded) {
      var context = LayerContext.inference
      return logits($0, &context)
    }
  }

  /// From what is known before each position, `[batch, length, width]`.
  private func logits(_ first: Tensor, _ context: inout LayerContext) -> Tensor {
    let features = blocks.reduce(first) {
      $1($0, mask: nil, angles: positions.angles, &context)
    }
    return output(norm(features))
  }

  public struct Progress: Sendable {
    /// Added at every position, `[rows, width]`.
    let condition: Tensor
    var position = 0
    var caches: [KeyValueCache]
  }

  public func start(_ z: Tensor) -> Progress {
    let (rows, length) = (z.shape[0], length)
    return Progress(
      condition: condition(z),
      caches: blocks.map { $0.attention.cache(batch: rows, capacity: length) })
  }

  public func next(_ previous: Tensor?, _ progress: inout Progress) -> Tensor {
    let embedded = previous.map { tokens($0) } ?? start.expandingDimension(at: 0)
    var x = embedded + progress.condition
    x = positions(x.expandingDimension(at: 1), from: progress.position).squeezed(1)
    for (index, block) in blocks.enumerated() {
      x = block.next(x, cache: &progress.caches[index], angles: positions.angles)
    }
    progress.position += 1
    return output(norm(x))
  }
}

/// The vectors of the tokens before each position, `start` before the first:
/// int32 `[rows, length] -> [rows, length, width]`.
///
/// `start` is looked up as one more row of the table, which is smaller than the sequences.
func shifted(_ x: Tensor, tokens: Embedding, start: Tensor) -> Tensor {
  let (count, length) = (tokens.weight.shape[0], x.shape[1])
  let first = Tensor(NDArray(repeating: Double(count), shape: [x.shape[0], 1], .int32))
  let before = Tensor.concatenate([first, x.sliced(1, 0..<(length - 1))], axis: 1)
  let table = Tensor.concatenate([tokens.weight, start.expandingDimension(at: 0)], axis: 0)
  return table.gathering(before, axis: 0)
}
