// Spectral normalisation (Miyato et al. 2018): a weight divided by its largest singular value, which
// one step of power iteration for each training step follows closely enough.

import LatentAutodiff
import LatentNumerics

/// `base` with its weight, as a matrix `[outputs, rest]`, divided by an estimate of the largest
/// singular value (Miyato et al. 2018, algorithm 1): a fully connected layer then stretches no
/// distance. Shapes are those of `base`.
///
/// As in PyTorch, the outputs of a transposed convolution are those of one group, the last axis of its
/// weight, and `rest` is the axes before it.
///
/// The estimate is u^T W v with the singular vectors u and v, which are buffers and count as
/// constants in derivatives. A call in training takes one step of power iteration first, as PyTorch's
/// parametrisation does; afterwards the vectors stay as they are.
public struct SpectralNorm<Base: WeightedLayer>: Layer {
  /// The layer with the weight as it is trained.
  public var base: Base
  /// u, `[outputs]`.
  public var left: Tensor
  /// v, `[rest]`.
  public var right: Tensor
  /// The least length that a vector is divided by.
  public let epsilon: Double

  /// Starts at random vectors, after `iterations` steps.
  public init(
    _ base: Base, iterations: Int = 15, epsilon: Double = 1e-12, using random: inout RandomStream
  ) {
    self.base = base
    self.epsilon = epsilon
    let weight = base.matrix(base.weight.detached)
    left = random.normalTensor([weight.shape[0]], weight.dtype).unit(epsilon)
    right = random.normalTensor([weight.shape[1]], weight.dtype).unit(epsilon)
    for _ in 0..<iterations { (left, right) = weight.singularVectors(near: right, epsilon) }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&base, "base")
    visitor.leaveArithmetic()
    visitor.visitBuffer(&left, "left")
    visitor.visitBuffer(&right, "right")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let weight = base.matrix(base.weight)
    var (u, v) = (context.current(left), context.current(right))
    if context.isTraining {
      (u, v) = weight.detached.singularVectors(near: v, epsilon)
      context.update(left) { _ in u }
      context.update(right) { _ in v }
    }
    var layer = base
    layer.weight = base.weight / weight.stretch(u, v)
    return layer(x, &context)
  }
}

extension WeightedLayer {
  /// This layer's weight as `[outputs, rest]`.
  fileprivate func matrix(_ weight: Tensor) -> Tensor {
    weight.matrix(outputsAreLast: outputsAreLast)
  }
}

extension Tensor {
  /// This weight of a layer as `[outputs, rest]`.
  package func matrix(outputsAreLast: Bool) -> Tensor {
    outputsAreLast ? asRows.transposed : flattened(from: 1)
  }

  /// One step of power iteration towards the singular vectors of the largest singular value of this matrix
  /// `[outputs, rest]`, from `right` `[rest]`: `[outputs]` and `[rest]`.
  package func singularVectors(
    near right: Tensor, _ epsilon: Double = 1e-12
  ) -> (left: Tensor, right: Tensor) {
    let left = times(right).unit(epsilon)
    return (left, transposed.times(left).unit(epsilon))
  }

  /// u^T W v of this matrix: its largest singular value where u and v belong to it.
  package func stretch(_ left: Tensor, _ right: Tensor) -> Tensor { (left * times(right)).sum() }

  /// All axes but the last as one.
  fileprivate var asRows: Tensor { reshaped([shape.prefix(rank - 1).count, shape[-1]]) }

  fileprivate func times(_ vector: Tensor) -> Tensor {
    matmul(self, vector.expandingDimension(at: 1)).squeezed(1)
  }

  /// This vector over its length, or over `epsilon` where that is larger.
  package func unit(_ epsilon: Double = 1e-12) -> Tensor {
    self / Swift.max(array.sumOfSquares.squareRoot(), epsilon)
  }
}
