// Attention over heads that lie side by side in the rows of an array, each direction in one call.
// The heads are read in place: splitting them apart would copy every projection twice.

import CLatentKernels

/// Which arrays an attention reads and how: `softmax(q k^T / sqrt(width / heads) + mask) v` for
/// each example and head (Vaswani et al. 2017, equation 1).
package struct AttentionGeometry: Sendable {
  package let batch: Int
  package let heads: Int
  package let queries: Int
  package let keys: Int
  /// Of all heads together.
  package let width: Int
  /// Whether query i sees only the keys up to `i + keys - queries`.
  package let isCausal: Bool
  /// Whether queries, keys and values are one array `[batch, length, 3 * width]`.
  package let isPacked: Bool
  package let dtype: DType
  /// Added to the scores, `[batch, heads, queries, keys]` or what broadcasts to it.
  let mask: NDArray?

  /// For operands `[projection]` or `[queries, keys, values]`. Traps where shapes do not fit.
  package init(
    _ operands: [NDArray], heads: Int, isCausal: Bool, mask: NDArray?,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    isPacked = operands.count == 1
    let shapes = operands.map(\.shape)
    let packing = isPacked ? 3 : 1
    require(
      shapes.allSatisfy { $0.rank == 3 && $0[0] == shapes[0][0] && $0[2] == shapes[0][2] }
        && (isPacked || shapes[1] == shapes[2]) && heads > 0 && shapes[0][2] % packing == 0
        && shapes[0][2] / packing % heads == 0,
      "attention of \(heads) heads: operands \(shapes.map(\.description).joined(separator: ", ")), "
        + "expected [batch, length, 3 * width] or "
        + "three [batch, length, width] with a width that the heads divide", file: file, line: line)
    dtype = operands[0].dtype
    let dtype = dtype
    require(
      dtype.isFloatingPoint && operands.allSatisfy { $0.dtype == dtype }
        && mask?.dtype ?? dtype == dtype,
      "attention: element types \(operands.map(\.dtype)), mask \(mask?.dtype ?? dtype)",
      file: file, line: line)
    batch = shapes[0][0]
    queries = shapes[0][1]
    keys = isPacked ? queries : shapes[1][1]
    width = shapes[0][2] / packing
    self.heads = heads
    self.isCausal = isCausal
    let scores: Shape = [batch, heads, queries, keys]
    require(
      mask.map { $0.shape.broadcast(with: scores) == scores } ?? true,
      "attention: mask \(mask?.shape ?? []) does not broadcast to [batch, heads, queries, keys] "
        + "= \(scores)", file: file, line: line)
    // Kernels read the keys of a mask side by side.
    self.mask = mask.map { mask in
      let own = mask.shape.rank > 0 ? mask.shape : [1]
      return mask.reshaped(own).broadcast(to: own.replacing(-1, with: scores[3]))
    }
  }

  package var headSize: Int { width / heads }
  package var scale: Double { headSize == 0 ? 1 : 1 / Double(headSize).squareRoot() }

  /// `[batch, queries, width]` and, where wanted, the softmax in the layout of the derivative.
  package func output(
    of operands: [NDArray], savingWeights: Bool
  ) -> (output: NDArray, weights: NDArray?) {
    let output = NDArray(uninitialized: [batch, queries, width], dtype)
    var weights: NDArray?
    if keys == 0 {
      return (NDArray(repeating: 0, shape: output.shape, dtype), nil)
    }
    withPlan { plan in
      if savingWeights {
        weights = NDArray(uninitialized: [Int(latent_attention_weights(plan))], dtype)
      }
      let scratch = NDArray(uninitialized: [Int(latent_attention_scratch(plan))], dtype)
      latent_attention(
        plan, pointer(operands, 0), pointer(operands, 1), pointer(operands, 2),
        weights?.freshPointer, output.freshPointer, scratch.freshPointer)
      keepAlive(scratch.storage)
    }
    for operand in operands { keepAlive(operand.storage) }
    return (output, weights)
  }

  /// The cotangents of the operands from that of the output.
  package func gradients(
    of operands: [NDArray], weights: NDArray?, cotangent: NDArray
  ) -> [NDArray] {
    guard let weights else {
      return operands.map { NDArray(repeating: 0, shape: $0.shape, dtype) }
    }
    let results = operands.map { NDArray(uninitialized: $0.shape, dtype) }
    withPlan { plan in
      let scratch = NDArray(uninitialized: [Int(latent_attention_scratch(plan))], dtype)
      latent_attention_grad(
        plan, pointer(operands, 0), pointer(operands, 1), pointer(operands, 2), weights.pointer,
        cotangent.pointer, UnsafeMutableRawPointer(mutating: pointer(results, 0)),
        UnsafeMutableRawPointer(mutating: pointer(results, 1)),
        UnsafeMutableRawPointer(mutating: pointer(results, 2)), scratch.freshPointer)
      keepAlive(scratch.storage)
    }
    for operand in operands { keepAlive(operand.storage) }
    keepAlive(weights.storage)
    keepAlive(cotangent.storage)
    return results
  }

  /// Where queries (0), keys (1) or values (2) begin.
  private func pointer(_ operands: [NDArray], _ index: Int) -> UnsafeRawPointer {
    isPacked ? operands[0].pointer + index * width * dtype.size : operands[index].pointer
  }

  private func withPlan(_ body: (UnsafePointer<latent_attention_plan>) -> Void) {
    func rows(_ length: Int) -> latent_rows {
      let step = Int64(isPacked ? 3 * width : width)
      return latent_rows(position: step, example: step * Int64(length))
    }
    let steps = mask?.shape.broadcastStrides(to: [batch, heads, queries, keys])
    var plan = latent_attention_plan(
      type: dtype.kernel, batch: Int64(batch), heads: Int64(heads), queries: Int64(queries),
      keys: Int64(keys), size: Int64(headSize), scale: scale, causal: isCausal, q: rows(queries),
      k: rows(keys), v: rows(keys),
      out: latent_rows(position: Int64(width), example: Int64(queries * width)),
      mask: mask?.pointer, mask_example: Int64(steps?[0] ?? 0), mask_head: Int64(steps?[1] ?? 0),
      mask_query: Int64(steps?[2] ?? 0))
    body(&plan)
    keepAlive(mask)
  }
}
