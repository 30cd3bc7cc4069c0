// The block that Transformers repeat (Vaswani et al. 2017, figure 1): attention between positions,
// then a small network at each, both beside a shortcut. Normalising before each part instead of
// after it (Xiong et al. 2020) keeps deep stacks trainable without a warm-up.

import LatentAutodiff
import LatentNumerics

/// Attention and a GELU network, each with layer norm, dropout and a shortcut:
/// `[batch, length, width] -> [batch, length, width]`.
public struct TransformerBlock: Layer {
  /// On which side of a part its layer norm stands.
  public enum NormPlacement: String, Sendable, Hashable, Codable, CaseIterable {
    /// `x + part(norm(x))`
    case before
    /// `norm(x + part(x))`, the original.
    case after
  }

  /// That of the attention.
  public var attentionNorm: LayerNorm
  /// Between positions.
  public var attention: MultiHeadAttention
  /// That of the network.
  public var networkNorm: LayerNorm
  /// `width -> hidden`, GELU.
  public var expand: Linear
  /// `hidden -> width`.
  public var contract: Linear
  /// Of what each part adds.
  public let dropout: Dropout
  /// On which side of a part its layer norm stands.
  public let norm: NormPlacement

  /// `hidden` is 4 times the width unless given.
  public init(
    _ width: Int, heads: Int, hidden: Int? = nil, isCausal: Bool = false,
    norm: NormPlacement = .before, dropout: Double = 0, initializer: Initializer = .pyTorch,
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) {
    let hidden = hidden ?? 4 * width
    attentionNorm = LayerNorm(width)
    attention = MultiHeadAttention(
      width, heads: heads, isCausal: isCausal, initializer: initializer, using: &random, file: file,
      line: line)
    networkNorm = LayerNorm(width)
    expand = Linear(
      width, hidden, activation: .gelu, initializer: initializer, using: &random)
    contract = Linear(hidden, width, initializer: initializer, using: &random)
    self.dropout = Dropout(rate: dropout)
    self.norm = norm
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&attentionNorm, "attentionNorm")
    visitor.visit(&attention, "attention")
    visitor.visit(&networkNorm, "networkNorm")
    visitor.visit(&expand, "expand")
    visitor.visit(&contract, "contract")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    self(x, mask: nil, angles: nil, &context)
  }

  /// `mask` and `angles` are those of `MultiHeadAttention`.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor?, angles: RotaryAngles?, _ context: inout LayerContext
  ) -> Tensor {
    apply(x, &context) { attention($0, mask: mask, angles: angles) }
  }

  /// The next position x `[batch, width]` of sequences whose earlier ones the cache holds, as after
  /// training.
  public func next(
    _ x: Tensor, cache: inout KeyValueCache, angles: RotaryAngles? = nil
  ) -> Tensor {
    var context = LayerContext.inference
    return apply(x, &context) { attention.next($0, cache: &cache, angles: angles) }
  }

  private func apply(
    _ x: Tensor, _ context: inout LayerContext, _ attend: (Tensor) -> Tensor
  ) -> Tensor {
    switch norm {
    case .before:
      let y = x + dropout(attend(attentionNorm(x)), &context)
      return y + dropout(contract(expand(networkNorm(y))), &context)
    case .after:
      let y = attentionNorm(x + dropout(attend(x), &context))
      return networkNorm(y + dropout(contract(expand(y)), &context))
    }
  }
}
