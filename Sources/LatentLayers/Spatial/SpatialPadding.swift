// Room around feature maps.

import LatentAutodiff
import LatentNumerics

/// Zeros, mirrored, repeated or wrapped elements around every spatial axis:
/// `[batch, size..., channels] -> [batch, before + size + after..., channels]`.
public struct SpatialPadding: Layer {
  /// What stands in the added places.
  public let mode: PaddingMode
  /// Elements added at the ends of each spatial axis.
  public let before, after: Extent

  /// The same amount at both ends.
  public init(_ mode: PaddingMode, _ amount: Extent) {
    self.init(mode, before: amount, after: amount)
  }

  /// Amounts for each end.
  public init(_ mode: PaddingMode, before: Extent, after: Extent) {
    self.mode = mode
    self.before = before
    self.after = after
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let axes = x.shape.spatialSizes("padding").count
    let first = before.values(rank: axes, "padding: before", minimum: 0)
    let last = after.values(rank: axes, "padding: after", minimum: 0)
    return x.padded(mode, amounts: zip(first, last).map { (before: $0, after: $1) })
  }
}
