// Matrix products. OpenBLAS (or oneDNN) works single-threaded inside our pool on pieces whose
// number depends on the sizes alone, so the bits do not depend on the number of threads.

import CLatentBLAS
import CLatentDNN
import CLatentKernels

/// Which of the two factors is read transposed (its last two axes exchanged).
public struct GemmTranspose: OptionSet, Sendable {
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }
  /// The left factor.
  public static let left = GemmTranspose(rawValue: 1)
  /// The right factor.
  public static let right = GemmTranspose(rawValue: 2)
}

/// One row-major product C [m, n] = op(A) op(B) and how it is cut into pieces.
struct Gemm {
  var m: Int, n: Int, k: Int
  var transpose: GemmTranspose
  var dtype: DType

  /// Fewer multiply-adds than this are not worth a second thread, and a third one should save as
  /// much as this many: small pieces run at half the speed of large ones, because each packs its
  /// share of the factors anew.
  static let worthTwo = 1 << 18
  static let worthMore = 40_000_000

  /// Up to so many rows the weights are read in place instead of being packed by a library.
  static let fewRows = 4

  /// Pieces along one side of C: a function of the sizes alone.
  var pieces: Int {
    let work = m * n * k
    if work < 2 * Gemm.worthTwo || max(m, n) < 32 { return 1 }
    return evenPieces(min(work / Gemm.worthMore, max(m, n) / 32))
  }

  /// Rows are cut where there are many, or where the product is not one of rows with rows: a piece
  /// of rows then reads whole lines of both factors.
  fileprivate func cutsRows(_ pieces: Int) -> Bool {
    m >= n || (transpose != .right && m >= 64 * pieces)
  }

  /// A product of some hundred rows with a large matrix, as backward through a linear layer, is cut
  /// along the inner axis: each processor then reads those rows of the weights that it multiplies
  /// with on the way forward and updates afterwards, instead of all of them.
  private var cutsInner: Bool {
    transpose.isEmpty && m <= 256 && k >= n && k * n >= 1 << 17 && pieces > 1
  }

  func callAsFunction(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer
  ) {
    if m <= Gemm.fewRows && transpose == .right && dtype == .float32 {
      return latent_small_product(
        Int64(m), Int64(n), Int64(k), a.assumingMemoryBound(to: Float.self),
        b.assumingMemoryBound(to: Float.self), c.assumingMemoryBound(to: Float.self))
    }
    if transpose == .right, dtype == .float32,
      let product = RowProduct(rows: m, columns: n, inner: k)
    {
      return product(
        a.assumingMemoryBound(to: Float.self), b.assumingMemoryBound(to: Float.self), bias: nil,
        relu: false, c.assumingMemoryBound(to: Float.self))
    }
    if cutsInner { return addingPieces(a, b, c) }
    let size = dtype.size
    let pieces = pieces
    let alongRows = cutsRows(pieces)
    let length = alongRows ? m : n
    parallelFor(pieces) { piece in
      // What the kernels' tiles of rows and of columns are made of.
      let range = cut(length, piece, of: pieces, unit: alongRows ? 8 : 16)
      let mode = latent_flush_denormals()
      defer { latent_restore_float_mode(mode) }
      run(a, b, c, rows: alongRows ? range : 0..<m, columns: alongRows ? 0..<n : range, size)
    }
  }

  /// Piece `index` of `0..<length`, with borders at multiples of `unit`.
  fileprivate func cut(_ length: Int, _ index: Int, of pieces: Int, unit: Int) -> Range<Int> {
    let blocks = (length + unit - 1) / unit
    let lower = index * blocks / pieces * unit
    let upper = index + 1 == pieces ? length : (index + 1) * blocks / pieces * unit
    return lower..<upper
  }

