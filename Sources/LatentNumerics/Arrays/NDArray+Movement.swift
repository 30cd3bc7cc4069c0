// Moving elements about: reshaping, permuting, slicing, joining, taking by index.
// Arrays are always dense, so everything except reshaping and leading slices copies.

import CLatentKernels
import Foundation
import Synchronization

extension NDArray {
  /// The same elements in another shape; shares memory.
  public func reshaped(
    _ newShape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    require(
      newShape.count == count,
      "reshape: \(shape) has \(count) elements, \(newShape) \(newShape.count)",
      file: file, line: line)
    return NDArray(storage: storage, offset: offset, shape: newShape, dtype: dtype)
  }

  /// A dense run of `newShape.count` elements from element `start`; shares memory.
  package func view(from start: Int, shape newShape: Shape) -> NDArray {
    require(
      start >= 0 && start + newShape.count <= count,
      "view: \(newShape.count) elements from \(start) of an array of \(count)")
    return NDArray(
      storage: storage, offset: offset + start * dtype.size, shape: newShape, dtype: dtype)
  }

  /// Rows `range` of the first axis; shares memory.
  public func rows(_ range: Range<Int>) -> NDArray {
    require(
      range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of shape \(shape)")
    let width = shape.removing(0).count
    return view(from: range.lowerBound * width, shape: shape.replacing(0, with: range.count))
  }

  func gathered(_ newShape: Shape, start: Int, strides: InlineArray<8, Int>) -> NDArray {
    let result = NDArray(uninitialized: newShape, dtype)
    withKernelAxes(newShape, strides, strides) { extents, steps, _ in
      latent_gather_strided(
        dtype.movedSize, Int32(newShape.rank), extents, pointer + start * dtype.size, steps,
        result.freshPointer)
    }
    keepAlive(storage)
    return result
  }

  /// Axis `i` of the result is axis `order[i]` of this array.
  public func permuted(_ order: [Int]) -> NDArray {
    require(
      order.sorted() == Array(0..<shape.rank),
      "permute: \(order) does not order the axes of \(shape)")
    if order == Array(0..<shape.rank) { return self }
    let dense = shape.strides
    var steps = InlineArray<8, Int>(repeating: 0)
    for (axis, source) in order.enumerated() { steps[axis] = dense[source] }
    return gathered(Shape(order.map { shape[$0] }), start: 0, strides: steps)
  }

  /// The last two axes exchanged.
  public var transposed: NDArray {
    var order = Array(0..<shape.rank)
    order.swapAt(shape.rank - 1, shape.rank - 2)
    return permuted(order)
  }

  /// Repeated along axes of size 1 and new leading ones.
  public func broadcast(to target: Shape) -> NDArray {
    if target == shape { return self }
    require(shape.broadcast(with: target) == target, "broadcast: \(shape) does not fit \(target)")
    return gathered(target, start: 0, strides: shape.broadcastStrides(to: target))
  }

  /// Elements `range` of `axis`, every `step`-th.
  public func sliced(_ axis: Int, _ range: Range<Int>, step: Int = 1) -> NDArray {
    let axis = shape.checked(axis)
    require(
      range.lowerBound >= 0 && range.upperBound <= shape[axis] && step > 0,
      "slice \(range) by \(step) of axis \(axis) of \(shape)")
    let length = (range.count + step - 1) / step
    let newShape = shape.replacing(axis, with: length)
    if step == 1 && shape.prefix(axis).count == 1 {
      return view(from: range.lowerBound * shape.strides[axis], shape: newShape)
    }
    var steps = shape.strides
    let start = range.lowerBound * steps[axis]
    steps[axis] *= step
    return gathered(newShape, start: start, strides: steps)
  }

  /// The elements of `axis` in reverse order.
  public func reversed(_ axis: Int) -> NDArray {
    let axis = shape.checked(axis)
    if shape.count == 0 { return self }
    var steps = shape.strides
    let start = (shape[axis] - 1) * steps[axis]
    steps[axis] = -steps[axis]
    return gathered(shape, start: start, strides: steps)
  }

  /// Writes `part` over elements from `start` of `axis`, every `step`-th.
  package mutating func overwrite(_ axis: Int, from start: Int, step: Int = 1, with part: NDArray) {
    let axis = shape.checked(axis)
    let last = start + (part.shape[axis] - 1) * step
    require(
      part.dtype == dtype && part.shape.replacing(axis, with: 1) == shape.replacing(axis, with: 1)
        && start >= 0 && last < shape[axis],
      "\(part.shape) at \(start) by \(step) of axis \(axis) does not fit into \(shape)")
    makeUnique()
    var steps = shape.strides
    let begin = start * steps[axis]
    steps[axis] *= step
    withKernelAxes(part.shape, steps, steps) { extents, steps, _ in
      latent_scatter_strided(
        dtype.movedSize, Int32(part.shape.rank), extents, part.pointer,
        freshPointer + begin * dtype.size, steps)
    }
    keepAlive(part.storage)
    keepAlive(storage)
  }

  /// The parts one after the other along an axis; other axes must agree.
  public static func concatenate(_ parts: [NDArray], axis: Int) -> NDArray {
    require(!parts.isEmpty, "concatenate: no arrays")
    if parts.count == 1 { return parts[0] }
    let axis = parts[0].shape.checked(axis)
    let total = parts.reduce(0) { $0 + $1.shape[axis] }
    var result = NDArray(
      uninitialized: parts[0].shape.replacing(axis, with: total), parts[0].dtype)
    var start = 0
    for part in parts where part.shape[axis] > 0 {
      result.overwrite(axis, from: start, with: part)
      start += part.shape[axis]
    }
    return result
  }

  /// What `make` returns for each of the ranges that `count` even parts of `0..<rows` are, joined
  /// along the first axis. Parts are made on the threads of the pool and copied as soon as they are
  /// there.
  ///
  /// Traps where a part has not as many rows as its range, or another row than the first one made.
  package static func joined(
    rows: Int, parts count: Int, file: StaticString = #fileID, line: UInt = #line,
    _ make: (Range<Int>) -> NDArray
  ) -> NDArray {
    let whole = Mutex<NDArray?>(nil)
    parallelFor(count) { index in
      let range = (index * rows / count)..<((index + 1) * rows / count)
      let part = make(range)
      let result = whole.withLock { whole in
        let shape = part.shape.replacing(0, with: rows)
        let result = whole ?? NDArray(uninitialized: shape, part.dtype)
        whole = result
        return result
      }
      require(
        part.shape == result.shape.replacing(0, with: range.count) && part.dtype == result.dtype,
        "part \(part.shape), \(part.dtype), for \(range) of \(result.shape), \(result.dtype)",
        file: file, line: line)
      let row = result.shape.suffix(result.shape.rank - 1).count * result.dtype.size
      memcpy(result.freshPointer + range.lowerBound * row, part.pointer, range.count * row)
      keepAlive(part.storage)
    }
    return whole.withLock { $0.unsafelyUnwrapped }
  }

  /// `value` before and after the elements of `axis`.
  public func padded(_ axis: Int, before: Int, after: Int, value: Double) -> NDArray {
    let axis = shape.checked(axis)
    require(before >= 0 && after >= 0, "pad: negative amount \(before), \(after)")
    var result = NDArray(
      repeating: value, shape: shape.replacing(axis, with: shape[axis] + before + after), dtype)
    if count > 0 { result.overwrite(axis, from: before, with: self) }
    return result
  }
}

// MARK: - By index

extension NDArray {
  private func layout(_ axis: Int) -> (outer: Int64, inner: Int64) {
    (Int64(shape.prefix(axis).count), Int64(shape.suffix(shape.rank - axis - 1).count))
  }

