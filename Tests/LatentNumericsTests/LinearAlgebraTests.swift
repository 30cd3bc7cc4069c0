// Factorisations, checked by multiplying back.

import LatentNumerics
import Testing

@Suite struct LinearAlgebraTests {
  static let sizes = [1, 2, 3, 5, 8, 17, 40, 130]

  /// X X^T / n + 1, a batch of well-conditioned symmetric positive definite matrices.
  static func positiveDefinite(_ batch: Shape, _ n: Int, _ dtype: DType, _ seed: UInt64) -> NDArray
  {
    var stream = RandomStream(seed: seed)
    let x = stream.normal(batch + [n, n], dtype)
    return x.matmul(x, transpose: .right).binary(.multiply, scalar: 1 / Double(n))
      .binary(.add, identity(n, dtype))
  }

  static func identity(_ n: Int, _ dtype: DType) -> NDArray {
    NDArray((0..<(n * n)).map { $0 % (n + 1) == 0 ? 1.0 : 0 }, shape: [n, n]).converted(to: dtype)
  }

  private func error(_ a: NDArray, _ b: NDArray) -> Double { distance(a, b.doubles) }
  private func tolerance(_ dtype: DType) -> Double { dtype == .float32 ? 2e-4 : 1e-11 }

  @Test(arguments: sizes, [DType.float32, .float64]) func choleskyAndSolve(n: Int, dtype: DType)
    throws
  {
    let a = Self.positiveDefinite([2, 3], n, dtype, UInt64(60 + n))
    let l = try a.cholesky()
    #expect(error(l.matmul(l, transpose: .right), a) < tolerance(dtype))
    for (index, value) in zip(l.shape.indices, l.doubles) where index[3] > index[2] {
      #expect(value == 0)
    }
    // Only the lower half is read.
    let spoiled = a.picked(a.shape, otherwise: .nan) { $0[3] > $0[2] ? nil : $0 }
    #expect(try spoiled.cholesky() == l)

    var stream = RandomStream(seed: 61)
    let right = stream.normal([2, 3, n, 4], dtype)
    for lower in [true, false] {
      let triangle = lower ? l : l.transposed
      for transposed in [false, true] {
        let x = triangle.triangularSolve(right, lower: lower, transposed: transposed)
        let back = triangle.matmul(x, transpose: transposed ? .left : [])
        #expect(error(back, right) < tolerance(dtype), "lower \(lower), transposed \(transposed)")
      }
    }
  }

  @Test(arguments: sizes, [DType.float32, .float64]) func inverses(n: Int, dtype: DType) throws {
    var stream = RandomStream(seed: UInt64(70 + n))
    // Not symmetric; far from singular.
    let a = stream.normal([3, n, n], dtype).binary(.multiply, scalar: 0.3 / Double(n).squareRoot())
      .binary(.add, Self.identity(n, dtype))
    let product = try a.inverse().matmul(a)
    #expect(error(product, Self.identity(n, dtype).broadcast(to: a.shape)) < tolerance(dtype))
  }

  @Test(arguments: [(1, 1), (5, 1), (4, 4), (20, 7), (300, 64)], [DType.float32, .float64])
  func orthonormalColumns(size: (Int, Int), dtype: DType) {
    var stream = RandomStream(seed: 80)
    let a = stream.normal([size.0, size.1], dtype)
    let q = a.orthonormalColumns()
    #expect(q.shape == a.shape)
    #expect(error(q.matmul(q, transpose: .left), Self.identity(size.1, dtype)) < tolerance(dtype))
    // R = Q^T A is upper triangular with a positive diagonal, and Q R = A.
    let r = q.matmul(a, transpose: .left)
    for (index, value) in zip(r.shape.indices, r.doubles) {
      if index[0] == index[1] { #expect(value > 0) }
      if index[0] > index[1] { #expect(abs(value) < tolerance(dtype)) }
    }
    #expect(error(q.matmul(r), a) < tolerance(dtype))
  }

  @Test(arguments: sizes, [DType.float32, .float64]) func eigenvalues(n: Int, dtype: DType) throws {
    let a = Self.positiveDefinite([], n, dtype, UInt64(90 + n))
    let (values, vectors) = try a.symmetricEigen()
    #expect(values.doubles == values.doubles.sorted())
    #expect(
      error(vectors.matmul(vectors, transpose: .left), Self.identity(n, dtype)) < tolerance(dtype))
    #expect(error(a.matmul(vectors), vectors.binary(.multiply, values)) < tolerance(dtype))
  }

  @Test func failuresAreTyped() {
    let identity = Self.identity(2, .float64)
    let bad = NDArray([1, 2, 2, 1] as [Double], shape: [1, 2, 2])
    let batch = NDArray.concatenate([identity.reshaped([1, 2, 2]), bad], axis: 0)
    #expect(
      throws: NumericsError.notPositiveDefinite(batch: 1, pivot: 2, shape: [2, 2, 2])
    ) { try batch.cholesky() }
    let singular = NDArray([1, 2, 2, 4] as [Double], shape: [2, 2])
    #expect(throws: NumericsError.singular(batch: 0, pivot: 2, shape: [2, 2])) {
      try singular.inverse()
    }
    let notANumber = NDArray(repeating: .nan, shape: [3, 3], .float64)
    #expect(throws: NumericsError.self) { try notANumber.cholesky() }
    #expect(throws: NumericsError.self) { try notANumber.symmetricEigen() }
    #expect(
      NumericsError.singular(batch: 0, pivot: 2, shape: [2, 2]).description
        == "inverse: matrix 0 of [2, 2] is singular: pivot 2 is exactly zero")
    #expect(
      "\(NumericsError.notPositiveDefinite(batch: 1, pivot: 2, shape: [2, 2, 2]))"
        == "Cholesky: matrix 1 of [2, 2, 2] is not positive definite: "
        + "its leading minor of order 2 is not positive (add a small diagonal?)")
  }

  @Test func emptyMatrices() throws {
    let empty = NDArray(uninitialized: [0, 3, 3], .float64)
    #expect(try empty.cholesky().shape == [0, 3, 3] && empty.inverse().shape == [0, 3, 3])
    let none = NDArray(uninitialized: [0, 0], .float64)
    #expect(try none.cholesky().shape == [0, 0] && none.symmetricEigen().values.shape == [0])
    #expect(NDArray(uninitialized: [4, 0], .float64).orthonormalColumns().shape == [4, 0])
  }
}
