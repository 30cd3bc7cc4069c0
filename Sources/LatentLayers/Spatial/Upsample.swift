// Enlarging feature maps. Resampling followed by a convolution is the decoder without the
// checkerboards of transposed convolutions (Odena, Dumoulin and Olah 2016).

import LatentAutodiff
import LatentNumerics

/// Every spatial axis enlarged by a whole factor:
/// `[batch, size..., channels] -> [batch, size * scale..., channels]`.
public struct Upsample: Layer {
  /// How many times larger each spatial axis becomes.
  public let scale: Extent
  /// Where new elements come from.
  public let method: Resampling

  /// Copies of the nearest element unless another method is given.
  public init(scale: Extent, _ method: Resampling = .nearest) {
    self.scale = scale
    self.method = method
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.upsampled(by: scale, method)
  }
}

/// Every spatial axis brought to a size, larger or smaller:
/// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
public struct Resize: Layer {
  /// Elements along each spatial axis of the result.
  public let outputSize: Extent
  /// Where new elements come from.
  public let method: Resampling

  /// Copies of the nearest element unless another method is given.
  public init(_ outputSize: Extent, _ method: Resampling = .nearest) {
    self.outputSize = outputSize
    self.method = method
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.resized(to: outputSize, method)
  }
}
