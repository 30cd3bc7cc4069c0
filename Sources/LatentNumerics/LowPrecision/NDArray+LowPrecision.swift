// `linear` and convolutions with weights that are stored in 16 or 8 bits. oneDNN multiplies where the
// machine has the instructions; elsewhere bfloat16 weights are unpacked once and multiplied in float32,
// and integers by a kernel of ours. Both ways compute the same sums up to the rounding of float32;
// `byPlans: false` takes the second way everywhere, so that tests can compare them.

import CLatentDNN
import CLatentKernels

extension NDArray {
  /// `activation(x W^T + b)` of rows x `[rows, inputs]`, which are this float32 array, and W `[outputs,
  /// inputs]` of low precision.
  func lowPrecisionLinear(
    _ weight: NDArray, bias: NDArray?, activation: Activation, byPlans: Bool = true,
    file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    require(
      shape.rank == 2 && dtype == .float32 && shape[1] == weight.shape[1],
      "product of rows \(shape) of \(dtype) and weights \(weight.shape) of \(weight.dtype)",
      file: file, line: line)
    let type = weight.rowType(
      scalesShape: [weight.shape[0], 1], "linear", file: file, line: line)
    let product = PackedProduct(
      rows: shape[0], columns: weight.shape[0], inner: shape[1], transposed: true,
      hasBias: bias != nil, relu: activation.isFusedByPlans, type: type)
    let isEmpty = count == 0 || weight.count == 0
    if byPlans, !isEmpty, let y = product(self, weight, bias) {
      return y.activated(activation, appliedRelu: product.relu)
    }
    guard case .integers = type else {
      return roundedToBFloat16.linear(
        weight.float32Twin, bias: bias, activation: activation, savingPre: false, changes: false
      ).output
    }
    let y = NDArray(uninitialized: [product.rows, product.columns], .float32)
    let (x, marks) = type.bytes(of: self)
    product.inPieces { rows in
      integerProduct(
        type, rows: rows.count, columns: product.columns, inner: product.inner,
        x.pointer + rows.lowerBound * product.inner, stride: product.inner, weight.pointer,
        type.outputScales?.values, bias, y.floats(rows.lowerBound * product.columns),
        stride: product.columns)
    }
    keepAlive(x.storage)
    keepAlive(weight.storage)
    return (consume y).spoiled(by: self, marks).activated(activation, appliedRelu: false)
  }

  /// The activation, where it has not been applied yet.
  fileprivate consuming func activated(_ activation: Activation, appliedRelu: Bool) -> NDArray {
    if activation == .none || (appliedRelu && activation == .relu) { return self }
    return addingBias(nil, activation: activation, savingPre: false).output
  }
}

/// y = scales * (x w^T) + bias of integers, on the calling thread.
private func integerProduct(
  _ type: RowType, rows: Int, columns: Int, inner: Int, _ x: UnsafeRawPointer, stride xStride: Int,
  _ w: UnsafeRawPointer, _ scales: NDArray?, _ bias: NDArray?, offset: Int = 0,
  _ y: UnsafeMutablePointer<Float>, stride yStride: Int
) {
  var shape = latent_integer_product_shape(
    rows: Int64(rows), columns: Int64(columns), inner: Int64(inner), x_stride: Int64(xStride),
    y_stride: Int64(yStride), is_signed: type.isSigned)
  latent_integer_product(
    &shape, x, w.assumingMemoryBound(to: Int8.self),
    scales.map { UnsafePointer($0.floats(offset)) },
    bias.map { UnsafePointer($0.floats(offset)) }, y)
  keepAlive(scales)
  keepAlive(bias)
}

// MARK: - Convolutions

