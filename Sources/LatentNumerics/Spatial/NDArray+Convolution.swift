// Convolution, the gradient of its input (which is the transposed convolution) and the gradient of
// its weights. Each is linear in both of its arguments, and each is a derivative of the other two.

import CLatentDNN
import CLatentKernels

extension NDArray {
  /// `activation(x * w + b)`: this array is x `[batch, in..., channels]`; `pre` is the
  /// pre-activation, where the derivative needs it.
  public func convolved(
    with weight: NDArray, _ geometry: ConvolutionGeometry, bias: NDArray? = nil,
    activation: Activation = .none, savingPre: Bool = false
  ) -> (output: NDArray, pre: NDArray?) {
    if weight.dtype.isLowPrecision {
      require(!savingPre, "\(lowPrecisionServes) (weight \(weight.shape) of \(weight.dtype))")
      let output = lowPrecisionConvolved(
        with: weight, geometry, bias: bias, activation: activation)
      return (output, nil)
    }
    let output = geometry.outputSize(of: geometry.sizes(of: shape))
    let convolution = Convolution(
      geometry, batch: shape[0], input: geometry.sizes(of: shape), inputChannels: shape[-1],
      output: output, outputChannels: weight.shape[0], dtype: dtype)
    let outputShape = geometry.shape(batch: shape[0], output, channels: weight.shape[0])
    if convolution.patch == 0 {
      return NDArray(repeating: 0, shape: outputShape, dtype)
        .addingBias(bias, activation: activation, savingPre: savingPre)
    }
    let y = NDArray(uninitialized: outputShape, dtype)
    if y.count == 0 { return (y, nil) }
    let relu = activation.isFusedByPlans
    let pieces = convolution.pieces(writingInput: false)
    if let plans = convolution.plans(
      pieces, LATENT_DNN_FORWARD, hasBias: bias != nil, relu: relu)
    {
      let packed = weight.packed(for: plans[0])
      let isDone = run(plans, pieces) { plan, piece in
        latent_dnn_run(
          plan, floats(piece.inputOffset), packed.pointer, bias?.floats(0),
          y.floats(piece.outputOffset))
      }
      keepAlive(storage)
      keepAlive(packed.storage)
      keepAlive(bias)
      if isDone {
        if relu || activation == .none { return (y, nil) }
        return (consume y).addingBias(nil, activation: activation, savingPre: savingPre)
      }
    }
    convolution.inRows { rows, scratch in
      convolution.forward(rows: rows, pointer, weight.pointer, y.freshPointer, scratch)
    }
    keepAlive(storage)
    keepAlive(weight.storage)
    return (consume y).addingBias(bias, activation: activation, savingPre: savingPre)
  }

  /// `activation(x *^T w + b)`, the transposed convolution of x, which is this array.
  package func transposedConvolved(
    with weight: NDArray, _ geometry: ConvolutionGeometry, outputSize: SIMD3<Int>, bias: NDArray?,
    activation: Activation, savingPre: Bool
  ) -> (output: NDArray, pre: NDArray?) {
    if weight.dtype.isLowPrecision {
      require(!savingPre, "\(lowPrecisionServes) (weight \(weight.shape) of \(weight.dtype))")
      let output = lowPrecisionTransposed(
        weight: weight, geometry, inputSize: outputSize, bias: bias, activation: activation)
      return (output, nil)
    }
    return convolutionInputGradient(weight: weight, geometry, inputSize: outputSize)
      .addingBias(bias, activation: activation, savingPre: savingPre)
  }

  /// The cotangent of the input `[batch, inputSize..., channels]` from that of the output, which is
  /// this array: the transposed convolution.
  public func convolutionInputGradient(
    weight: NDArray, _ geometry: ConvolutionGeometry, inputSize: SIMD3<Int>
  ) -> NDArray {
    let channels = weight.shape[-1] * geometry.groups
    let convolution = Convolution(
      geometry, batch: shape[0], input: inputSize, inputChannels: channels,
      output: geometry.sizes(of: shape), outputChannels: shape[-1], dtype: dtype)
    let x = NDArray(
      uninitialized: geometry.shape(batch: shape[0], inputSize, channels: channels), dtype)
    if x.count == 0 { return x }
    if count == 0 { return NDArray(repeating: 0, shape: x.shape, dtype) }
    let pieces = convolution.pieces(writingInput: true)
    if let plans = convolution.plans(pieces, LATENT_DNN_BACKWARD_DATA) {
      let packed = weight.packed(for: plans[0])
      let isDone = run(plans, pieces) { plan, piece in
        latent_dnn_run(
          plan, x.floats(piece.inputOffset), packed.pointer, nil, floats(piece.outputOffset))
      }
      keepAlive(storage)
      keepAlive(packed.storage)
      if isDone { return x }
    }
    let size = dtype.size
    let scratch = convolution.scratch(pieces.count)
    parallelFor(pieces.count) { index in
      let piece = pieces[index]
      piece.whole.inputGradient(
        pointer + piece.outputOffset * size, weight.pointer,
        x.freshPointer + piece.inputOffset * size, scratch.part(index, of: pieces.count))
    }
    keepAlive(storage)
    keepAlive(weight.storage)
    keepAlive(scratch.storage)
    return x
  }

