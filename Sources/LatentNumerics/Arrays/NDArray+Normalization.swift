// Normalisation over groups of channels, with an activation behind it, each direction in one call.
// Batch, instance and group norm are the same kernel over different views of the rows.

import CLatentKernels

/// How rows of channels are gathered for normalisation: every example's statistics are over all
/// its positions and over the channels of a group.
package struct NormalizationGroups: Sendable, Hashable {
  package let batch: Int
  package let positions: Int
  package let channels: Int
  package let groups: Int

  /// The view of `shape` `[batch, ..., channels]` in which statistics belong to an example and one
  /// of `groups` groups of neighbouring channels, or, where `acrossBatch`, to all examples together.
  package init(_ shape: Shape, groups: Int, acrossBatch: Bool = false) {
    require(
      shape.rank >= 2 && groups > 0 && shape[-1] % groups == 0,
      "normalization of \(shape) in \(groups) groups: expected [batch, ..., channels] with channels "
        + "that the groups divide")
    channels = shape[-1]
    self.groups = groups
    let rows = shape.prefix(shape.rank - 1).count
    batch = acrossBatch ? 1 : shape[0]
    positions = batch == 0 ? 0 : rows / batch
  }

  /// The numbers that share a mean and a variance.
  package var elements: Int { positions * (channels / groups) }

  fileprivate var scratch: NDArray {
    let count = latent_group_norm_scratch(
      Int64(batch), Int64(positions), Int64(max(channels, 1)), Int64(groups))
    return NDArray(uninitialized: [Int(count)], .float64)
  }
}

extension NDArray {
  private func requireNormalizable(
    _ view: NormalizationGroups, scale: NDArray, shift: NDArray, _ statistics: NDArray?
  ) {
    for (part, name) in [(scale, "scale"), (shift, "shift")] {
      require(
        part.shape == [view.channels] && part.dtype == dtype && dtype.isFloatingPoint,
        "normalization: \(name) \(part.shape) of \(part.dtype) does not fit \(shape) of \(dtype)")
    }
    require(
      count == view.batch * view.positions * view.channels,
      "normalization of \(shape) as \(view)")
    guard let statistics else { return }
    require(
      statistics.shape == [view.batch, view.groups, 3] && statistics.dtype == .float64,
      "normalization of \(shape): statistics \(statistics.shape) of \(statistics.dtype), expected "
        + "\([view.batch, view.groups, 3] as Shape) of float64")
  }

  /// `activation((self - mean) / sqrt(variance + epsilon) * scale + shift)`.
  ///
  /// - Parameter fixed: statistics to use instead of the array's own.
  /// - Returns: the output and the statistics `[batch, groups, 3]` in float64: mean, biased variance
  ///   and 1 / sqrt(variance + epsilon).
  package func groupNormalized(
    _ view: NormalizationGroups, scale: NDArray, shift: NDArray, epsilon: Double,
    activation: Activation, fixed: NDArray? = nil
  ) -> (output: NDArray, statistics: NDArray) {
    requireNormalizable(view, scale: scale, shift: shift, fixed)
    let output = NDArray(uninitialized: shape, dtype)
    let statistics = fixed ?? NDArray(repeating: 0, shape: [view.batch, view.groups, 3], .float64)
    if count == 0 { return (output, statistics) }
    let scratch = view.scratch
    latent_group_norm(
      activation.kernel, dtype.kernel, fixed != nil, Int64(view.batch), Int64(view.positions),
      Int64(view.channels), Int64(view.groups), epsilon, pointer, scale.pointer, shift.pointer,
      statistics.freshPointer.assumingMemoryBound(to: Double.self), output.freshPointer,
      scratch.freshPointer.assumingMemoryBound(to: Double.self))
    keepAlive(storage)
    keepAlive(scale.storage)
    keepAlive(shift.storage)
    keepAlive(statistics.storage)
    keepAlive(scratch.storage)
    return (output, statistics)
  }

  /// The cotangents of the input (this array), scale and shift of `groupNormalized`.
  ///
  /// - Parameter isFixed: whether the statistics were given, and so are constants.
  package func groupNormGradient(
    _ view: NormalizationGroups, scale: NDArray, shift: NDArray, statistics: NDArray, isFixed: Bool,
    activation: Activation, cotangent: NDArray
  ) -> (input: NDArray, scale: NDArray, shift: NDArray) {
    requireNormalizable(view, scale: scale, shift: shift, statistics)
    require(
      cotangent.shape == shape && cotangent.dtype == dtype,
      "normalization of \(shape): cotangent \(cotangent.shape) of \(cotangent.dtype)")
    let channels: Shape = [view.channels]
    if count == 0 {
      let nothing = NDArray(repeating: 0, shape: channels, dtype)
      return (self, nothing, nothing)
    }
    let result = (
      input: NDArray(uninitialized: shape, dtype), scale: NDArray(uninitialized: channels, dtype),
      shift: NDArray(uninitialized: channels, dtype)
    )
    let scratch = view.scratch
    latent_group_norm_grad(
      activation.kernel, dtype.kernel, isFixed, Int64(view.batch), Int64(view.positions),
      Int64(view.channels), Int64(view.groups), pointer, scale.pointer, shift.pointer,
      statistics.pointer.assumingMemoryBound(to: Double.self), cotangent.pointer,
      result.input.freshPointer, result.scale.freshPointer, result.shift.freshPointer,
      scratch.freshPointer.assumingMemoryBound(to: Double.self))
    keepAlive(storage)
    keepAlive(scale.storage)
    keepAlive(shift.storage)
    keepAlive(statistics.storage)
    keepAlive(cotangent.storage)
    keepAlive(scratch.storage)
    return result
  }
}
