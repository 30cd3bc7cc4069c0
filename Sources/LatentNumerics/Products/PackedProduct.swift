// Products of rows with weights in the layout that oneDNN's kernels read without detours. Packing is
// done once for weights that stay, and the memory of the weights keeps the result; for weights that
// change at every step it still pays from some rows on.

import CLatentDNN
import CLatentKernels

/// y [rows, columns] = activation(x [rows, inner] w + bias) of float32 x, cut along the rows into
/// pieces whose number depends on the sizes alone.
struct PackedProduct {
  var rows: Int, columns: Int, inner: Int
  /// Whether the weights are `[columns, inner]`.
  var transposed: Bool
  var hasBias: Bool, relu: Bool
  /// What x is converted to before it is multiplied; the weights have the type that goes with it.
  var type = RowType.float32

  /// From so many rows on a product is worth the packing.
  static let worthPacking = 256
  /// Weights with fewer elements than this are read in place by other kernels faster.
  static let worthPlan = 1 << 12
  /// The least rows of a piece, and multiply-adds that are worth a third one.
  static let pieceRows = 4
  static let pieceWork = 20_000_000

  private var pieces: Int {
    let work = rows * columns * inner
    if work < Gemm.worthTwo || rows < 2 * PackedProduct.pieceRows { return 1 }
    return evenPieces(min(work / PackedProduct.pieceWork, rows / PackedProduct.pieceRows))
  }

  /// The first row of piece `index`, at multiples of 16 where pieces have so many rows.
  private func border(_ index: Int, of pieces: Int) -> Int {
    let unit = rows >= 16 * pieces ? 16 : 1
    return index == pieces ? rows : (rows + unit - 1) / unit * index / pieces * unit
  }

  func plan(rows: Int) -> OpaquePointer? {
    var shape = latent_dnn_product(
      rows: Int64(rows), columns: Int64(columns), inner: Int64(inner), transposed: transposed,
      has_bias: hasBias, relu: relu, type: type.kernel)
    return type.withScales { latent_dnn_product_plan(&shape, $0) }
  }

  /// A plan for each of these numbers of rows, in their order, all with the weights in one layout;
  /// nil where one is missing.
  func plans(_ sizes: [Int]) -> [OpaquePointer]? {
    var plans: [OpaquePointer] = []
    for (index, rows) in sizes.enumerated() {
      // Pieces differ by one unit of rows at most, so that the search is short.
      let known = sizes[..<index].firstIndex(of: rows).map { plans[$0] } ?? plan(rows: rows)
      guard let known, plans.isEmpty || hasLayout(of: plans[0], known) else { return nil }
      plans.append(known)
    }
    return plans
  }

  private func hasLayout(of one: OpaquePointer, _ other: OpaquePointer) -> Bool {
    one == other || latent_dnn_weights_layout(one) == latent_dnn_weights_layout(other)
  }

  /// Calls with the rows of each piece, on the pool.
  func inPieces(_ body: (Range<Int>) -> Void) {
    let pieces = pieces
    parallelFor(pieces) { body(border($0, of: pieces)..<border($0 + 1, of: pieces)) }
  }

  /// Nil where there is no plan. What is not done by the plan of the activation follows piece by
  /// piece, which is still in its processor's cache, and reads from `pre` where that is given.
  func callAsFunction(
    _ x: NDArray, _ weight: NDArray, _ bias: NDArray?, then activation: Activation = .none,
    pre: NDArray? = nil
  ) -> NDArray? {
    let pieces = pieces
    let sizes = (0..<pieces).map { border($0 + 1, of: pieces) - border($0, of: pieces) }
    guard let plans = plans(sizes) else { return nil }
    let packed = weight.packed(for: plans[0])
    let bias = type.unscaled(bias)
    let y = NDArray(uninitialized: [rows, columns], .float32)
    let converted =
      type.kernel == LATENT_DNN_F32
      ? nil : NDArray(uninitialized: [rows * inner * type.size], .uint8)
    let marks = converted.map { _ in PieceMarks(pieces) }
    parallelFor(pieces) { index in
      let row = border(index, of: pieces)
      var read = UnsafeRawPointer(x.floats(row * inner))
      if let converted {
        let target = converted.freshPointer + row * inner * type.size
        let count = sizes[index] * inner
        if !type.write(count, of: x.floats(row * inner), to: target) { marks?.set(index) }
        read = UnsafeRawPointer(target)
      }
      let result = (pre ?? y).floats(row * columns)
      let isDone = latent_dnn_multiply(
        plans[index], read, packed.pointer, bias?.floats(0), result)
      require(isDone, "oneDNN refused a product of \(x.shape) and \(weight.shape)")
      if activation != .none {
        latent_activate(
          activation.kernel, LATENT_F32, Int64(sizes[index] * columns), result,
          y.floats(row * columns))
      }
    }
    keepAlive(x.storage)
    keepAlive(converted)
    keepAlive(packed.storage)
    keepAlive(bias)
    keepAlive(pre)
    return marks.map { y.spoiled(by: x, $0) } ?? y
  }
}

