// Reshaping, permuting, slicing, joining, taking by index: the operations that only move elements.

import LatentNumerics

extension Tensor {
  /// The same elements in another shape; one size may be -1 and follows from the others.
  public func reshaped(
    _ dimensions: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    guard let free = dimensions.firstIndex(of: -1) else {
      return reshaped(Shape(dimensions), file: file, line: line)
    }
    var list = dimensions
    list[free] = 1
    let known = list.reduce(1, *)
    require(
      known > 0 && count % known == 0, "reshape: \(shape) does not fit \(dimensions)", file: file,
      line: line)
    list[free] = count / known
    return reshaped(Shape(list), file: file, line: line)
  }

  /// The same elements in another shape, in row-major order; traps where their number differs.
  public func reshaped(
    _ newShape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let old = shape
    if newShape == old { return self }
    let result = array.reshaped(newShape, file: file, line: line)
    return Tensor.record("reshape", self, result, saving: []) { g, _ in [g.reshaped(old)] }
  }

  /// All axes from `axis` on as one; a scalar becomes `[1]`.
  public func flattened(from axis: Int = 0) -> Tensor {
    let axis = rank == 0 ? 0 : shape.checked(axis)
    return reshaped(shape.prefix(axis).appending(shape.suffix(rank - axis).count))
  }

  /// All axes but the last as one (a size of zero included, which -1 cannot follow from).
  var asRows: Tensor { reshaped(Shape([shape.prefix(rank - 1).count, shape[-1]])) }

  /// A new axis of size 1 before axis `axis`; at the end where `axis` is the rank.
  public func expandingDimension(at axis: Int) -> Tensor {
    reshaped(shape.inserting(1, at: axis))
  }

  /// Without `axis`, which has size 1.
  public func squeezed(_ axis: Int, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    require(shape[axis] == 1, "squeeze of axis \(axis) of \(shape)", file: file, line: line)
    return reshaped(shape.removing(axis))
  }

  /// Axis i of the result is axis `order[i]` of this tensor.
  public func permuted(_ order: [Int]) -> Tensor {
    let order = order.map { shape.checked($0) }
    if order == Array(0..<rank) { return self }
    var inverse = order
    for (axis, source) in order.enumerated() { inverse[source] = axis }
    let back = inverse
    return Tensor.record("permute", self, array.permuted(order), saving: []) { g, _ in
      [g.permuted(back)]
    }
  }

  /// With two axes exchanged.
  public func swapping(_ first: Int, _ second: Int) -> Tensor {
    var order = Array(0..<rank)
    order.swapAt(shape.checked(first), shape.checked(second))
    return permuted(order)
  }

  /// The last two axes exchanged.
  public var transposed: Tensor { swapping(-1, -2) }

  /// Repeated along axes of size 1 and new leading ones: `target` as NumPy would make it.
  public func broadcast(to target: Shape) -> Tensor {
    let old = shape
    if target == old { return self }
    return Tensor.record("broadcast", self, array.broadcast(to: target), saving: []) { g, _ in
      [g.summed(to: old)]
    }
  }

  /// Elements `range` of `axis`, every `step`-th.
  public func sliced(_ axis: Int, _ range: Range<Int>, step: Int = 1) -> Tensor {
    let axis = shape.checked(axis)
    let full = shape
    if range == 0..<full[axis] && step == 1 { return self }
    let result = array.sliced(axis, range, step: step)
    return Tensor.record("slice", self, result, saving: []) { g, _ in
      [g.placed(axis, from: range.lowerBound, step: step, in: full)]
    }
  }

  /// The slice at `index` of `axis`, which goes away.
  public func selecting(_ index: Int, axis: Int = 0) -> Tensor {
    sliced(axis, index..<(index + 1)).squeezed(axis)
  }

  /// The transpose of slicing: this tensor at its place in a tensor of zeros.
  private func placed(_ axis: Int, from start: Int, step: Int, in full: Shape) -> Tensor {
    var result = NDArray(repeating: 0, shape: full, dtype)
    if count > 0 { result.overwrite(axis, from: start, step: step, with: array) }
    let end = start + (shape[axis] - 1) * step + 1
    return Tensor.record("place", self, result, saving: []) { g, _ in
      [g.sliced(axis, start..<Swift.max(start, end), step: step)]
    }
  }