  /// The sum of the products of pieces of the inner axis, in their order.
  private func addingPieces(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer
  ) {
    let (pieces, size) = (pieces, dtype.size)
    let others = NDArray(uninitialized: [pieces - 1, m, n], dtype)
    parallelFor(pieces) { piece in
      let inner = cut(k, piece, of: pieces, unit: 8)
      let mode = latent_flush_denormals()
      defer { latent_restore_float_mode(mode) }
      let target = piece == 0 ? c : others.freshPointer + (piece - 1) * m * n * size
      Gemm.serial(
        [], m, n, inner.count, a + inner.lowerBound * size, k, b + inner.lowerBound * n * size, n,
        target, n, dtype)
    }
    for piece in 0..<(pieces - 1) {
      var (count, one) = (Int64(m * n), Int64(1))
      latent_binary(
        LATENT_ADD, dtype.kernel, 1, &count, c, &one, others.freshPointer + piece * m * n * size,
        &one, c)
    }
    keepAlive(others.storage)
  }

  private func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer,
    rows: Range<Int>, columns: Range<Int>, _ size: Int
  ) {
    if rows.isEmpty || columns.isEmpty { return }
    let left = transpose.contains(.left)
    let right = transpose.contains(.right)
    let lda = left ? m : k
    let ldb = right ? k : n
    Gemm.serial(
      transpose, rows.count, columns.count, k,
      a + size * (left ? rows.lowerBound : rows.lowerBound * lda), lda,
      b + size * (right ? columns.lowerBound * ldb : columns.lowerBound), ldb,
      c + size * (rows.lowerBound * n + columns.lowerBound), n, dtype)
  }

  /// C [m, n] = op(A) op(B), or that added to C, on the calling thread. `lda`, `ldb` and `ldc` are
  /// the elements from one row in memory to the next. OpenBLAS is loaded with one thread, and oneDNN
  /// told to take one on every thread that calls it.
  static func serial(
    _ transpose: GemmTranspose, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafeRawPointer, _ lda: Int,
    _ b: UnsafeRawPointer, _ ldb: Int, _ c: UnsafeMutableRawPointer, _ ldc: Int, _ dtype: DType,
    adding: Bool = false
  ) {
    let left = transpose.contains(.left)
    let right = transpose.contains(.right)
    if dtype == .float32 {
      let (a, b) = (a.assumingMemoryBound(to: Float.self), b.assumingMemoryBound(to: Float.self))
      let c = c.assumingMemoryBound(to: Float.self)
      let beta: Float = adding ? 1 : 0
      if latent_dnn_sgemm(
        left, right, Int64(m), Int64(n), Int64(k), 1, a, Int64(lda), b, Int64(ldb), beta, c,
        Int64(ldc))
      {
        return
      }
      latent_blas_f32().pointee.gemm(
        Int32(LATENT_ROW_MAJOR), transposition(left), transposition(right), Int32(m), Int32(n),
        Int32(k), 1, a, Int32(lda), b, Int32(ldb), beta, c, Int32(ldc))
    } else {
      latent_blas_f64().pointee.gemm(
        Int32(LATENT_ROW_MAJOR), transposition(left), transposition(right), Int32(m), Int32(n),
        Int32(k), 1, a.assumingMemoryBound(to: Double.self), Int32(lda),
        b.assumingMemoryBound(to: Double.self), Int32(ldb), adding ? 1 : 0,
        c.assumingMemoryBound(to: Double.self), Int32(ldc))
    }
  }
}

extension NDArray {
  /// The sum of products `left`^T `right` of rows `[rows, m]` and `[rows, n]`, at least one, each with rows of its own
  /// number: `[m, n]`, which is written part by part, each while it lies in a cache.
  package static func sumOfProducts(_ factors: [(left: NDArray, right: NDArray)]) -> NDArray {
    let (m, n, dtype) = (factors[0].left.shape[1], factors[0].right.shape[1], factors[0].left.dtype)
    for (left, right) in factors {
      require(
        left.shape.rank == 2 && left.shape[1] == m && right.shape == [left.shape[0], n]
          && left.dtype == dtype && right.dtype == dtype,
        "a sum of products [\(m), \(n)] with one of \(left.shape) and \(right.shape)")
    }
    let rows = factors.reduce(0) { $0 + $1.left.shape[0] }
    if rows == 0 { return NDArray(repeating: 0, shape: [m, n], dtype) }
    let result = NDArray(uninitialized: [m, n], dtype)
    let gemm = Gemm(m: m, n: n, k: rows, transpose: .left, dtype: dtype)
    let (pieces, size) = (gemm.pieces, dtype.size)
    let alongRows = gemm.cutsRows(pieces)
    parallelFor(pieces) { piece in
      let range = gemm.cut(alongRows ? m : n, piece, of: pieces, unit: alongRows ? 8 : 16)
      if range.isEmpty { return }
      let (rows, columns) = (alongRows ? range : 0..<m, alongRows ? 0..<n : range)
      let mode = latent_flush_denormals()
      defer { latent_restore_float_mode(mode) }
      var adding = false
      for (left, right) in factors where left.shape[0] > 0 {
        Gemm.serial(
          .left, rows.count, columns.count, left.shape[0],
          left.pointer + rows.lowerBound * size, m, right.pointer + columns.lowerBound * size, n,
          result.freshPointer + (rows.lowerBound * n + columns.lowerBound) * size, n, dtype,
          adding: adding)
        adding = true
      }
    }
    for (left, right) in factors {
      keepAlive(left.storage)
      keepAlive(right.storage)
    }
    return result
  }
}