  private func checkIndices(
    _ bad: Int64, _ indices: NDArray, _ axis: Int, _ length: Int, _ name: StaticString
  ) {
    require(
      bad < 0,
      "\(name): index \(indices.int32s[Int(bad)]) at position \(bad) is outside 0..<\(length) "
        + "of axis \(axis)")
  }

  /// Slices `indices` (int32, any shape) of `axis`; the shape of the indices takes its place.
  public func taking(_ indices: NDArray, axis: Int) -> NDArray {
    let axis = shape.checked(axis)
    require(indices.dtype == .int32, "gather: indices are \(indices.dtype), not int32")
    let (outer, inner) = layout(axis)
    let newShape = shape.prefix(axis) + indices.shape + shape.suffix(shape.rank - axis - 1)
    let result = NDArray(uninitialized: newShape, dtype)
    let bad = latent_take(
      dtype.movedSize, outer, Int64(shape[axis]), inner, Int64(indices.count),
      indices.pointer.assumingMemoryBound(to: Int32.self), pointer, result.freshPointer)
    keepAlive(storage)
    checkIndices(bad, indices, axis, shape[axis], "gather")
    keepAlive(indices.storage)
    return result
  }

  /// The transpose of `taking`: adds each slice of this array to a zero array of `length` slices.
  public func scatterAdded(_ indices: NDArray, axis: Int, length: Int) -> NDArray {
    require(
      indices.dtype == .int32 && axis >= 0 && axis + indices.shape.rank <= shape.rank
        && shape[axis..<(axis + indices.shape.rank)] == indices.shape,
      "scatter: indices \(indices.shape) of \(indices.dtype) for axis \(axis) of \(shape)")
    let tail = shape.rank - axis - indices.shape.rank
    let newShape = shape.prefix(axis).appending(length) + shape.suffix(tail)
    let result = NDArray(repeating: 0, shape: newShape, dtype)
    let bad = latent_take_add(
      dtype.kernel, Int64(shape.prefix(axis).count), Int64(length), Int64(shape.suffix(tail).count),
      Int64(indices.count), indices.pointer.assumingMemoryBound(to: Int32.self), pointer,
      result.freshPointer)
    keepAlive(storage)
    checkIndices(bad, indices, axis, length, "scatter")
    keepAlive(indices.storage)
    return result
  }