  /// The elements along `axis` in the opposite order.
  public func reversed(axis: Int) -> Tensor {
    Tensor.record("reverse", self, array.reversed(axis), saving: []) { g, _ in
      [g.reversed(axis: axis)]
    }
  }

  /// Equal parts along `axis`.
  public func split(
    into parts: Int, axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    let length = shape[axis]
    require(
      parts > 0 && length % parts == 0, "split into \(parts) of axis \(axis) of \(shape)",
      file: file, line: line)
    return split(sizes: Array(repeating: length / parts, count: parts), axis: axis)
  }

  /// Parts of the given sizes along `axis`.
  public func split(
    sizes: [Int], axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    require(
      sizes.reduce(0, +) == shape[axis], "split into \(sizes) of axis \(axis) of \(shape)",
      file: file, line: line)
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return sliced(axis, start..<(start + size))
    }
  }

  /// Joins along an axis that exists.
  public static func concatenate(_ parts: [Tensor], axis: Int) -> Tensor {
    require(!parts.isEmpty, "concatenate: no tensors")
    let axis = parts[0].shape.checked(axis)
    let sizes = parts.map { $0.shape[axis] }
    let result = NDArray.concatenate(parts.map(\.array), axis: axis)
    return record("concatenate", parts, result, saving: []) { g, call in
      var start = 0
      return sizes.indices.map { index in
        defer { start += sizes[index] }
        return call.needs(index) ? g.sliced(axis, start..<(start + sizes[index])) : nil
      }
    }
  }

  /// Joins along a new axis.
  public static func stack(_ parts: [Tensor], axis: Int = 0) -> Tensor {
    concatenate(parts.map { $0.expandingDimension(at: axis) }, axis: axis)
  }

  /// `value` before and after the elements of `axis`.
  public func padded(axis: Int, before: Int, after: Int, value: Double = 0) -> Tensor {
    let axis = shape.checked(axis)
    let length = shape[axis]
    let result = array.padded(axis, before: before, after: after, value: value)
    return Tensor.record("pad", self, result, saving: []) { g, _ in
      [g.sliced(axis, before..<(before + length))]
    }
  }

  // MARK: By index. Indices are int32 and have no derivative; one outside the axis traps.

  /// Slices `indices` of `axis`; the shape of the indices takes its place (an embedding is
  /// `table.gathering(tokens, axis: 0)`).
  public func gathering(_ indices: Tensor, axis: Int = 0) -> Tensor {
    let axis = shape.checked(axis)
    let (indices, length) = (indices.detached, shape[axis])
    WeightObserver.note(table: array)
    return Tensor.record(
      "gather", self, array.taking(indices.array, axis: axis), saving: []
    ) { g, _ in [g.scatterAdded(to: indices, axis: axis, length: length)] }
  }

  /// The transpose of `gathering`: adds this tensor's slices to zeros, `length` along `axis`.
  public func scatterAdded(to indices: Tensor, axis: Int, length: Int) -> Tensor {
    let indices = indices.detached
    let result = array.scatterAdded(indices.array, axis: axis, length: length)
    return Tensor.record("scatterAdd", self, result, saving: []) { g, _ in
      [g.gathering(indices, axis: axis)]
    }
  }

  /// One element for each index (PyTorch's `gather`): `indices` has this shape except in `axis`.
  public func gathering(along axis: Int, _ indices: Tensor) -> Tensor {
    let axis = shape.checked(axis)
    let (indices, length) = (indices.detached, shape[axis])
    return Tensor.record(
      "gatherAlong", self, array.takingAlong(indices.array, axis: axis), saving: []
    ) { g, _ in [g.scatterAdded(along: axis, indices, length: length)] }
  }

  /// The transpose of `gathering(along:)`.
  public func scatterAdded(along axis: Int, _ indices: Tensor, length: Int) -> Tensor {
    let axis = shape.checked(axis)
    let indices = indices.detached
    let result = array.scatterAddedAlong(indices.array, axis: axis, length: length)
    return Tensor.record("scatterAddAlong", self, result, saving: []) { g, _ in
      [g.gathering(along: axis, indices)]
    }
  }

  /// Another element type. Between floating-point types the derivative passes.
  public func converted(to type: DType) -> Tensor {
    let old = dtype
    if type == old { return self }
    if !(type.isFloatingPoint && old.isFloatingPoint) { return Tensor(array.converted(to: type)) }
    return Tensor.record("convert", self, array.converted(to: type), saving: []) { g, _ in
      [g.converted(to: old)]
    }
  }
}
