// Channels traded for positions (Shi et al. 2016): a convolution on the small map followed by a
// shuffle costs less than one on the large map.

import LatentAutodiff
import LatentNumerics

/// `[batch, height, width, channels * factor^2] ->
/// [batch, height * factor, width * factor, channels]`; over one or three axes accordingly.
public struct PixelShuffle: Layer {
  /// How many times larger each spatial axis becomes.
  public let factor: Int

  /// Traps unless `factor` is positive.
  public init(_ factor: Int) {
    require(factor > 0, "pixel shuffle by \(factor)")
    self.factor = factor
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.pixelShuffled(by: factor)
  }
}

/// The inverse of `PixelShuffle`: `[batch, height, width, channels] ->
/// [batch, height / factor, width / factor, channels * factor^2]`.
public struct PixelUnshuffle: Layer {
  /// How many times smaller each spatial axis becomes.
  public let factor: Int

  /// Traps unless `factor` is positive.
  public init(_ factor: Int) {
    require(factor > 0, "pixel unshuffle by \(factor)")
    self.factor = factor
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.pixelUnshuffled(by: factor)
  }
}
