// The small layers: embedding, normalisation, dropout, activations, flattening, composition.

import LatentAutodiff
import LatentNumerics

/// A table of vectors looked up by index: int32 `[...] -> [..., size]`.
public struct Embedding: Layer {
  /// `[count, size]`.
  public var weight: Tensor

  /// Starts standard normal, as PyTorch's, unless told otherwise.
  public init(
    count: Int, size: Int, initializer: Initializer = .normal(deviation: 1),
    using random: inout RandomStream
  ) {
    weight = initializer([count, size], using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&weight, "weight")
    visitor.leaveArithmetic()
  }

  public func callAsFunction(_ indices: Tensor, _ context: inout LayerContext) -> Tensor {
    require(
      indices.dtype == .int32,
      "Embedding: indices of \(indices.dtype), expected int32\(Evaluation.place(of: weight))")
    return weight.gathering(indices, axis: 0)
  }
}

/// Normalises the last axis to mean 0 and variance 1, then scales and shifts
/// (Ba, Kiros and Hinton 2016): `[..., size] -> [..., size]`.
public struct LayerNorm: Layer {
  /// `[size]`, starts at 1.
  public var scale: Tensor
  /// `[size]`, starts at 0.
  public var shift: Tensor
  /// Added to the variance before dividing by its root.
  public let epsilon: Double

  /// For a last axis of `size`.
  public init(_ size: Int, epsilon: Double = 1e-5) {
    scale = .ones([size])
    shift = .zeros([size])
    self.epsilon = epsilon
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&scale, "scale")
    visitor.visit(&shift, "shift")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    requireInput(x, last: scale.shape[0], "LayerNorm", scale)
    return layerNormalized(x, scale: scale, shift: shift, epsilon: epsilon)
  }
}

/// Sets elements to zero with probability `rate` while training and scales the others by
/// 1 / (1 - rate) (Srivastava et al. 2014); does nothing afterwards.
public struct Dropout: Layer {
  /// The probability of an element to become zero.
  public let rate: Double

  /// Traps unless 0 <= rate < 1.
  public init(rate: Double) {
    require(rate >= 0 && rate < 1, "dropout rate \(rate): expected 0 ..< 1")
    self.rate = rate
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    if !context.isTraining || rate == 0 { return x }
    let keep = context.random.uniformTensor(x.shape, x.dtype) .>= rate
    return x * (keep * (1 / (1 - rate)))
  }
}

extension Activation: Layer {
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }
}

/// All axes after the first as one: `[batch, ...] -> [batch, features]`.
public struct Flatten: Layer {
  /// All axes but the first become one.
  public init() {}
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.flattened(from: 1)
  }
}

/// Layers one after the other; their paths are their positions.
public struct Sequential: Layer {
  /// In the order they are called; parameters are named by their position.
  public var layers: [any Layer]

  /// The layers one after the other.
  public init(_ layers: [any Layer]) { self.layers = layers }
  /// The layers one after the other.
  public init(_ layers: any Layer...) { self.layers = layers }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    for index in layers.indices {
      visitor.enter("\(index)")
      layers[index].visitParameters(&visitor)
      visitor.leave()
    }
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    layers.reduce(x) { value, layer in layer(value, &context) }
  }
}

/// `x + body(x)` (He et al. 2016); a `shortcut` layer fits x where sizes change.
public struct Residual<Body: Layer>: Layer {
  /// What is added to the input.
  public var body: Body
  /// What the input goes through where `body` changes its size; the input itself where nil.
  public var shortcut: Linear?

  /// `body` beside a shortcut.
  public init(_ body: Body, shortcut: Linear? = nil) {
    self.body = body
    self.shortcut = shortcut
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&body, "body")
    visitor.visit(&shortcut, "shortcut")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    (shortcut.map { $0(x) } ?? x) + body(x, &context)
  }
}
