// Factorisations by LAPACK over the last two axes, matrix by matrix. LAPACK is column-major: it
// sees the transpose of our rows, so "upper" there is "lower" here.

import CLatentBLAS

/// The LAPACK routines of one precision.
private protocol LAPACKScalar: ArrayElement, BinaryFloatingPoint {
  static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
  static func inverse(_ n: Int32, _ a: UnsafeMutablePointer<Self>) -> Int32
  static func qr(_ rows: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Self>) -> [Self]
  static func eigen(
    _ n: Int32, _ a: UnsafeMutablePointer<Self>, _ values: UnsafeMutablePointer<Self>
  ) -> Int32
  static func trsm(
    _ lower: Bool, _ transposed: Bool, _ n: Int32, _ columns: Int32, _ a: UnsafePointer<Self>,
    _ b: UnsafeMutablePointer<Self>)
}

extension NDArray {
  private func square(_ name: StaticString, file: StaticString, line: UInt) -> (batch: Int, n: Int)
  {
    require(
      shape.rank >= 2 && shape[-1] == shape[-2] && dtype.isFloatingPoint,
      "\(name) of shape \(shape), \(dtype): expected floating-point [..., n, n]", file: file,
      line: line)
    return (shape.prefix(shape.rank - 2).count, shape[-1])
  }

  /// The lower-triangular L with L L^T = this symmetric matrix (only its lower half is read).
  /// - Throws: `NumericsError.notPositiveDefinite`.
  public func cholesky(file: StaticString = #fileID, line: UInt = #line) throws -> NDArray {
    let (batch, n) = square("cholesky", file: file, line: line)
    var result = self
    func factor<Scalar: LAPACKScalar>(_ type: Scalar.Type) throws {
      try result.withMatrices(of: type, size: n * n) { index, matrix in
        let info = Scalar.potrf(Int32(n), matrix)
        if info > 0 {
          throw NumericsError.notPositiveDefinite(batch: index, pivot: Int(info), shape: shape)
        }
        for row in 0..<n {
          // OpenBLAS lets NaN pass: its test for a pivot that is not positive is `<= 0`.
          if !(matrix[row * (n + 1)] > 0) {
            throw NumericsError.notPositiveDefinite(batch: index, pivot: row + 1, shape: shape)
          }
          for column in (row + 1)..<max(n, row + 1) { matrix[row * n + column] = 0 }
        }
      }
    }
    if batch > 0 && n > 0 { try dtype == .float32 ? factor(Float.self) : factor(Double.self) }
    return result
  }

  /// The inverses of matrices `[..., n, n]`.
  ///
  /// - Throws: `NumericsError.singular`.
  public func inverse(file: StaticString = #fileID, line: UInt = #line) throws -> NDArray {
    let (_, n) = square("inverse", file: file, line: line)
    var result = self
    func invert<Scalar: LAPACKScalar>(_ type: Scalar.Type) throws {
      try result.withMatrices(of: type, size: n * n) { index, matrix in
        let info = Scalar.inverse(Int32(n), matrix)
        if info > 0 { throw NumericsError.singular(batch: index, pivot: Int(info), shape: shape) }
      }
    }
    if count > 0 { try dtype == .float32 ? invert(Float.self) : invert(Double.self) }
    return result
  }

  /// Solves T X = B, where T is this triangular matrix (or its transpose); batches must agree.
  public func triangularSolve(
    _ right: NDArray, lower: Bool = true, transposed: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    let (_, n) = square("triangularSolve", file: file, line: line)
    require(
      right.shape.rank == shape.rank && right.shape[-2] == n && right.dtype == dtype
        && right.shape.prefix(shape.rank - 2) == shape.prefix(shape.rank - 2),
      "triangularSolve: \(shape) \(dtype) and right side \(right.shape) \(right.dtype)", file: file,
      line: line)
    let columns = right.shape[-1]
    var result = right
    func solve<Scalar: LAPACKScalar>(_ type: Scalar.Type) {
      withUnsafeElements(of: type) { factors in
        try! result.withMatrices(of: type, size: n * columns) { index, matrix in
          Scalar.trsm(
            lower, transposed, Int32(n), Int32(columns),
            factors.baseAddress.unsafelyUnwrapped + index * n * n, matrix)
        }
      }
    }
    if right.count > 0 { dtype == .float32 ? solve(Float.self) : solve(Double.self) }
    return result
  }

