// Activation normalisation (Kingma and Dhariwal 2018, section 3.1): an affine map of each element that starts where the
// first batch has mean 0 and variance 1, and is trained from there. Unlike batch normalisation it is the same map for
// every batch, so that its determinant is that of one example.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `y = (x - mean) / deviation * e^logScale + shift`, `[..., size] -> [..., size]`.
///
/// `mean` and `deviation` are buffers, which the first batch of training sets for good; `shift` and `logScale` are
/// trained from 0.
public struct ActivationNorm: Module {
  /// The variance of an element counts as at least this in the first batch.
  public static let leastVariance = 1e-12

  /// `[size]`.
  public var shift: Tensor
  /// `[size]`.
  public var logScale: Tensor
  /// Of the first batch, `[size]`.
  public var mean: Tensor
  /// The logarithm of the standard deviation of the first batch, `[size]`.
  public var logDeviation: Tensor
  /// 1 once there was a first batch, `[]`.
  public var hasStarted: Tensor

  /// The identity of vectors of `size` elements, until there is a first batch.
  public init(_ size: Int) {
    (shift, logScale) = (.zeros([size]), .zeros([size]))
    (mean, logDeviation) = (.zeros([size]), .zeros([size]))
    hasStarted = .zeros([])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&shift, "shift")
    visitor.visit(&logScale, "logScale")
    visitor.visitBuffer(&mean, "mean")
    visitor.visitBuffer(&logDeviation, "logDeviation")
    visitor.visitBuffer(&hasStarted, "hasStarted")
  }

  /// The map for x `[..., size]`: of the first batch in training its own, which is noted, and of every other
  /// that of the first. Statistics are constants: no derivative passes through them.
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> AffineBijection {
    var (center, logWidth) = (context.current(mean), context.current(logDeviation))
    let vectors = x.shape.prefix(x.rank - 1).count
    if context.isTraining && vectors > 1 && context.current(hasStarted).item == 0 {
      let rows = x.detached.reshaped([vectors, x.shape[-1]])
      let variance = rows.variance(axes: [0])
      let (first, width) = (
        rows.mean(axes: [0]),
        log(maximum(variance, variance.zerosLike + ActivationNorm.leastVariance)) * 0.5
      )
      context.update(mean) { _ in first }
      context.update(logDeviation) { _ in width }
      context.update(hasStarted) { $0.onesLike }
      (center, logWidth) = (first, width)
    }
    let total = logScale - logWidth
    return AffineBijection(shift: shift - center * exp(total), logScale: total)
  }
}
