// Instance normalisation (Ulyanov, Vedaldi and Lempitsky 2016), channels last.

import LatentAutodiff
import LatentNumerics

/// Normalises each channel of each example over its positions, then applies the activation:
/// `[batch, ..., size] -> [batch, ..., size]`. Scale and shift are off unless asked for, as in
/// PyTorch. A single position normalises to zero.
public struct InstanceNorm: Layer {
  /// `[size]`, starts at 1; nil without `affine`.
  public var scale: Tensor?
  /// `[size]`, starts at 0; nil without `affine`.
  public var shift: Tensor?
  /// Channels.
  public let size: Int
  /// Added to the variance before dividing by its root.
  public let epsilon: Double
  /// Applied at the end, in the same pass.
  public let activation: Activation

  /// For a last axis of `size`.
  public init(
    _ size: Int, epsilon: Double = 1e-5, affine: Bool = false, activation: Activation = .none
  ) {
    scale = affine ? .ones([size]) : nil
    shift = affine ? .zeros([size]) : nil
    self.size = size
    self.epsilon = epsilon
    self.activation = activation
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&scale, "scale")
    visitor.visit(&shift, "shift")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    if let scale { requireInput(x, last: size, "InstanceNorm", scale) }
    return groupNormalized(
      x, groups: size, scale: scale, shift: shift, epsilon: epsilon, activation: activation)
  }
}
