// Pooling layers: the largest element or the mean of windows over one, two or three spatial axes.

import LatentAutodiff
import LatentNumerics

/// The largest element of each window: `[batch, size..., channels] ->
/// [batch, (size + 2 padding - kernel) / stride + 1..., channels]`.
public struct MaxPool<Rank: SpatialRank>: Layer {
  /// Elements along each spatial axis.
  public let kernel, stride, padding, dilation: Extent
  /// Whether a window that reaches beyond the end counts (PyTorch's `ceil_mode`).
  public let roundsUp: Bool

  /// Windows stand side by side unless a `stride` is given. With `dilation` a window reaches over
  /// `dilation (kernel - 1) + 1` elements, which then stands for the kernel in the shapes.
  public init(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, dilation: Extent = 1,
    roundsUp: Bool = false
  ) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
    self.dilation = dilation
    self.roundsUp = roundsUp
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    Rank.check(x, "max pooling")
    return x.maxPooled(
      kernel: kernel, stride: stride, padding: padding, dilation: dilation, roundsUp: roundsUp)
  }
}

/// `[batch, length, channels] -> [batch, (length + 2 padding - kernel) / stride + 1, channels]`.
public typealias MaxPool1D = MaxPool<OneAxis>
/// `[batch, height, width, channels] -> [batch, (height + 2 padding - kernel) / stride + 1,
/// (width + 2 padding - kernel) / stride + 1, channels]`.
public typealias MaxPool2D = MaxPool<TwoAxes>
/// As `MaxPool2D`, for `[batch, depth, height, width, channels]`.
public typealias MaxPool3D = MaxPool<ThreeAxes>

/// The mean of each window: `[batch, size..., channels] ->
/// [batch, (size + 2 padding - kernel) / stride + 1..., channels]`.
public struct AveragePool<Rank: SpatialRank>: Layer {
  /// Elements along each spatial axis.
  public let kernel, stride, padding: Extent
  /// Whether a window that reaches beyond the end counts (PyTorch's `ceil_mode`).
  public let roundsUp: Bool
  /// Whether padded zeros count as elements of a mean.
  public let countsPadding: Bool

  /// Windows stand side by side unless a `stride` is given.
  public init(
    kernel: Extent, stride: Extent? = nil, padding: Extent = 0, roundsUp: Bool = false,
    countsPadding: Bool = true
  ) {
    self.kernel = kernel
    self.stride = stride ?? kernel
    self.padding = padding
    self.roundsUp = roundsUp
    self.countsPadding = countsPadding
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    Rank.check(x, "average pooling")
    return x.averagePooled(
      kernel: kernel, stride: stride, padding: padding, roundsUp: roundsUp,
      countsPadding: countsPadding)
  }
}

/// `[batch, length, channels] -> [batch, (length + 2 padding - kernel) / stride + 1, channels]`.
public typealias AveragePool1D = AveragePool<OneAxis>
/// `[batch, height, width, channels] -> [batch, (height + 2 padding - kernel) / stride + 1,
/// (width + 2 padding - kernel) / stride + 1, channels]`.
public typealias AveragePool2D = AveragePool<TwoAxes>
/// As `AveragePool2D`, for `[batch, depth, height, width, channels]`.
public typealias AveragePool3D = AveragePool<ThreeAxes>

/// The largest elements of windows that divide the input evenly, whatever its size:
/// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
public struct AdaptiveMaxPool<Rank: SpatialRank>: Layer {
  /// Elements along each spatial axis of the result.
  public let outputSize: Extent

  /// To `outputSize` elements along each spatial axis.
  public init(_ outputSize: Extent) { self.outputSize = outputSize }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    Rank.check(x, "adaptive max pooling")
    return x.adaptiveMaxPooled(to: outputSize)
  }
}

/// `[batch, length, channels] -> [batch, outputSize, channels]`.
public typealias AdaptiveMaxPool1D = AdaptiveMaxPool<OneAxis>
/// `[batch, height, width, channels] -> [batch, outputSize, outputSize, channels]`.
public typealias AdaptiveMaxPool2D = AdaptiveMaxPool<TwoAxes>
/// As `AdaptiveMaxPool2D`, for `[batch, depth, height, width, channels]`.
public typealias AdaptiveMaxPool3D = AdaptiveMaxPool<ThreeAxes>

/// The means of windows that divide the input evenly, whatever its size:
/// `[batch, size..., channels] -> [batch, outputSize..., channels]`.
public struct AdaptiveAveragePool<Rank: SpatialRank>: Layer {
  /// Elements along each spatial axis of the result.
  public let outputSize: Extent

  /// To `outputSize` elements along each spatial axis.
  public init(_ outputSize: Extent) { self.outputSize = outputSize }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    Rank.check(x, "adaptive average pooling")
    return x.adaptiveAveragePooled(to: outputSize)
  }
}

/// `[batch, length, channels] -> [batch, outputSize, channels]`.
public typealias AdaptiveAveragePool1D = AdaptiveAveragePool<OneAxis>
/// `[batch, height, width, channels] -> [batch, outputSize, outputSize, channels]`.
public typealias AdaptiveAveragePool2D = AdaptiveAveragePool<TwoAxes>
/// As `AdaptiveAveragePool2D`, for `[batch, depth, height, width, channels]`.
public typealias AdaptiveAveragePool3D = AdaptiveAveragePool<ThreeAxes>

/// The mean over all positions: `[batch, size..., channels] -> [batch, channels]`.
public struct GlobalAveragePool: Layer {
  /// Takes any number of spatial axes.
  public init() {}

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    x.adaptiveAveragePooled(to: 1).reshaped([x.shape[0], x.shape[-1]])
  }
}
