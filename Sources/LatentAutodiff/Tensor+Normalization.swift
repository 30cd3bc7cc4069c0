// Group and batch normalisation with scale, shift and activation as one operation. The forward pass
// keeps its input and a few statistics; normalised values and activation slopes are computed again
// by the fused derivative. Higher derivatives use the composed form.

import LatentNumerics

/// Normalisation over all positions and a group of channels of each example, then `scale`, `shift`
/// (`[channels]`; ones and zeros where absent) and an activation (Wu and He 2018, equation 2):
/// `[batch, ..., channels] -> [batch, ..., channels]`.
///
/// As many groups as channels is instance normalisation.
public func groupNormalized(
  _ x: Tensor, groups: Int, scale: Tensor? = nil, shift: Tensor? = nil, epsilon: Double = 1e-5,
  activation: Activation = .none
) -> Tensor {
  let view = NormalizationGroups(x.shape, groups: groups)
  return normalized(x, view, scale, shift, epsilon: epsilon, activation).output
}

/// Statistics of a batch, by channel: constants of the input's type, `[channels]`.
public struct BatchStatistics: Sendable {
  /// The means, `[size]`.
  public let mean: Tensor
  /// The mean squared distance from the mean (biased).
  public let variance: Tensor
  /// The number of values of each channel.
  public let count: Int
}

/// Normalisation of each channel over all other axes, batch included, then `scale`, `shift` and an
/// activation (Ioffe and Szegedy 2015, algorithm 1): `[batch, ..., channels] -> [batch, ..., channels]`.
public func batchNormalized(
  _ x: Tensor, scale: Tensor? = nil, shift: Tensor? = nil, epsilon: Double = 1e-5,
  activation: Activation = .none
) -> (output: Tensor, statistics: BatchStatistics) {
  let view = NormalizationGroups(x.shape, groups: x.shape[-1], acrossBatch: true)
  let (output, statistics) = normalized(x, view, scale, shift, epsilon: epsilon, activation)
  func column(_ index: Int) -> Tensor {
    Tensor(
      statistics.sliced(2, index..<(index + 1)).reshaped([view.channels])
        .converted(to: x.dtype))
  }
  return (
    output, BatchStatistics(mean: column(0), variance: column(1), count: view.positions)
  )
}

/// The same with a given `mean` and `variance` `[channels]`, which count as constants: how batch
/// normalisation is used after training.
public func batchNormalized(
  _ x: Tensor, mean: Tensor, variance: Tensor, scale: Tensor? = nil, shift: Tensor? = nil,
  epsilon: Double = 1e-5, activation: Activation = .none
) -> Tensor {
  let view = NormalizationGroups(x.shape, groups: x.shape[-1], acrossBatch: true)
  require(
    mean.shape == [view.channels] && variance.shape == mean.shape,
    "batch norm: input \(x.shape), mean \(mean.shape), variance \(variance.shape)")
  let (mean, variance) = (
    mean.detached.converted(to: .float64), variance.detached.converted(to: .float64)
  )
  let statistics = Tensor.stack([mean, variance, reciprocalSqrt(variance + epsilon)], axis: 1)
  return normalized(
    x, view, scale, shift, epsilon: epsilon, activation,
    fixed: statistics.array.reshaped([1, view.channels, 3])
  ).output
}

private func normalized(
  _ x: Tensor, _ view: NormalizationGroups, _ scale: Tensor?, _ shift: Tensor?, epsilon: Double,
  _ activation: Activation, fixed: NDArray? = nil
) -> (output: Tensor, statistics: NDArray) {
  let scale = scale ?? .ones([view.channels], x.dtype)
  let shift = shift ?? .zeros([view.channels], x.dtype)
  let (result, statistics) = x.array.groupNormalized(
    view, scale: scale.array, shift: shift.array, epsilon: epsilon, activation: activation,
    fixed: fixed)
  let isFixed = fixed != nil
  let output = Tensor.record("groupNorm", [x, scale, shift], result, saving: .inputs) { g, call in
    if call.isHigherOrder {
      return composedDerivative(
        g, call, view, epsilon: epsilon, activation, fixed: isFixed ? statistics : nil)
    }
    let (dx, dScale, dShift) = call[0].array.groupNormGradient(
      view, scale: call[1].array, shift: call[2].array, statistics: statistics, isFixed: isFixed,
      activation: activation, cotangent: g.array)
    return [
      call.needs(0) ? Tensor(dx) : nil, call.needs(1) ? Tensor(dScale) : nil,
      call.needs(2) ? Tensor(dShift) : nil,
    ]
  }
  return (output, statistics)
}

/// The derivative as recorded operations on `[batch, positions, groups, channels of a group]`.
private func composedDerivative(
  _ g: Tensor, _ call: RecordedCall, _ view: NormalizationGroups, epsilon: Double,
  _ activation: Activation, fixed: NDArray?
) -> [Tensor?] {
  let size = view.channels / view.groups
  let rows = Shape([view.batch, view.positions, view.groups, size])
  let (x, scale) = (call[0].reshaped(rows), call[1].reshaped([view.groups, size]))
  let shift = call[2].reshaped(scale.shape)
  func mean(_ y: Tensor) -> Tensor { y.mean(axes: [1, 3], keepingDimensions: true) }
  func column(_ statistics: NDArray, _ index: Int) -> Tensor {
    Tensor(statistics.sliced(2, index..<(index + 1)).converted(to: x.dtype))
      .reshaped([view.batch, 1, view.groups, 1])
  }
  let centered = x - (fixed.map { column($0, 0) } ?? mean(x))
  let inverse =
    fixed.map { column($0, 2) } ?? reciprocalSqrt(mean(square(centered)) + epsilon)
  let normal = centered * inverse
  let pre = normal * scale + shift
  let slope = activation.preActivationCotangent(g.reshaped(rows), output: activation(pre)) { pre }
  let weighted = slope * scale
  let dx =
    fixed == nil
    ? inverse * (weighted - mean(weighted) - normal * mean(weighted * normal)) : inverse * weighted
  let channels: Shape = [view.channels]
  return [
    call.needs(0) ? dx.reshaped(call[0].shape) : nil,
    call.needs(1) ? (slope * normal).sum(axes: [0, 1]).reshaped(channels) : nil,
    call.needs(2) ? slope.sum(axes: [0, 1]).reshaped(channels) : nil,
  ]
}