private func transposition(_ isTransposed: Bool) -> Int32 {
  Int32(isTransposed ? LATENT_TRANSPOSE : LATENT_NO_TRANSPOSE)
}

extension NDArray {
  /// Matrix product over the last two axes; leading axes broadcast.
  ///
  /// `[..., m, k] x [..., k, n] -> [..., m, n]`. Traps, naming both shapes, where they do not fit.
  public func matmul(
    _ other: NDArray, transpose: GemmTranspose = [], file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    require(
      dtype == other.dtype && dtype.isFloatingPoint,
      "matmul: element types \(dtype), \(other.dtype)",
      file: file, line: line)
    require(
      shape.rank >= 2 && other.shape.rank >= 2, "matmul: shapes \(shape) and \(other.shape)",
      file: file, line: line)
    let left = transpose.contains(.left)
    let right = transpose.contains(.right)
    let (m, k) = left ? (shape[-1], shape[-2]) : (shape[-2], shape[-1])
    let (k2, n) = right ? (other.shape[-1], other.shape[-2]) : (other.shape[-2], other.shape[-1])
    require(
      k == k2,
      "matmul: inner sizes differ: \(shape)\(left ? " transposed" : "") and "
        + "\(other.shape)\(right ? " transposed" : "")", file: file, line: line)
    let leftBatch = shape.prefix(shape.rank - 2)
    let rightBatch = other.shape.prefix(other.shape.rank - 2)

    // One matrix on the right and a plain left side: fold the batch into the rows.
    if rightBatch.count == 1 && !left && rightBatch.rank <= leftBatch.rank {
      let rows = leftBatch.count * m
      let result = NDArray(uninitialized: leftBatch.appending(m).appending(n), dtype)
      product(Gemm(m: rows, n: n, k: k, transpose: transpose, dtype: dtype), other, result)
      return result
    }
    let batch = NDArray.broadcastShape(leftBatch, rightBatch, "matmul", file: file, line: line)
    let result = NDArray(uninitialized: batch.appending(m).appending(n), dtype)
    if batch.count == 1 {
      product(Gemm(m: m, n: n, k: k, transpose: transpose, dtype: dtype), other, result)
      return result
    }
    let a = leftBatch == batch ? self : broadcast(to: batch + shape.suffix(2))
    let b = rightBatch == batch ? other : other.broadcast(to: batch + other.shape.suffix(2))
    if k == 0 { return NDArray(repeating: 0, shape: result.shape, dtype) }
    let single = Gemm(m: m, n: n, k: k, transpose: transpose, dtype: dtype)
    let size = dtype.size
    parallelFor(batch.count) { index in
      single(
        a.pointer + index * m * k * size, b.pointer + index * k * n * size,
        result.freshPointer + index * m * n * size)
    }
    keepAlive(a.storage)
    keepAlive(b.storage)
    return result
  }

  private func product(_ gemm: Gemm, _ other: NDArray, _ result: NDArray) {
    if gemm.k == 0 {
      latent_fill(dtype.kernel, Int64(result.count), 0, result.freshPointer)
    } else {
      gemm(pointer, other.pointer, result.freshPointer)
    }
    keepAlive(storage)
    keepAlive(other.storage)
  }
}
