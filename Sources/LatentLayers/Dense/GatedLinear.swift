// The gated linear unit (Dauphin et al. 2017): one half of the outputs decides how much of the other
// passes. Tomczak and Welling (2018) build their encoders and decoders from it.

import LatentAutodiff
import LatentNumerics

/// `(x V^T + b) * sigmoid(x W^T + c)` over the last axis: `[..., inputSize] -> [..., outputSize]`.
///
/// Values and gates come from one product.
public struct GatedLinear: Layer {
  /// The rows of the values, then those of the gates: `[2 * outputSize, inputSize]`.
  public var both: Linear

  /// Weights of values and gates by `initializer`.
  public init(
    _ inputSize: Int, _ outputSize: Int, initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    both = Linear(inputSize, 2 * outputSize, initializer: initializer, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    both.visitParameters(&visitor)
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// The layer has no randomness: the same in training and afterwards.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let halves = both(x).split(into: 2, axis: -1)
    return halves[0] * sigmoid(halves[1])
  }
}