  /// The orthonormal factor Q of this matrix [rows, columns], rows >= columns, with the signs that
  /// make the diagonal of R positive (so that Q of a Gaussian matrix is uniformly distributed).
  public func orthonormalColumns() -> NDArray {
    require(
      shape.rank == 2 && shape[0] >= shape[1] && dtype.isFloatingPoint,
      "orthonormalColumns of shape \(shape), \(dtype)")
    var columnMajor = transposed
    func factor<Scalar: LAPACKScalar>(_ type: Scalar.Type) {
      let (rows, columns) = (shape[0], shape[1])
      try! columnMajor.withMatrices(of: type, size: rows * columns) { _, matrix in
        let signs = Scalar.qr(Int32(rows), Int32(columns), matrix)
        for column in 0..<columns where signs[column] < 0 {
          for row in 0..<rows { matrix[column * rows + row].negate() }
        }
      }
    }
    if count > 0 { dtype == .float32 ? factor(Float.self) : factor(Double.self) }
    return columnMajor.transposed
  }

  /// Eigenvalues (ascending) and eigenvectors (columns) of a symmetric matrix [n, n].
  /// - Throws: `NumericsError.noConvergence`.
  public func symmetricEigen(
    file: StaticString = #fileID, line: UInt = #line
  ) throws -> (values: NDArray, vectors: NDArray) {
    let (_, n) = square("symmetricEigen", file: file, line: line)
    require(shape.rank == 2, "symmetricEigen of shape \(shape): expected [n, n]")
    var vectors = self
    var values = NDArray(repeating: 0, shape: [n], dtype)
    func solve<Scalar: LAPACKScalar>(_ type: Scalar.Type) throws {
      try values.withMatrices(of: type, size: n) { _, list in
        try vectors.withMatrices(of: type, size: n * n) { index, matrix in
          if Scalar.eigen(Int32(n), matrix, list) > 0 {
            throw NumericsError.noConvergence(batch: index, shape: shape)
          }
        }
      }
    }
    if n > 0 { try dtype == .float32 ? solve(Float.self) : solve(Double.self) }
    return (values, vectors.transposed)
  }

  private mutating func withMatrices<Scalar: LAPACKScalar>(
    of type: Scalar.Type, size: Int,
    _ body: (Int, UnsafeMutablePointer<Scalar>) throws -> Void
  ) throws {
    try withUnsafeMutableBytes { bytes in
      let elements = bytes.bindMemory(to: Scalar.self)
      guard let base = elements.baseAddress, size > 0 else { return }
      for index in 0..<(elements.count / size) { try body(index, base + index * size) }
    }
  }
}