extension NDArray {
  /// `activation(x * w + b)`: this float32 array is x, the weight is of low precision.
  func lowPrecisionConvolved(
    with weight: NDArray, _ geometry: ConvolutionGeometry, bias: NDArray?, activation: Activation,
    byPlans: Bool = true
  ) -> NDArray {
    let outputs = weight.shape[0]
    let type = weight.rowType(
      scalesShape: Shape([outputs] + Array(repeating: 1, count: weight.shape.rank - 1)),
      "convolution", file: #fileID, line: #line)
    var convolution = Convolution(
      geometry, batch: shape[0], input: geometry.sizes(of: shape), inputChannels: shape[-1],
      output: geometry.outputSize(of: geometry.sizes(of: shape)), outputChannels: outputs,
      dtype: .float32)
    convolution.rowType = type
    let output = geometry.shape(
      batch: shape[0], geometry.outputSize(of: geometry.sizes(of: shape)), channels: outputs)
    if convolution.patch == 0 {
      return NDArray(repeating: 0, shape: output)
        .addingBias(bias, activation: activation, savingPre: false).output
    }
    let y = NDArray(uninitialized: output, .float32)
    if y.count == 0 { return y }
    let relu = activation.isFusedByPlans
    if byPlans,
      let marks = convolution.run(
        LATENT_DNN_FORWARD, weight, bias, relu: relu, reading: self, writing: y)
    {
      return (consume y).spoiled(by: self, marks).activated(activation, appliedRelu: relu)
    }
    guard case .integers = type else {
      return roundedToBFloat16.convolved(
        with: weight.float32Twin, geometry, bias: bias, activation: activation
      ).output
    }
    let (x, marks) = type.bytes(of: self)
    convolution.inRows { rows, scratch in
      convolution.integerForward(
        rows: rows, x.pointer, weight.pointer, bias, y.floats(0), scratch)
    }
    keepAlive(x.storage)
    keepAlive(weight.storage)
    return (consume y).spoiled(by: self, marks).activated(activation, appliedRelu: false)
  }

  /// `activation(x *^T w + b)`: this float32 array is x, the weight is of low precision.
  func lowPrecisionTransposed(
    weight: NDArray, _ geometry: ConvolutionGeometry, inputSize: SIMD3<Int>, bias: NDArray?,
    activation: Activation, byPlans: Bool = true
  ) -> NDArray {
    let each = weight.shape[-1]
    let outputs = each * geometry.groups
    let scales =
      [geometry.groups] + Array(repeating: 1, count: weight.shape.rank - 2) + [each]
    let type = weight.rowType(
      scalesShape: Shape(scales), "transposed convolution", file: #fileID, line: #line)
    var convolution = Convolution(
      geometry, batch: shape[0], input: inputSize, inputChannels: outputs,
      output: geometry.sizes(of: shape), outputChannels: shape[-1], dtype: .float32)
    convolution.rowType = type
    let x = NDArray(
      uninitialized: geometry.shape(batch: shape[0], inputSize, channels: outputs), .float32)
    if x.count == 0 { return x }
    guard case .integers = type else {
      if byPlans, count > 0,
        convolution.run(
          LATENT_DNN_BACKWARD_DATA, weight, nil, relu: false, reading: self, writing: x) != nil
      {
        return (consume x).addingBias(bias, activation: activation, savingPre: false).output
      }
      return roundedToBFloat16.convolutionInputGradient(
        weight: weight.float32Twin, geometry, inputSize: inputSize
      ).addingBias(bias, activation: activation, savingPre: false).output
    }
    // oneDNN's kernel for signed input is four times slower.
    let relu = activation.isFusedByPlans
    if byPlans, count > 0, !type.isSigned,
      let marks = convolution.run(
        LATENT_DNN_TRANSPOSED, weight, bias, relu: relu, reading: self, writing: x)
    {
      return (consume x).spoiled(by: self, marks).activated(activation, appliedRelu: relu)
    }
    let marks = convolution.integerInputGradient(self, weight, x, byPlans: byPlans)
    return (consume x).spoiled(by: self, marks)
      .addingBias(bias, activation: activation, savingPre: false).output
  }
}

extension Convolution {
  /// Runs oneDNN's plans, where there are some, and marks the pieces that have numbers which the type
  /// of the rows has not. The image that is read is brought into that type piece by piece.
  fileprivate func run(
    _ direction: latent_dnn_direction, _ weight: NDArray, _ bias: NDArray?, relu: Bool,
    reading source: NDArray, writing target: NDArray
  ) -> PieceMarks? {
    let writesInput = direction != LATENT_DNN_FORWARD
    let pieces = pieces(writingInput: writesInput)
    guard let plans = plans(pieces, direction, hasBias: bias != nil, relu: relu) else {
      return nil
    }
    let marks = PieceMarks(pieces.count)
    let packed = weight.packed(for: plans[0])
    let bias = rowType.unscaled(bias)
    // Pieces of one example overlap, so each has rows of its own.
    let counts = pieces.map {
      $0.whole.batch
        * (writesInput
          ? $0.whole.outputPositions * outputChannels : $0.whole.inputPositions * inputChannels)
    }
    let starts = counts.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1) }
    let rows = NDArray(uninitialized: [starts[pieces.count] * rowType.size], .uint8)
    let isDone = LatentNumerics.run(
      plans, pieces,
      indexed: { plan, piece, index in
        let read = rows.freshPointer + starts[index] * rowType.size
        let from = writesInput ? piece.outputOffset : piece.inputOffset
        if !rowType.write(counts[index], of: source.floats(from), to: read) { marks.set(index) }
        let written = target.floats(writesInput ? piece.inputOffset : piece.outputOffset)
        return writesInput
          ? latent_dnn_run(plan, written, packed.pointer, bias?.floats(0), read)
          : latent_dnn_run(plan, read, packed.pointer, bias?.floats(0), written)
      })
    keepAlive(rows.storage)
    keepAlive(source.storage)
    keepAlive(packed.storage)
    keepAlive(bias)
    return isDone ? marks : nil
  }

