// Sums, means, extremes and their kin over any axes (all where none are named), softmax and
// running sums.

import LatentNumerics

extension Tensor {
  /// The shape with the reduced axes kept as 1, to broadcast a reduced value back.
  private func keptShape(_ axes: [Int]?) -> Shape {
    var kept = shape
    for axis in axes ?? Array(0..<rank) { kept[axis] = 1 }
    return kept
  }

  private func reduce(
    _ name: StaticString, _ kernel: ReductionKernel, _ axes: [Int]?, _ keepingDimensions: Bool,
    saving: Saved, _ pullback: @escaping Pullback
  ) -> Tensor {
    let result = array.reduced(kernel, axes: axes, keepingDimensions: keepingDimensions)
    return Tensor.record(name, self, result, saving: saving, pullback)
  }

  /// The sum over `axes`, or over all where none are named.
  public func sum(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let (kept, full) = (keptShape(axes), shape)
    return reduce("sum", .sum, axes, keepingDimensions, saving: []) { g, _ in
      [g.reshaped(kept).broadcast(to: full)]
    }
  }

  /// The mean over `axes`, or over all where none are named.
  public func mean(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let number = (axes ?? Array(0..<rank)).reduce(1) { $0 * shape[$1] }
    return sum(axes: axes, keepingDimensions: keepingDimensions) / Double(number)
  }

  /// The mean squared distance from the mean; `correction` is subtracted from the number of
  /// elements (0: biased, 1: unbiased).
  public func variance(
    axes: [Int]? = nil, correction: Double = 0, keepingDimensions: Bool = false
  ) -> Tensor {
    let number = (axes ?? Array(0..<rank)).reduce(1) { $0 * shape[$1] }
    let centered = self - mean(axes: axes, keepingDimensions: true)
    return square(centered).sum(axes: axes, keepingDimensions: keepingDimensions)
      / (Double(number) - correction)
  }

  /// The largest element; equal ones share the derivative.
  public func max(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    extreme("max", .max, axes, keepingDimensions)
  }

  /// The smallest element; equal ones share the derivative.
  public func min(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    extreme("min", .min, axes, keepingDimensions)
  }

  private func extreme(
    _ name: StaticString, _ kernel: ReductionKernel, _ axes: [Int]?, _ keepingDimensions: Bool
  ) -> Tensor {
    let kept = keptShape(axes)
    return reduce(name, kernel, axes, keepingDimensions, saving: [.inputs, .output]) { g, call in
      let chosen = call[0].detached .== call.output.detached.reshaped(kept)
      let share = chosen / chosen.sum(axes: axes, keepingDimensions: true)
      return [g.reshaped(kept) * share]
    }
  }

  /// log of the sum of e^x, the largest element taken out first; -infinity where all are.
  public func logSumExp(axes: [Int]? = nil, keepingDimensions: Bool = false) -> Tensor {
    let kept = keptShape(axes)
    return reduce("logSumExp", .logSumExp, axes, keepingDimensions, saving: [.inputs, .output]) {
      g, call in
      let total = call.output.reshaped(kept)
      // Where the sum is -infinity every weight is zero; the difference would be NaN.
      let safe = Tensor.where(total.detached .== -.infinity, total.zerosLike, total)
      return [g.reshaped(kept) * exp(call[0] - safe)]
    }
  }

  /// The position of the first largest element along `axis`, int32; no derivative.
  public func argMax(axis: Int) -> Tensor { Tensor(array.argExtreme(largest: true, axis: axis)) }

  /// The position of the first smallest element along `axis`, int32; no derivative.
  public func argMin(axis: Int) -> Tensor { Tensor(array.argExtreme(largest: false, axis: axis)) }

  /// Running sums along `axis`; from its end where `reverse`, without the element itself where
  /// `exclusive`.
  public func cumulativeSum(axis: Int, reverse: Bool = false, exclusive: Bool = false) -> Tensor {
    let result = array.cumulativeSum(axis: axis, reverse: reverse, exclusive: exclusive)
    return Tensor.record("cumulativeSum", self, result, saving: []) { g, _ in
      [g.cumulativeSum(axis: axis, reverse: !reverse, exclusive: exclusive)]
    }
  }
}

/// e^x over its sum along `axis`.
public func softmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  alongLast(x, axis) { x in
    Tensor.record("softmax", x, x.array.softmax(logarithm: false), saving: .output) { g, call in
      let y = call.output
      if !call.isHigherOrder {
        return [Tensor(y.array.softmaxGradient(g.array, logarithm: false))]
      }
      return [y * (g - (g * y).sum(axes: [-1], keepingDimensions: true))]
    }
  }
}

/// The logarithm of `softmax`, without underflow.
public func logSoftmax(_ x: Tensor, axis: Int = -1) -> Tensor {
  alongLast(x, axis) { x in
    Tensor.record("logSoftmax", x, x.array.softmax(logarithm: true), saving: .output) { g, call in
      let y = call.output
      if !call.isHigherOrder {
        return [Tensor(y.array.softmaxGradient(g.array, logarithm: true))]
      }
      return [g - exp(y) * g.sum(axes: [-1], keepingDimensions: true)]
    }
  }
}

/// Applies what works on the last axis to another one.
private func alongLast(_ x: Tensor, _ axis: Int, _ body: (Tensor) -> Tensor) -> Tensor {
  let axis = x.shape.checked(axis)
  return axis == x.rank - 1
    ? body(x) : body(x.swapping(axis, x.rank - 1)).swapping(axis, x.rank - 1)
}
