// Sylvester flows: planar flows with several directions at once, whose determinant is that of a small triangular
// matrix by Sylvester's identity (van den Berg, Hasenclever, Tomczak and Welling 2018).
//
//   z' = z + Q R tanh(R~ Q^T z + b),   |det| = prod_i (1 + tanh'(a_i) R_ii R~_ii)
//
// Q has orthonormal columns, R and R~ are upper triangular; invertible where every R_ii R~_ii > -1.

import LatentAutodiff
import LatentNumerics

/// `z + Q R tanh(R~ Q^T z + b)`, with no formula for the inverse.
public struct SylvesterBijection: Bijection {
  /// Q, `[batch, size, columns]`, with orthonormal columns.
  public let basis: Tensor
  /// R, `[batch, columns, columns]`.
  public let outer: Tensor
  /// R~, likewise.
  public let inner: Tensor
  /// b, `[batch, columns]`.
  public let offset: Tensor

  /// From Q, R, R~ and b; what is below the diagonals of R and R~ is ignored. Q is taken as orthonormal:
  /// ``orthonormalized(_:)`` and ``reflections(_:)`` make such matrices.
  public init(basis: Tensor, outer: Tensor, inner: Tensor, offset: Tensor) {
    self.basis = basis
    self.outer = outer.transposed.lowerTriangle.transposed
    self.inner = inner.transposed.lowerTriangle.transposed
    self.offset = offset
  }

  public func forward(_ z: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    // Vectors as rows.
    let row = matmul(z.expandingDimension(at: z.rank - 1), basis)
    let seen = matmul(row, inner, transpose: .right)
    let bend = tanh(seen + offset.expandingDimension(at: offset.rank - 1))
    let moved = matmul(matmul(bend, outer, transpose: .right), basis, transpose: .right)
    let value = z + moved.squeezed(-2)
    let slopes = outer.diagonal * inner.diagonal
    let terms = log(onePlus: (1 - square(bend.squeezed(-2))) * slopes)
    return (value, terms.sum(axes: [-1]).forEachVector(of: value))
  }

  // MARK: Orthonormal columns

  /// The most steps of the iteration: enough for conditions up to 10^10 in float64 and 10^6 in float32, and too
  /// few to make directions of rounding errors.
  public static func orthonormalSteps(_ dtype: DType) -> Int { dtype == .float64 ? 60 : 36 }

  /// The nearest matrix with orthonormal columns, `[..., size, columns]`: `Q <- Q (I + (I - Q^T Q) / 2)` from
  /// the matrix over its Frobenius norm, until Q^T Q is I to rounding. Derivatives pass through the
  /// steps. A matrix whose columns depend on each other has no such neighbour: NaN.
  public static func orthonormalized(_ matrices: Tensor) -> Tensor {
    let columns = matrices.shape[-1]
    let identity = Tensor.identity(columns, matrices.dtype)
    let squares = square(matrices).sum(axes: [-2, -1], keepingDimensions: true)
    var q = matrices * reciprocalSqrt(squares)
    let tolerance = matrices.dtype == .float64 ? 1e-14 : 1e-6
    for _ in 0..<orthonormalSteps(matrices.dtype) {
      let residual = identity - matmul(q, q, transpose: .left)
      q = q + matmul(q, residual) * 0.5
      // The residual of the new q is of the order of this one's square.
      let largest = abs(residual.detached).max().item
      if largest * largest < tolerance { break }
    }
    let residual = abs(identity - matmul(q.detached, q.detached, transpose: .left))
    let isOrthonormal =
      residual.max(axes: [-2, -1], keepingDimensions: true) .< tolerance.squareRoot()
    return Tensor.where(isOrthonormal, q, Tensor.scalar(.nan, q.dtype))
  }

  /// The product of the reflections at vectors `[..., count, size]`, `[..., size, size]`.
  public static func reflections(_ normals: Tensor) -> Tensor {
    let (count, size) = (normals.shape[-2], normals.shape[-1])
    var q = Tensor.identity(size, normals.dtype)
      .broadcast(to: normals.shape.prefix(normals.rank - 2) + [size, size])
    for index in 0..<count {
      // Rows of Q are reflected: Q H.
      q = HouseholderBijection(normal: normals.sliced(-2, index..<index + 1)).reflected(q)
    }
    return q
  }
}
