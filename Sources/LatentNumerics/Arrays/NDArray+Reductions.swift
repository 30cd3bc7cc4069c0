// Reductions over any axes, softmax, running sums. Orders of summation depend on shapes alone.

import CLatentKernels

extension NDArray {
  /// [outer, n, inner] around one axis.
  func around(_ axis: Int) -> (outer: Int64, n: Int64, inner: Int64) {
    (
      Int64(shape.prefix(axis).count), Int64(shape[axis]),
      Int64(shape.suffix(shape.rank - axis - 1).count)
    )
  }

  /// Reduces the named axes (all where nil). Axes that are not neighbours are moved together first.
  public func reduced(_ op: ReductionKernel, axes: [Int]?, keepingDimensions: Bool) -> NDArray {
    requireNumbers("reduction", fractions: op == .logSumExp)
    let chosen = (axes ?? Array(0..<shape.rank)).map { shape.checked($0) }.sorted()
    if chosen.isEmpty { return op == .sumOfSquares ? binary(.multiply, self) : self }
    require(Set(chosen).count == chosen.count, "reduce: an axis is named twice in \(chosen)")
    let kept = (0..<shape.rank).filter { !chosen.contains($0) }
    let contiguous = chosen.last.unsafelyUnwrapped - chosen[0] == chosen.count - 1
    let source = contiguous ? self : permuted(kept + chosen)
    let split = contiguous ? chosen[0] : kept.count
    let outer = source.shape.prefix(split).count
    let n = chosen.reduce(1) { $0 * shape[$1] }
    let inner = source.shape.suffix(shape.rank - split - chosen.count).count
    var newShape = Shape.scalar
    for axis in 0..<shape.rank {
      if !chosen.contains(axis) {
        newShape.append(shape[axis])
      } else if keepingDimensions {
        newShape.append(1)
      }
    }
    let result = NDArray(uninitialized: newShape, dtype)
    latent_reduce(
      op.kernel, dtype.kernel, Int64(outer), Int64(n), Int64(inner), source.pointer,
      result.freshPointer)
    keepAlive(source.storage)
    return result
  }

  /// Position (int32) of the first largest or smallest element along `axis`, which goes away.
  public func argExtreme(largest: Bool, axis: Int) -> NDArray {
    let axis = shape.checked(axis)
    require(shape[axis] > 0, "argMax of an empty axis of \(shape)")
    requireNumbers("argMax")
    let (outer, n, inner) = around(axis)
    let result = NDArray(uninitialized: shape.removing(axis), .int32)
    latent_arg_extreme(
      largest, dtype.kernel, outer, n, inner, pointer,
      result.freshPointer.assumingMemoryBound(to: Int32.self))
    keepAlive(storage)
    return result
  }

  /// Softmax (or its logarithm) over the last axis.
  public func softmax(logarithm: Bool) -> NDArray {
    requireNumbers("softmax", fractions: true)
    let n = shape[-1]
    let result = NDArray(uninitialized: shape, dtype)
    latent_softmax(
      logarithm, dtype.kernel, Int64(n == 0 ? 0 : count / n), Int64(n), pointer,
      result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// The derivative of `softmax`, where this array is its output.
  package func softmaxGradient(_ cotangent: NDArray, logarithm: Bool) -> NDArray {
    let n = shape[-1]
    let result = NDArray(uninitialized: shape, dtype)
    latent_softmax_grad(
      logarithm, dtype.kernel, Int64(n == 0 ? 0 : count / n), Int64(n), cotangent.pointer, pointer,
      result.freshPointer)
    keepAlive(storage)
    keepAlive(cotangent.storage)
    return result
  }

  /// Running sums along an axis; from its end where `reverse`, without the element itself where
  /// `exclusive`.
  public func cumulativeSum(axis: Int, reverse: Bool, exclusive: Bool) -> NDArray {
    requireNumbers("cumulativeSum")
    let axis = shape.checked(axis)
    let (outer, n, inner) = around(axis)
    let result = NDArray(uninitialized: shape, dtype)
    latent_cumulative_sum(
      dtype.kernel, outer, n, inner, reverse, exclusive, pointer, result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// The sum of squares, in double. Traps for bytes and low precision.
  public var sumOfSquares: Double {
    requireNumbers("sumOfSquares")
    defer { keepAlive(storage) }
    return latent_sum_squares(dtype.kernel, Int64(count), pointer)
  }
}
