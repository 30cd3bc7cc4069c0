// Group normalisation (Wu and He 2018), channels last: no example looks at another, so that small
// batches and evaluation need no rule of their own.

import LatentAutodiff
import LatentNumerics

/// Normalises each example over its positions and the channels of a group, then scales, shifts and
/// applies the activation: `[batch, ..., size] -> [batch, ..., size]`.
public struct GroupNorm: Layer {
  /// `[size]`, starts at 1.
  public var scale: Tensor
  /// `[size]`, starts at 0.
  public var shift: Tensor
  /// Groups of neighbouring channels.
  public let groups: Int
  /// Added to the variance before dividing by its root.
  public let epsilon: Double
  /// Applied at the end, in the same pass.
  public let activation: Activation

  /// Traps unless `groups` divides `size`.
  public init(
    groups: Int, size: Int, epsilon: Double = 1e-5, activation: Activation = .none,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      groups > 0 && size % groups == 0, "group norm of \(size) channels in \(groups) groups",
      file: file, line: line)
    scale = .ones([size])
    shift = .zeros([size])
    self.groups = groups
    self.epsilon = epsilon
    self.activation = activation
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&scale, "scale")
    visitor.visit(&shift, "shift")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    requireInput(x, last: scale.shape[0], "GroupNorm", scale)
    return groupNormalized(
      x, groups: groups, scale: scale, shift: shift, epsilon: epsilon, activation: activation)
  }
}
