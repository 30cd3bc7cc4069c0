// The fully connected layer, with its bias and activation in one pass.

import LatentAutodiff
import LatentNumerics

/// `activation(x W^T + b)` over the last axis: `[..., inputSize] -> [..., outputSize]`.
///
/// Weights are laid out as PyTorch's: `weight` `[outputSize, inputSize]`, `bias` `[outputSize]`.
public struct Linear: Layer {
  /// `[outputSize, inputSize]`.
  public var weight: Tensor
  /// `[outputSize]`, or none.
  public var bias: Tensor?
  /// Applied to the outputs, in the same pass.
  public let activation: Activation

  /// With a weight `[outputSize, inputSize]` and a bias `[outputSize]` that exist.
  public init(weight: Tensor, bias: Tensor?, activation: Activation = .none) {
    self.weight = weight
    self.bias = bias
    self.activation = activation
  }

  /// With the `.pyTorch` initialiser the bias is drawn as there, with any other it starts at zero.
  public init(
    _ inputSize: Int, _ outputSize: Int, activation: Activation = .none, bias: Bool = true,
    initializer: Initializer = .pyTorch, using random: inout RandomStream
  ) {
    weight = initializer([outputSize, inputSize], using: &random)
    let biasRule = initializer == .pyTorch ? initializer : .constant(0)
    self.bias = bias ? biasRule([outputSize], fanIn: inputSize, using: &random) : nil
    self.activation = activation
  }

  /// The size of the last axis that it takes.
  public var inputSize: Int { weight.shape[1] }
  /// The size of the last axis that it gives.
  public var outputSize: Int { weight.shape[0] }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitFactor(&weight, "weight", .outputsFirst)
    visitor.visit(&bias, "bias")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor { self(x) }

  /// Traps unless the last axis of x is `inputSize`.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    requireInput(x, last: inputSize, "Linear", weight, file: file, line: line)
    return linear(x, weight: weight, bias: bias, activation: activation)
  }
}
