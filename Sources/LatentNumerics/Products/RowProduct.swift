// Products of rows with rows by our own kernel, which reads the weights where they stand: for some
// dozens or hundreds of rows the packing of a library costs more than it gains.

import CLatentKernels

/// y [rows, columns] = relu(x [rows, inner] w^T + bias) of float32, w [columns, inner].
struct RowProduct {
  var rows: Int, columns: Int, inner: Int

  /// Nil where another way is faster, or this processor lacks the kernel.
  init?(rows: Int, columns: Int, inner: Int) {
    guard
      rows > Gemm.fewRows, rows < PackedProduct.worthPacking,
      columns * inner >= PackedProduct.worthPlan, latent_has_row_product()
    else { return nil }
    (self.rows, self.columns, self.inner) = (rows, columns, inner)
  }

  func callAsFunction(
    _ x: UnsafePointer<Float>, _ w: UnsafePointer<Float>, bias: UnsafePointer<Float>?, relu: Bool,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let pieces = latent_pool_threads()
    let size = Int(latent_row_product_scratch(Int64(inner), pieces))
    let scratch = NDArray(uninitialized: [size], .float32)
    latent_row_product(
      Int64(rows), Int64(columns), Int64(inner), x, w, bias, relu, y, pieces, scratch.floats(0))
    keepAlive(scratch.storage)
  }
}
