// The largest elements of rows, and products with arrays that are nearly all zeros.

import CLatentKernels

extension NDArray {
  /// Places of the `count` largest elements along the last axis, `[..., n] -> [..., count]` of int32, the largest
  /// first; of equal ones those further to the front. NaN counts as minus infinity.
  ///
  /// Traps unless this is floating-point and has so many.
  public func largest(
    _ count: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    require(
      shape.rank > 0 && dtype.isFloatingPoint && (0...shape[-1]).contains(count),
      "the \(count) largest of the last axis of \(shape), \(dtype)", file: file, line: line)
    let rows = shape.prefix(shape.rank - 1)
    let result = NDArray(uninitialized: rows.appending(count), .int32)
    latent_largest(
      dtype.kernel, Int64(rows.count), Int64(shape[-1]), Int64(count), pointer,
      result.freshPointer.assumingMemoryBound(to: Int32.self))
    keepAlive(storage)
    return result
  }

  /// `matmul` of this array, which is nearly all zeros: `[rows, n] x [n, size] -> [rows, size]`. Each other element
  /// costs a row of `other`; rows that meet only zeros are not read, whatever they hold.
  package func sparseProduct(_ other: NDArray) -> NDArray {
    require(
      shape.rank == 2 && other.shape.rank == 2 && shape[1] == other.shape[0]
        && dtype == other.dtype && dtype.isFloatingPoint,
      "sparse product: \(shape) \(dtype) and \(other.shape) \(other.dtype)")
    let result = NDArray(uninitialized: [shape[0], other.shape[1]], dtype)
    latent_sparse_product(
      dtype.kernel, Int64(shape[0]), Int64(shape[1]), Int64(other.shape[1]), pointer,
      other.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(other.storage)
    return result
  }

  /// The transpose of this array, which is nearly all zeros, times another: `[rows, n], [rows, size] -> [n, size]`.
  package func sparseTransposedProduct(_ other: NDArray) -> NDArray {
    require(
      shape.rank == 2 && other.shape.rank == 2 && shape[0] == other.shape[0]
        && dtype == other.dtype && dtype.isFloatingPoint,
      "sparse product: \(shape) \(dtype) transposed and \(other.shape) \(other.dtype)")
    let result = NDArray(uninitialized: [shape[1], other.shape[1]], dtype)
    latent_sparse_transposed_product(
      dtype.kernel, Int64(shape[0]), Int64(shape[1]), Int64(other.shape[1]), pointer,
      other.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(other.storage)
    return result
  }
}
