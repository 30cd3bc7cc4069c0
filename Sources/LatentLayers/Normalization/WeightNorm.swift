// Weight normalisation (Salimans and Kingma 2016): a weight as a direction and a length for each
// output, which are trained apart.

import LatentAutodiff
import LatentNumerics

/// A layer whose work is a product with one weight; its first axis counts the outputs (of a
/// transposed convolution, the inputs).
public protocol WeightedLayer: Layer {
  /// What the input is multiplied with.
  var weight: Tensor { get set }
  /// Whether the last axis of the weight counts the outputs, as of transposed convolutions; else the
  /// first one does.
  var outputsAreLast: Bool { get }
}

extension WeightedLayer {
  public var outputsAreLast: Bool { false }
}

extension Linear: WeightedLayer {}

/// `base` with the weight `scale v / |v|`, where v is the weight that `base` holds and |v| the
/// Euclidean norm of each slice of its first axis (Salimans and Kingma 2016, equation 2). Shapes are
/// those of `base`.
public struct WeightNorm<Base: WeightedLayer>: Layer {
  /// Its weight is the direction; only that of `scale` times it counts.
  public var base: Base
  /// `[outputs]`.
  public var scale: Tensor

  /// Starts with the function that `base` is.
  public init(_ base: Base) {
    self.base = base
    scale = base.weight.detached.lengths.flattened()
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&base, "base")
    visitor.leaveArithmetic()
    visitor.visit(&scale, "scale")
  }

  /// The weight that is used.
  public var weight: Tensor {
    let lengths = base.weight.lengths
    return base.weight * (scale.reshaped(lengths.shape) / lengths)
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    var layer = base
    layer.weight = weight
    return layer(x, &context)
  }
}

extension Tensor {
  /// The Euclidean norms of the slices of the first axis: `[outputs, 1, ...]`.
  fileprivate var lengths: Tensor {
    sqrt(square(self).sum(axes: Array(1..<rank), keepingDimensions: true))
  }
}
