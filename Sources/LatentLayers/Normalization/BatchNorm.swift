// Batch normalisation (Ioffe and Szegedy 2015), channels last. Training normalises with the
// statistics of the batch and lets the running ones follow; afterwards the running ones count.

import LatentAutodiff
import LatentNumerics

/// Normalises each channel over all examples and positions, then scales, shifts and applies the
/// activation: `[batch, ..., size] -> [batch, ..., size]`.
///
/// The batch is normalised by its biased variance and the running variance follows the unbiased one,
/// as in PyTorch. A training batch with a single value for each channel (one example without spatial
/// axes) has no variance: the running statistics normalise it and stay as they are. Without running
/// statistics batches normalise themselves after training too, and single values become zero.
public struct BatchNorm: Layer {
  /// `[size]`, starts at 1; nil without `affine`.
  public var scale: Tensor?
  /// `[size]`, starts at 0; nil without `affine`.
  public var shift: Tensor?
  /// Buffers, moved `momentum` of the way at each training step.
  public var runningMean: Tensor?
  /// `[size]`, as `runningMean`; nil where no statistics are kept.
  public var runningVariance: Tensor?
  /// How far the running statistics move towards those of a batch, a share from 0 to 1.
  public let momentum: Double
  /// Added to the variance before dividing by its root.
  public let epsilon: Double
  /// Applied at the end, in the same pass.
  public let activation: Activation

  /// For a last axis of `size`.
  public init(
    _ size: Int, momentum: Double = 0.1, epsilon: Double = 1e-5, affine: Bool = true,
    tracksStatistics: Bool = true, activation: Activation = .none
  ) {
    scale = affine ? .ones([size]) : nil
    shift = affine ? .zeros([size]) : nil
    runningMean = tracksStatistics ? .zeros([size]) : nil
    runningVariance = tracksStatistics ? .ones([size]) : nil
    self.momentum = momentum
    self.epsilon = epsilon
    self.activation = activation
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&scale, "scale")
    visitor.visit(&shift, "shift")
    visitor.visitBuffer(&runningMean, "runningMean")
    visitor.visitBuffer(&runningVariance, "runningVariance")
  }

  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    if let parameter = scale ?? runningMean {
      requireInput(x, last: parameter.shape[0], "BatchNorm", parameter)
    }
    let values = x.shape.prefix(x.rank - 1).count
    if let mean = runningMean, let variance = runningVariance, !context.isTraining || values < 2 {
      return batchNormalized(
        x, mean: mean, variance: variance, scale: scale, shift: shift, epsilon: epsilon,
        activation: activation)
    }
    let (output, batch) = batchNormalized(
      x, scale: scale, shift: shift, epsilon: epsilon, activation: activation)
    if let mean = runningMean, let variance = runningVariance {
      let unbiased = Double(values) / Double(values - 1)
      context.update(mean, toward: batch.mean, by: momentum)
      context.update(variance, toward: batch.variance * unbiased, by: momentum)
    }
    return output
  }
}
