// Log-probabilities of classes from logits without the array of all log-probabilities between.

import CLatentKernels

extension NDArray {
  /// Log-probabilities of int32 `targets` `[...]` from logits `[..., classes]` (this array), and
  /// the rows' statistics that the derivative needs. -infinity where a target is no class.
  package func categoricalLogProbability(
    of targets: NDArray
  ) -> (output: NDArray, statistics: NDArray) {
    require(
      shape.rank > 0 && targets.shape == shape.prefix(shape.rank - 1) && targets.dtype == .int32
        && dtype.isFloatingPoint,
      "categorical: logits \(shape) of \(dtype) and targets \(targets.shape) of \(targets.dtype)")
    let output = NDArray(uninitialized: targets.shape, dtype)
    let statistics = NDArray(uninitialized: [targets.count, 2], dtype)
    latent_categorical_log_prob(
      dtype.kernel, Int64(targets.count), Int64(shape[-1]), pointer,
      targets.pointer.assumingMemoryBound(to: Int32.self), output.freshPointer,
      statistics.freshPointer)
    keepAlive(storage)
    keepAlive(targets.storage)
    return (output, statistics)
  }

  /// The cotangent of the logits (this array) of `categoricalLogProbability`.
  package func categoricalLogProbabilityGradient(
    of targets: NDArray, statistics: NDArray, cotangent: NDArray
  ) -> NDArray {
    let result = NDArray(uninitialized: shape, dtype)
    latent_categorical_log_prob_grad(
      dtype.kernel, Int64(targets.count), Int64(shape[-1]), pointer,
      targets.pointer.assumingMemoryBound(to: Int32.self), statistics.pointer, cotangent.pointer,
      result.freshPointer)
    keepAlive(storage)
    keepAlive(targets.storage)
    keepAlive(statistics.storage)
    keepAlive(cotangent.storage)
    return result
  }
}
