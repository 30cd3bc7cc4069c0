// The text autoencoder of Bowman et al. (2016) with gated recurrent units (Cho et al. 2014): small,
// and with a cost for each token that does not grow with the length of the text.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// int32 tokens `[batch, length]` to a diagonal normal over `[batch, latent]`: the last states of a
/// bidirectional GRU.
public struct GRUTextEncoder<Ending: PosteriorHead>: Encoder {
  /// `[vocabulary, width]`.
  public var tokens: Embedding
  /// Bidirectional: `[batch, length, width]` to states of `hidden` in each direction.
  public var recurrence: GRU
  /// To the raw outputs of the posterior.
  public var head: Linear
  /// From raw outputs to the posterior.
  public var posterior: Ending

  /// `width` is that of the tokens' vectors, `hidden` that of the state in each direction.
  public init(
    vocabulary: Int = 256, width: Int = 128, hidden: Int = 256, layers: Int = 1, latentSize: Int,
    posterior: Ending = DiagonalHead(), initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    tokens = Embedding(count: vocabulary, size: width, using: &random)
    recurrence = GRU(
      width, hidden, layers: layers, isBidirectional: true, initializer: initializer,
      using: &random)
    head = Linear(
      2 * hidden, posterior.outputCount(latents: latentSize), initializer: initializer,
      using: &random)
    self.posterior = posterior
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&tokens, "tokens")
    visitor.visit(&recurrence, "recurrence")
    visitor.visit(&head, "head")
    visitor.visit(&posterior, "posterior")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Ending.Posterior {
    let states = recurrence(tokens(x), state: nil).state
    let last = states.shape[0]
    let ends = Tensor.concatenate(
      [states.selecting(last - 2), states.selecting(last - 1)], axis: -1)
    return posterior(head(ends), eventRank: 1, &context)
  }
}

/// `[..., latent]` to sequences of `length` tokens. The latent gives the first state and is added
/// to the token before each position.
public struct GRUTextDecoder: Decoder, AutoregressiveNetwork {
  /// `[vocabulary, width]`.
  public var tokens: Embedding
  /// What stands before the first token, `[width]`.
  public var start: Tensor
  /// From the latent to what is added at every position.
  public var condition: Linear
  /// From the latent to the first state of every layer, `tanh`.
  public var initial: Linear
  /// `[batch, length, width] -> [batch, length, hidden]`.
  public var recurrence: GRU
  /// To the logits of the next token, `[..., vocabulary]`.
  public var output: Linear
  /// Tokens of a sequence.
  public let length: Int

  /// Sizes are those of `GRUTextEncoder`.
  public init(
    latentSize: Int, length: Int, vocabulary: Int = 256, width: Int = 128, hidden: Int = 256,
    layers: Int = 1, initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(length > 0, "a text decoder for sequences of \(length)", file: file, line: line)
    tokens = Embedding(count: vocabulary, size: width, using: &random)
    start = Initializer.normal(deviation: 1)([width], using: &random)
    condition = Linear(latentSize, width, initializer: initializer, using: &random)
    initial = Linear(
      latentSize, layers * hidden, activation: .tanh, initializer: initializer, using: &random)
    recurrence = GRU(width, hidden, layers: layers, initializer: initializer, using: &random)
    output = Linear(hidden, vocabulary, initializer: initializer, using: &random)
    self.length = length
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&tokens, "tokens")
    visitor.visit(&start, "start")
    visitor.visit(&condition, "condition")
    visitor.visit(&initial, "initial")
    visitor.visit(&recurrence, "recurrence")
    visitor.visit(&output, "output")
  }

  public var classCount: Int { output.outputSize }

  public func callAsFunction(
    _ z: Tensor, _ context: inout LayerContext
  ) -> AutoregressiveCategorical<GRUTextDecoder> {
    AutoregressiveCategorical(self, latents: z, &context)
  }

  public func logits(_ z: Tensor, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let inputs = shifted(x, tokens: tokens, start: start) + condition(z).expandingDimension(at: 1)
    return output(recurrence(inputs, state: firstState(z)).outputs)
  }

  public struct Progress: Sendable {
    /// Added at every position, `[rows, width]`.
    let condition: Tensor
    /// `[layers, rows, hidden]`
    var state: Tensor
  }

  public func start(_ z: Tensor) -> Progress {
    Progress(condition: condition(z), state: firstState(z))
  }

  public func next(_ previous: Tensor?, _ progress: inout Progress) -> Tensor {
    let embedded = previous.map { tokens($0) } ?? start.expandingDimension(at: 0)
    let x = (embedded + progress.condition).expandingDimension(at: 1)
    let (outputs, state) = recurrence(x, state: progress.state)
    progress.state = state
    return output(outputs.squeezed(1))
  }

  private func firstState(_ z: Tensor) -> Tensor {
    initial(z).reshaped([z.shape[0], recurrence.cells.count, recurrence.size]).swapping(0, 1)
  }
}
