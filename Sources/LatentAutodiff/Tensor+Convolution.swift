// Convolutions of channels-last tensors. Three maps, each linear in both of its arguments, are the
// derivatives of one another: convolution, its transpose (the gradient of the input), and the
// correlation that gives the gradient of the weights. Bias and activation are fused into the first
// two; for derivatives of derivatives the plain maps are recorded instead.

import LatentNumerics

/// `activation(x * w + b)`, the convolution of the field (a cross-correlation).
///
/// x `[batch, in..., channels]`, weight `[outputs, kernel..., channels / groups]`, bias `[outputs]`;
/// the result is `[batch, out..., outputs]` with the sizes that `geometry` says. Traps, naming the
/// shapes, where they do not fit.
public func convolution(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .none,
  _ geometry: ConvolutionGeometry, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  geometry.check(x, weight, bias, outputs: weight.shape[0], "convolution", file, line)
  require(
    x.shape[-1] == weight.shape[-1] * geometry.groups,
    "convolution: input \(x.shape) does not fit weight \(weight.shape) in \(geometry.groups) groups",
    file: file, line: line)
  let size = geometry.outputSize(of: geometry.sizes(of: x.shape))
  require(
    size[0] > 0 && size[1] > 0 && size[2] > 0,
    "convolution: input \(x.shape) with padding is smaller than weight \(weight.shape)", file: file,
    line: line)
  let records = x.isRecorded || weight.isRecorded || bias?.isRecorded ?? false
  WeightObserver.note(weight.array, x.array, .outputsFirst)
  let (output, pre) = x.array.convolved(
    with: weight.array, geometry, bias: bias?.array, activation: activation, savingPre: records)
  if !records { return Tensor(output) }
  let inputs = bias.map { [x, weight, $0] } ?? [x, weight]
  return Tensor.record("convolution", inputs, output, saving: [.inputs, .output]) { g, call in
    let (cotangent, dBias) = preActivationCotangent(g, call, activation, pre) {
      convolution(call[0], weight: call[1], geometry)
    }
    return [
      call.needs(0)
        ? transposedConvolution(
          cotangent, weight: call[1], geometry, outputSize: geometry.sizes(of: call[0].shape))
        : nil,
      call.needs(1) ? convolutionWeightGradient(call[0], cotangent, geometry) : nil,
      dBias,
    ]
  }
}

/// `activation(x *^T w + b)`, the transposed convolution: the gradient that a convolution of
/// `geometry` has for its input (Zeiler et al. 2010 call it deconvolution).
///
/// x `[batch, in..., inputs]`, weight `[inputs, kernel..., outputs / groups]`, bias `[outputs]`; the
/// result is `[batch, outputSize..., outputs]`. A convolution of `geometry` must lead from
/// `outputSize` to the sizes of x.
public func transposedConvolution(
  _ x: Tensor, weight: Tensor, bias: Tensor? = nil, activation: Activation = .none,
  _ geometry: ConvolutionGeometry, outputSize: SIMD3<Int>, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  let outputs = weight.shape[-1] * geometry.groups
  geometry.check(x, weight, bias, outputs: outputs, "transposed convolution", file, line)
  require(
    x.shape[-1] == weight.shape[0] && weight.shape[0] % geometry.groups == 0,
    "transposed convolution: input \(x.shape) does not fit weight \(weight.shape)", file: file,
    line: line)
  require(
    geometry.outputSize(of: outputSize) == geometry.sizes(of: x.shape),
    "transposed convolution: no convolution leads from sizes \(outputSize) to \(x.shape)",
    file: file, line: line)
  let records = x.isRecorded || weight.isRecorded || bias?.isRecorded ?? false
  WeightObserver.note(weight.array, x.array, .outputsLast(groups: geometry.groups))
  let (output, pre) = x.array.transposedConvolved(
    with: weight.array, geometry, outputSize: outputSize, bias: bias?.array,
    activation: activation, savingPre: records)
  if !records { return Tensor(output) }
  let inputs = bias.map { [x, weight, $0] } ?? [x, weight]
  return Tensor.record("transposedConvolution", inputs, output, saving: [.inputs, .output]) {
    g, call in
    let (cotangent, dBias) = preActivationCotangent(g, call, activation, pre) {
      transposedConvolution(call[0], weight: call[1], geometry, outputSize: outputSize)
    }
    return [
      call.needs(0) ? convolution(cotangent, weight: call[1], geometry) : nil,
      call.needs(1) ? convolutionWeightGradient(cotangent, call[0], geometry) : nil,
      dBias,
    ]
  }
}

/// The weights' cotangent `[outputs, kernel..., channels / groups]` of a convolution from its input x
/// and the cotangent y of its output.
private func convolutionWeightGradient(
  _ x: Tensor, _ y: Tensor, _ geometry: ConvolutionGeometry
) -> Tensor {
  let result = y.array.convolutionWeightGradient(input: x.array, geometry)
  return Tensor.record("convolutionWeightGradient", [x, y], result, saving: .inputs) { g, call in
    [
      call.needs(0)
        ? transposedConvolution(
          call[1], weight: g, geometry, outputSize: geometry.sizes(of: call[0].shape)) : nil,
      call.needs(1) ? convolution(call[0], weight: g, geometry) : nil,
    ]
  }
}

/// The cotangents of the pre-activation and of the bias (input 2, where there is one).
private func preActivationCotangent(
  _ g: Tensor, _ call: RecordedCall, _ activation: Activation, _ pre: NDArray?,
  product: () -> Tensor
) -> (pre: Tensor, bias: Tensor?) {
  let hasBias = call.node.inputs.count == 3
  let wantsBias = hasBias && call.needs(2)
  if call.isHigherOrder {
    let cotangent = activation.preActivationCotangent(g, output: call.output) {
      hasBias ? product() + call[2] : product()
    }
    return (cotangent, wantsBias ? cotangent.sum(axes: Array(0..<(g.rank - 1))) : nil)
  }
  let (dPre, dBias) = g.array.biasActivationGradient(
    activation, saved: pre ?? call.output.array, wantsBias: wantsBias)
  return (Tensor(dPre), dBias.map { Tensor($0) })
}

extension ConvolutionGeometry {
  fileprivate func check(
    _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, outputs: Int, _ name: String,
    _ file: StaticString, _ line: UInt
  ) {
    require(
      x.rank == rank + 2 && x.dtype.isFloatingPoint
        && (weight.dtype == x.dtype || (weight.dtype.isLowPrecision && x.dtype == .float32)),
      "\(name) over \(rank) axes: input \(x.shape) of \(x.dtype), weight of \(weight.dtype)",
      file: file, line: line)
    require(
      weight.rank == rank + 2 && sizes(of: weight.shape) == kernel
        && weight.shape[0] % groups == 0,
      "\(name): weight \(weight.shape) does not fit kernel \(kernel) in \(groups) groups",
      file: file, line: line)
    require(
      bias.map { $0.shape == [outputs] && $0.dtype == x.dtype } ?? true,
      "\(name): bias \(bias?.shape ?? []) for \(outputs) outputs", file: file, line: line)
  }
}
