// Multi-head attention (Vaswani et al. 2017, section 3.2). Queries, keys and values come from one
// matrix, so that a sequence attending to itself is projected in one product and read in place.

import LatentAutodiff
import LatentNumerics

/// Attention in `heads` parts of the width, of a sequence to itself or to another one:
/// `[batch, length, width] -> [batch, length, width]`.
///
/// Weights are laid out as in PyTorch's `MultiheadAttention`: queries, keys and values one below
/// the other.
public struct MultiHeadAttention: Layer {
  /// `[batch, length, width] -> [batch, length, 3 * width]`.
  public var qkv: Linear
  /// `[batch, length, width] -> [batch, length, width]`, after the heads are put side by side.
  public var output: Linear
  /// Parts of the width that attend each for itself.
  public let heads: Int
  /// Whether a position sees only itself and those before it.
  public let isCausal: Bool

  /// Traps unless the heads divide the width.
  public init(
    _ width: Int, heads: Int, isCausal: Bool = false, bias: Bool = true,
    initializer: Initializer = .pyTorch, using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      heads > 0 && width > 0 && width % heads == 0, "attention of width \(width) in \(heads) heads",
      file: file, line: line)
    qkv = Linear(width, 3 * width, bias: bias, initializer: initializer, using: &random)
    output = Linear(width, width, bias: bias, initializer: initializer, using: &random)
    self.heads = heads
    self.isCausal = isCausal
  }

  /// The size of the vectors at each position.
  public var width: Int { qkv.inputSize }
  /// The width of one head.
  public var headSize: Int { width / heads }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&qkv, "qkv")
    visitor.visit(&output, "output")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    self(x, mask: nil)
  }

  /// Attention of x to itself.
  /// - Parameters:
  ///   - mask: added to the scores, `[batch, heads, length, length]` or what broadcasts to it;
  ///     -infinity hides
  ///   - angles: of rotary positions
  public func callAsFunction(
    _ x: Tensor, mask: Tensor? = nil, angles: RotaryAngles? = nil
  ) -> Tensor {
    let projection = turned(qkv(x), angles, from: 0)
    return output(selfAttention(projection, heads: heads, isCausal: isCausal, mask: mask))
  }

  /// Attention of x `[batch, length, width]` to `memory` `[batch, keys, width]`.
  public func callAsFunction(_ x: Tensor, over memory: Tensor, mask: Tensor? = nil) -> Tensor {
    func projected(_ x: Tensor, _ rows: Range<Int>) -> Tensor {
      linear(x, weight: qkv.weight.sliced(0, rows), bias: qkv.bias?.sliced(0, rows))
    }
    let both = projected(memory, width..<(3 * width)).split(into: 2, axis: -1)
    return output(
      attention(
        queries: projected(x, 0..<width), keys: both[0], values: both[1], heads: heads,
        isCausal: isCausal, mask: mask))
  }

  /// An empty cache for sequences of at most `capacity` positions.
  public func cache(batch: Int, capacity: Int) -> KeyValueCache {
    KeyValueCache(
      batch: batch, heads: heads, headSize: headSize, capacity: capacity,
      qkv.weight.dtype.computed)
  }

  /// The next position x `[batch, width]` of sequences whose earlier ones the cache holds, without
  /// derivative. Traps unless the attention is causal: others look ahead.
  public func next(
    _ x: Tensor, cache: inout KeyValueCache, angles: RotaryAngles? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(isCausal, "attention that is not causal has no next position", file: file, line: line)
    let rows = qkv(x.detached).expandingDimension(at: 1)
    let projection = turned(rows, angles, from: cache.count).squeezed(1)
    return output(Tensor(cache.attend(projection.array, file: file, line: line)))
  }

  private func turned(_ projection: Tensor, _ angles: RotaryAngles?, from start: Int) -> Tensor {
    angles.map { rotated(projection, by: $0, columns: 2 * width, from: start) } ?? projection
  }
}