  /// The cotangent of the weights from the input and the cotangent of the output, which is this
  /// array. Pieces are summed in their order.
  public func convolutionWeightGradient(
    input x: NDArray, _ geometry: ConvolutionGeometry
  ) -> NDArray {
    let convolution = Convolution(
      geometry, batch: shape[0], input: geometry.sizes(of: x.shape), inputChannels: x.shape[-1],
      output: geometry.sizes(of: shape), outputChannels: shape[-1], dtype: dtype)
    let weight = NDArray(
      uninitialized: geometry.weightShape(shape[-1], x.shape[-1] / geometry.groups), dtype)
    if weight.count == 0 { return weight }
    if count == 0 { return NDArray(repeating: 0, shape: weight.shape, dtype) }
    let pieces = convolution.examples()
    if let plans = convolution.plans(pieces, LATENT_DNN_BACKWARD_WEIGHTS) {
      let bytes = Int(latent_dnn_weights_bytes(plans[0]))
      let parts = NDArray(uninitialized: [pieces.count, bytes / 4], .float32)
      let isDone = run(
        plans, pieces,
        indexed: { plan, piece, index in
          latent_dnn_run(
            plan, x.floats(piece.inputOffset), parts.pointer + index * bytes, nil,
            floats(piece.outputOffset))
        })
      keepAlive(storage)
      keepAlive(x.storage)
      if isDone {
        let sum = parts.summedParts()
        let isUnpacked = latent_dnn_unpack(plans[0], sum.pointer, weight.floats(0))
        keepAlive(sum.storage)
        if isUnpacked { return weight }
      }
    }
    let count = convolution.rowPieces
    let parts = NDArray(repeating: 0, shape: [count, weight.count], dtype)
    convolution.inRows(indexed: { rows, scratch, index in
      convolution.weightGradient(
        rows: rows, x.pointer, pointer, parts.freshPointer + index * weight.byteCount, scratch)
    })
    keepAlive(storage)
    keepAlive(x.storage)
    return parts.summedParts().reshaped(weight.shape)
  }
}

// MARK: - Pieces

extension NDArray {
  /// The sum over the first axis, in its order.
  fileprivate func summedParts() -> NDArray {
    if shape[0] == 1 { return reshaped(shape.removing(0)) }
    let sum = NDArray(uninitialized: shape.removing(0), dtype)
    latent_sum_parts(dtype.kernel, Int64(shape[0]), Int64(sum.count), pointer, sum.freshPointer)
    keepAlive(storage)
    return sum
  }

  fileprivate func part(_ index: Int, of count: Int) -> UnsafeMutableRawPointer {
    freshPointer + index * (byteCount / count)
  }
}

/// Runs every plan on its piece; whether all went well.
func run(
  _ plans: [OpaquePointer], _ pieces: [Convolution.Piece],
  indexed body: (OpaquePointer, Convolution.Piece, Int) -> Bool
) -> Bool {
  let failures = PieceMarks(plans.count)
  parallelFor(plans.count) { index in
    if !body(plans[index], pieces[index], index) { failures.set(index) }
  }
  return !failures.isAnySet
}

private func run(
  _ plans: [OpaquePointer], _ pieces: [Convolution.Piece],
  _ body: (OpaquePointer, Convolution.Piece) -> Bool
) -> Bool {
  run(plans, pieces, indexed: { plan, piece, _ in body(plan, piece) })
}

extension Convolution {
  /// Runs of examples alone.
  fileprivate func examples() -> [Piece] {
    let count = min(batch, wantedPieces, 8)
    return (0..<count).map { index in
      var part = self
      let range = (index * batch / count)..<((index + 1) * batch / count)
      part.sizes.batch = Int64(range.count)
      return Piece(
        whole: part, inputOffset: range.lowerBound * inputPositions * inputChannels,
        outputOffset: range.lowerBound * outputPositions * outputChannels)
    }
  }

  fileprivate var rowPieces: Int { min(wantedPieces, batch * outputPositions) }

  /// Memory for a block of patches of each of `count` pieces.
  fileprivate func scratch(_ count: Int) -> NDArray {
    let elements = isPointwise ? 1 : blockRows * patch
    return NDArray(uninitialized: [count, elements], dtype)
  }

  /// Calls with runs of all output rows of all examples, each with scratch for a block of patches.
  fileprivate func inRows(
    indexed body: (Range<Int>, UnsafeMutableRawPointer, Int) -> Void
  ) {
    let rows = batch * outputPositions
    let count = rowPieces
    let scratch = scratch(count)
    parallelFor(count) { index in
      body(
        (index * rows / count)..<((index + 1) * rows / count), scratch.part(index, of: count), index
      )
    }
    keepAlive(scratch.storage)
  }

  func inRows(_ body: (Range<Int>, UnsafeMutableRawPointer) -> Void) {
    inRows(indexed: { rows, scratch, _ in body(rows, scratch) })
  }
}