extension Float: LAPACKScalar {
  fileprivate static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Float>) -> Int32 {
    var (n, info) = (n, Int32(0))
    latent_blas_f32().pointee.potrf("U", &n, a, &n, &info)
    return info
  }

  fileprivate static func inverse(_ n: Int32, _ a: UnsafeMutablePointer<Float>) -> Int32 {
    var (n, info) = (n, Int32(0))
    var pivots = [Int32](repeating: 0, count: Int(n))
    latent_blas_f32().pointee.getrf(&n, &n, a, &n, &pivots, &info)
    if info != 0 { return info }
    var workSize = 64 * n
    var work = [Float](repeating: 0, count: Int(workSize))
    latent_blas_f32().pointee.getri(&n, a, &n, pivots, &work, &workSize, &info)
    return info
  }

  /// Leaves Q in `a` (column-major) and returns the diagonal of R.
  fileprivate static func qr(
    _ rows: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Float>
  ) -> [Float] {
    var (rows, columns, info) = (rows, columns, Int32(0))
    var tau = [Float](repeating: 0, count: Int(columns))
    var workSize = 64 * columns
    var work = [Float](repeating: 0, count: Int(workSize))
    latent_blas_f32().pointee.geqrf(&rows, &columns, a, &rows, &tau, &work, &workSize, &info)
    let diagonal = (0..<Int(columns)).map { a[$0 * Int(rows) + $0] }
    latent_blas_f32().pointee.orgqr(
      &rows, &columns, &columns, a, &rows, tau, &work, &workSize, &info)
    return diagonal
  }

  fileprivate static func eigen(
    _ n: Int32, _ a: UnsafeMutablePointer<Float>, _ values: UnsafeMutablePointer<Float>
  ) -> Int32 {
    var (n, info, workSize) = (n, Int32(0), 64 * n)
    var work = [Float](repeating: 0, count: Int(workSize))
    latent_blas_f32().pointee.syev("V", "U", &n, a, &n, values, &work, &workSize, &info)
    return info
  }

  fileprivate static func trsm(
    _ lower: Bool, _ transposed: Bool, _ n: Int32, _ columns: Int32, _ a: UnsafePointer<Float>,
    _ b: UnsafeMutablePointer<Float>
  ) {
    latent_blas_f32().pointee.trsm(
      Int32(LATENT_ROW_MAJOR), Int32(LATENT_LEFT), Int32(lower ? LATENT_LOWER : LATENT_UPPER),
      Int32(transposed ? LATENT_TRANSPOSE : LATENT_NO_TRANSPOSE), Int32(LATENT_NON_UNIT), n,
      columns, 1, a, n, b, columns)
  }
}

extension Double: LAPACKScalar {
  fileprivate static func potrf(_ n: Int32, _ a: UnsafeMutablePointer<Double>) -> Int32 {
    var (n, info) = (n, Int32(0))
    latent_blas_f64().pointee.potrf("U", &n, a, &n, &info)
    return info
  }

  fileprivate static func inverse(_ n: Int32, _ a: UnsafeMutablePointer<Double>) -> Int32 {
    var (n, info) = (n, Int32(0))
    var pivots = [Int32](repeating: 0, count: Int(n))
    latent_blas_f64().pointee.getrf(&n, &n, a, &n, &pivots, &info)
    if info != 0 { return info }
    var workSize = 64 * n
    var work = [Double](repeating: 0, count: Int(workSize))
    latent_blas_f64().pointee.getri(&n, a, &n, pivots, &work, &workSize, &info)
    return info
  }

  /// Leaves Q in `a` (column-major) and returns the diagonal of R.
  fileprivate static func qr(
    _ rows: Int32, _ columns: Int32, _ a: UnsafeMutablePointer<Double>
  ) -> [Double] {
    var (rows, columns, info) = (rows, columns, Int32(0))
    var tau = [Double](repeating: 0, count: Int(columns))
    var workSize = 64 * columns
    var work = [Double](repeating: 0, count: Int(workSize))
    latent_blas_f64().pointee.geqrf(&rows, &columns, a, &rows, &tau, &work, &workSize, &info)
    let diagonal = (0..<Int(columns)).map { a[$0 * Int(rows) + $0] }
    latent_blas_f64().pointee.orgqr(
      &rows, &columns, &columns, a, &rows, tau, &work, &workSize, &info)
    return diagonal
  }

  fileprivate static func eigen(
    _ n: Int32, _ a: UnsafeMutablePointer<Double>, _ values: UnsafeMutablePointer<Double>
  ) -> Int32 {
    var (n, info, workSize) = (n, Int32(0), 64 * n)
    var work = [Double](repeating: 0, count: Int(workSize))
    latent_blas_f64().pointee.syev("V", "U", &n, a, &n, values, &work, &workSize, &info)
    return info
  }

  fileprivate static func trsm(
    _ lower: Bool, _ transposed: Bool, _ n: Int32, _ columns: Int32, _ a: UnsafePointer<Double>,
    _ b: UnsafeMutablePointer<Double>
  ) {
    latent_blas_f64().pointee.trsm(
      Int32(LATENT_ROW_MAJOR), Int32(LATENT_LEFT), Int32(lower ? LATENT_LOWER : LATENT_UPPER),
      Int32(transposed ? LATENT_TRANSPOSE : LATENT_NO_TRANSPOSE), Int32(LATENT_NON_UNIT), n,
      columns, 1, a, n, b, columns)
  }
}
