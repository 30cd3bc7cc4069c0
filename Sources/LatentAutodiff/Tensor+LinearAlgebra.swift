// Matrix products and factorisations over the last two axes. Derivatives of the factorisations
// after Giles, "Collected matrix derivative results for forward and reverse mode" (2008).

import LatentNumerics

/// The matrix product over the last two axes; leading axes broadcast.
///
/// `[..., m, k] x [..., k, n] -> [..., m, n]`, with a factor's last two axes exchanged first where
/// `transpose` says so.
public func matmul(
  _ x: Tensor, _ y: Tensor, transpose: GemmTranspose = [], file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  let result = x.array.matmul(y.array, transpose: transpose, file: file, line: line)
  return Tensor.record("matmul", x, y, result, saving: .inputs) { g, call in
    let left = transpose.contains(.left)
    let right = transpose.contains(.right)
    var dx: Tensor?
    var dy: Tensor?
    if call.needs(0) {
      let y = call[1]
      dx =
        left
        ? matmul(y, g, transpose: right ? [.left, .right] : [.right])
        : matmul(g, y, transpose: right ? [] : [.right])
      dx = dx?.summed(to: call[0].shape)
    }
    if call.needs(1) {
      let (x, shape) = (call[0], call[1].shape)
      if shape.prefix(shape.rank - 2).count == 1 && !left && shape.rank <= x.rank {
        // One matrix for every batch: its derivative is a single product over all rows.
        let (rows, cotangents) = (x.asRows, g.asRows)
        dy =
          right
          ? call.product(cotangents, rows, for: 1) : call.product(rows, cotangents, for: 1)
      } else {
        dy =
          right
          ? matmul(g, x, transpose: left ? [.left, .right] : [.left])
          : matmul(x, g, transpose: left ? [] : [.left])
        dy = dy?.summed(to: shape)
      }
    }
    return [dx, dy]
  }
}

extension Tensor {
  /// 1 on and below the diagonal (above it where not `lower`), 0 elsewhere, [size, size].
  static func triangle(_ size: Int, _ dtype: DType, lower: Bool = true) -> Tensor {
    let row = range(size, dtype).reshaped([size, 1])
    let column = range(size, dtype).reshaped([1, size])
    return lower ? row .>= column : column .>= row
  }

  /// The elements on and below the diagonal of the last two axes, zeros above.
  public var lowerTriangle: Tensor { kept(where: .triangle(shape[-1], dtype)) }

  /// The diagonals of the last two axes: `[..., n, n] -> [..., n]`.
  public var diagonal: Tensor { kept(where: .identity(shape[-1], dtype)).sum(axes: [-1]) }

  /// Matrices with this last axis on their diagonal: `[..., n] -> [..., n, n]`.
  public var diagonalMatrix: Tensor {
    expandingDimension(at: rank).kept(where: .identity(shape[-1], dtype))
  }

  /// Zero, not the product with zero: what goes away may be infinite or NaN.
  private func kept(where mask: Tensor) -> Tensor { Tensor.where(mask, self, .zeros([], dtype)) }
}

/// The lower-triangular L with L L^T = `x`, symmetric; only the lower half of `x` is read, and its
/// derivative is symmetric.
/// - Throws: `NumericsError.notPositiveDefinite`, naming the matrix of the batch.
public func cholesky(
  _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
) throws -> Tensor {
  let result = try x.array.cholesky(file: file, line: line)
  return Tensor.record("cholesky", x, result, saving: .output) { g, call in
    let l = call.output
    let size = l.shape[-1]
    let half = Tensor.triangle(size, l.dtype) - Tensor.identity(size, l.dtype) * 0.5
    let middle = matmul(l, g, transpose: .left) * half
    let symmetric = (middle + middle.transposed) * 0.5
    let left = triangularSolve(l, symmetric, transposed: true)
    return [triangularSolve(l, left.transposed, transposed: true)]
  }
}

/// Solves T X = B for lower-triangular T (or its transpose, or an upper-triangular one).
///
/// `[..., n, n], [..., n, k] -> [..., n, k]`; leading axes broadcast.
public func triangularSolve(
  _ triangle: Tensor, _ right: Tensor, lower: Bool = true, transposed: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let batch = NDArray.broadcastShape(
    triangle.shape.prefix(triangle.rank - 2), right.shape.prefix(right.rank - 2),
    "triangularSolve", file: file, line: line)
  let triangle = triangle.broadcast(to: batch + triangle.shape.suffix(2))
  let right = right.broadcast(to: batch + right.shape.suffix(2))
  let result = triangle.array.triangularSolve(
    right.array, lower: lower, transposed: transposed, file: file, line: line)
  return Tensor.record("triangularSolve", triangle, right, result, saving: [.inputs, .output]) {
    g, call in
    let t = call[0]
    let back = triangularSolve(t, g, lower: lower, transposed: !transposed)
    let mask = Tensor.triangle(t.shape[-1], t.dtype, lower: lower)
    let outer =
      transposed
      ? matmul(call.output, back, transpose: .right) : matmul(back, call.output, transpose: .right)
    return [call.needs(0) ? -(outer * mask) : nil, call.needs(1) ? back : nil]
  }
}

/// The inverse of square matrices.
/// - Throws: `NumericsError.singular`, naming the matrix of the batch.
public func inverse(
  _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
) throws -> Tensor {
  let result = try x.array.inverse(file: file, line: line)
  return Tensor.record("inverse", x, result, saving: .output) { g, call in
    let y = call.output
    return [-matmul(matmul(y, g, transpose: .left), y, transpose: .right)]
  }
}

/// log det of symmetric positive definite matrices, through their Cholesky factors:
/// `[..., n, n] -> [...]`.
/// - Throws: `NumericsError.notPositiveDefinite`, naming the matrix of the batch.
public func logDeterminant(
  _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
) throws -> Tensor {
  log(try cholesky(x, file: file, line: line).diagonal).sum(axes: [-1]) * 2
}