  /// One element for each index: `indices` has this shape but for `axis` (as PyTorch's gather).
  public func takingAlong(_ indices: NDArray, axis: Int) -> NDArray {
    let axis = shape.checked(axis)
    require(
      indices.dtype == .int32 && indices.shape.rank == shape.rank
        && indices.shape.replacing(axis, with: 1) == shape.replacing(axis, with: 1),
      "gather along axis \(axis): indices \(indices.shape) of \(indices.dtype) for \(shape)")
    let (outer, inner) = layout(axis)
    let result = NDArray(uninitialized: indices.shape, dtype)
    let bad = latent_take_along(
      dtype.movedSize, outer, Int64(shape[axis]), inner, Int64(indices.shape[axis]),
      indices.pointer.assumingMemoryBound(to: Int32.self), pointer, result.freshPointer)
    keepAlive(storage)
    checkIndices(bad, indices, axis, shape[axis], "gather along")
    keepAlive(indices.storage)
    return result
  }

  /// The transpose of `takingAlong`.
  public func scatterAddedAlong(_ indices: NDArray, axis: Int, length: Int) -> NDArray {
    let axis = shape.checked(axis)
    require(
      indices.dtype == .int32 && indices.shape == shape,
      "scatter along: indices \(indices.shape) of \(indices.dtype) for \(shape)")
    let (outer, inner) = layout(axis)
    let result = NDArray(repeating: 0, shape: shape.replacing(axis, with: length), dtype)
    let bad = latent_take_along_add(
      dtype.kernel, outer, Int64(length), inner, Int64(shape[axis]),
      indices.pointer.assumingMemoryBound(to: Int32.self), pointer, result.freshPointer)
    keepAlive(storage)
    checkIndices(bad, indices, axis, length, "scatter along")
    keepAlive(indices.storage)
    return result
  }
}
