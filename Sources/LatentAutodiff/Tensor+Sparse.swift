// Products with codes that are nearly all zeros, and which elements of a row are its largest.

import LatentNumerics

/// The product of `z`, which is nearly all zeros, with `w`: `[..., n] x [n, size] -> [..., size]`, the same as `matmul`
/// but for the order of the sums, at the cost of what is not zero. Rows of `w` that meet only zeros are not read.
///
/// The derivative of `w` costs as little; that of `z` is a full one, because zeros have derivatives too.
public func matmul(sparse z: Tensor, _ w: Tensor) -> Tensor {
  let rows = z.asRows
  let result = Tensor.record(
    "sparseMatmul", rows, w, rows.array.sparseProduct(w.array), saving: .inputs
  ) { g, call in
    let (z, w) = (call[0], call[1])
    let dz = call.needs(0) ? matmul(g, w, transpose: .right) : nil
    guard call.needs(1) else { return [dz, nil] }
    // What differentiates this derivative sees an ordinary product.
    let dw =
      call.isHigherOrder
      ? matmul(z, g, transpose: .left) : Tensor(z.array.sparseTransposedProduct(g.array))
    return [dz, dw]
  }
  return result.reshaped(z.shape.replacing(-1, with: w.shape[1]))
}

extension Tensor {
  /// 1 at the `count` largest elements along the last axis, 0 elsewhere, without a derivative: `[..., n] -> [..., n]`.
  /// Of equal ones those further to the front count. Traps where there are not so many.
  public func largestMask(
    _ count: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let places = Tensor(array.largest(count, file: file, line: line))
    return Tensor.ones(places.shape, dtype).scatterAdded(along: -1, places, length: shape[-1])
  }
}