extension Activation {
  /// Whether plans of oneDNN apply it in the pass that multiplies.
  var isFusedByPlans: Bool { self == .relu && latent_dnn_fuses_relu() }
}

/// Why a derivative is refused.
let lowPrecisionServes =
  "there is no derivative through a weight of low precision: it serves inference; differentiate the "
  + "float32 model, or quantizedModel.converted(to: .float32)"

extension NDArray {
  /// `activation(x W^T + b)` of rows x `[rows, inputs]`, which are this array, and W `[outputs,
  /// inputs]`; `pre` is the pre-activation, where the derivative needs it. `changes` tells that W
  /// will be another at the next call, as in training.
  package func linear(
    _ weight: NDArray, bias: NDArray?, activation: Activation, savingPre: Bool, changes: Bool,
    file: StaticString = #fileID, line: UInt = #line
  ) -> (output: NDArray, pre: NDArray?) {
    require(
      bias.map { $0.shape == [weight.shape[0]] && $0.dtype == dtype } ?? true,
      "bias \(bias?.shape ?? []) of \(bias?.dtype ?? dtype) does not fit weight \(weight.shape) of "
        + "\(weight.dtype)", file: file, line: line)
    if weight.dtype.isLowPrecision {
      require(
        !savingPre && !changes, "\(lowPrecisionServes) (weight \(weight.shape) of \(weight.dtype))",
        file: file, line: line)
      let output = lowPrecisionLinear(
        weight, bias: bias, activation: activation, file: file, line: line)
      return (output, nil)
    }
    if let result = product(
      weight, transposed: true, bias: bias, activation: activation, savingPre: savingPre,
      changes: changes, file: file, line: line)
    {
      return result
    }
    return matmul(weight, transpose: .right, file: file, line: line)
      .addingBias(bias, activation: activation, savingPre: savingPre)
  }

  /// `x W` of rows x `[rows, outputs]`, which are this array, and W `[outputs, inputs]`: the cotangent
  /// of the input of `linear`.
  package func linearInputGradient(weight: NDArray) -> NDArray {
    product(
      weight, transposed: false, bias: nil, activation: .none, savingPre: false, changes: true
    )?.output ?? matmul(weight)
  }

  /// Nil where a plain product and a pass over its result are as fast.
  private func product(
    _ weight: NDArray, transposed: Bool, bias: NDArray?, activation: Activation, savingPre: Bool,
    changes: Bool, file: StaticString = #fileID, line: UInt = #line
  ) -> (output: NDArray, pre: NDArray?)? {
    let (columns, inner) =
      transposed ? (weight.shape[0], weight.shape[1]) : (weight.shape[1], weight.shape[0])
    require(
      shape.rank == 2 && shape[1] == inner && dtype == weight.dtype,
      "product of rows \(shape) of \(dtype) and weights \(weight.shape) of \(weight.dtype)",
      file: file, line: line)
    let least = changes ? PackedProduct.worthPacking : Gemm.fewRows + 1
    guard dtype == .float32 else { return nil }
    if shape[0] >= least, columns * inner >= PackedProduct.worthPlan {
      let relu = activation.isFusedByPlans
      let rest = relu ? .none : activation  // what products do not do themselves
      let packed = PackedProduct(
        rows: shape[0], columns: columns, inner: inner, transposed: transposed,
        hasBias: bias != nil, relu: relu)
      let pre =
        savingPre && rest.savesPreActivation
        ? NDArray(uninitialized: [shape[0], columns], .float32) : nil
      if let y = packed(self, weight, bias, then: rest, pre: pre) { return (y, pre) }
    }
    guard transposed, let plain = RowProduct(rows: shape[0], columns: columns, inner: inner) else {
      return nil
    }
    let relu = activation == .relu
    let rest = relu ? .none : activation
    let y = NDArray(uninitialized: [shape[0], columns], .float32)
    plain(floats(0), weight.floats(0), bias: bias?.floats(0), relu: relu, y.floats(0))
    keepAlive(storage)
    keepAlive(weight.storage)
    keepAlive(bias)
    return rest == .none
      ? (y, nil) : (consume y).addingBias(nil, activation: rest, savingPre: savingPre)
  }

  func floats(_ offset: Int) -> UnsafeMutablePointer<Float> {
    freshPointer.assumingMemoryBound(to: Float.self) + offset
  }

  /// This weight in the layout of `plan`, as bytes: itself where that is the plain layout.
  func packed(for plan: OpaquePointer) -> NDArray {
    let layout = latent_dnn_weights_layout(plan)
    if layout == 0 { return self }
    return storage.derived(DerivedKey(offset: offset, layout: layout)) {
      let result = NDArray(uninitialized: [Int(latent_dnn_weights_bytes(plan))], .uint8)
      parallelFor(Int(latent_dnn_pack_parts(plan))) { part in
        let isPacked = latent_dnn_pack(plan, Int32(part), floats(0), result.freshPointer)
        require(isPacked, "oneDNN refused to reorder weights of shape \(shape)")
      }
      keepAlive(storage)
      return result
    }
  }
}