  /// Integer patches of rows `range` of all output rows, times the weights.
  fileprivate func integerForward(
    rows range: Range<Int>, _ x: UnsafeRawPointer, _ w: UnsafeRawPointer, _ bias: NDArray?,
    _ y: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutableRawPointer
  ) {
    let outputs = outputChannels / groups
    let channels = inputChannels / groups
    var sizes = sizes
    for start in stride(from: range.lowerBound, to: range.upperBound, by: blockRows) {
      let block = start..<min(start + blockRows, range.upperBound)
      for group in 0..<groups {
        var patches = UnsafeRawPointer(scratch)
        if isPointwise {
          patches = x + block.lowerBound * inputChannels
        } else {
          forEachExample(block) { example, positions, row in
            latent_patches(
              LATENT_U8, &sizes, Int64(positions.lowerBound), Int64(positions.upperBound),
              Int64(group * channels), Int64(channels),
              x + example * inputPositions * inputChannels, scratch + row * patch)
          }
        }
        integerProduct(
          rowType, rows: block.count, columns: outputs, inner: patch, patches, stride: patch,
          w + group * outputs * patch, rowType.outputScales?.values, bias,
          offset: group * outputs, y + block.lowerBound * outputChannels + group * outputs,
          stride: outputChannels)
      }
    }
  }

  /// The transposed convolution of y in integers: a product that gives patches in float32, and a sum of
  /// these. Marks as in `run`.
  fileprivate func integerInputGradient(
    _ y: NDArray, _ weight: NDArray, _ x: NDArray, byPlans: Bool
  ) -> PieceMarks {
    latent_fill(LATENT_F32, Int64(x.count), 0, x.freshPointer)
    let pieces = pieces(writingInput: true)
    let marks = PieceMarks(pieces.count)
    if y.count == 0 { return marks }
    let outputs = outputChannels / groups
    let channels = inputChannels / groups
    let type = rowType.forPatches(taps: patch / channels, groups: groups)
    let product = PackedProduct(
      rows: blockRows, columns: patch, inner: outputs, transposed: false, hasBias: false,
      relu: false, type: type)
    // The last block of a piece has fewer rows; every number of rows needs a plan.
    let blocks = pieces.flatMap { piece in
      let rows = piece.whole.batch * piece.whole.outputPositions
      return [min(blockRows, rows), rows % blockRows].filter { $0 > 0 }
    }
    let found = byPlans && groups == 1 ? product.plans(blocks) : nil
    let plans = found.map { Dictionary(zip(blocks, $0)) { first, _ in first } }
    let packed = found?.first.map { weight.packed(for: $0) }
    let rowsWeight = packed == nil ? weight.patchesAsRows(groups) : nil
    let scratch = NDArray(uninitialized: [pieces.count, blockRows * patch], .float32)
    let integers = NDArray(uninitialized: [pieces.count, blockRows * outputChannels], .uint8)
    parallelFor(pieces.count) { index in
      let part = pieces[index].whole
      var sizes = part.sizes
      let from = y.floats(pieces[index].outputOffset)
      let blockIntegers = integers.freshPointer + index * blockRows * outputChannels
      let to = x.floats(pieces[index].inputOffset)
      let patches = scratch.floats(index * blockRows * patch)
      let rows = part.batch * part.outputPositions
      for start in stride(from: 0, to: rows, by: blockRows) {
        let block = start..<min(start + blockRows, rows)
        if !type.write(
          block.count * outputChannels, of: from + block.lowerBound * outputChannels,
          to: blockIntegers)
        {
          marks.set(index)
        }
        for group in 0..<groups {
          let read = UnsafeRawPointer(blockIntegers) + group * outputs
          if let packed, let plan = plans?[block.count] {
            let isDone = latent_dnn_multiply(plan, read, packed.pointer, nil, patches)
            require(isDone, "oneDNN refused a product of \(block.count) rows and \(weight.shape)")
          } else if let rowsWeight {
            integerProduct(
              type, rows: block.count, columns: patch, inner: outputs, read,
              stride: outputChannels, rowsWeight.pointer + group * patch * outputs,
              type.outputScales?.values, nil, offset: group * patch, patches, stride: patch)
          }
          part.forEachExample(block) { example, positions, row in
            latent_patches_add(
              LATENT_F32, &sizes, Int64(positions.lowerBound), Int64(positions.upperBound),
              Int64(group * channels), Int64(channels), 0, sizes.in.1, patches + row * patch,
              to + example * part.inputPositions * inputChannels)
          }
        }
      }
    }
    keepAlive(y.storage)
    keepAlive(packed)
    keepAlive(rowsWeight)
    keepAlive(scratch.storage)
    keepAlive(integers.storage)
    return marks
  }
}

extension NDArray {
  /// This int8 weight `[inputs, kernel..., outputs / groups]` of a transposed convolution as `[groups,
  /// kernel... * outputs / groups, inputs / groups]`, made once.
  fileprivate func patchesAsRows(_ groups: Int) -> NDArray {
    let key = DerivedKey(
      offset: offset, layout: DerivedKey.transposed, count: count, rows: shape[0])
    return storage.derived(key) {
      let inputs = shape[0] / groups
      return NDArray(
        storage: storage, offset: offset, shape: [groups, inputs, count / shape[0]], dtype: .uint8
      ).transposed
    }
  }
}
