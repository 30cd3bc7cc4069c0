// Where variational autoencoders spend their time: several operations in one pass over memory.
// Each has a derivative by hand; for derivatives of derivatives the composed form is used instead.

import LatentNumerics

extension Activation {
  /// The activation as a recorded operation.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    switch self {
    case .none: x
    case .relu: LatentAutodiff.relu(x)
    case .tanh: LatentAutodiff.tanh(x)
    case .sigmoid: LatentAutodiff.sigmoid(x)
    case .gelu: LatentAutodiff.gelu(x)
    case .silu: LatentAutodiff.silu(x)
    case .softplus: LatentAutodiff.softplus(x)
    case .elu: LatentAutodiff.elu(x)
    }
  }
}

/// `activation(x W^T + b)` over the last axis: `[..., in]`, `[out, in]`, `[out]` -> `[..., out]`.
public func linear(
  _ x: Tensor, weight: Tensor, bias: Tensor?, activation: Activation = .none,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  require(
    weight.rank == 2 && x.rank >= 1 && x.shape[-1] == weight.shape[1],
    "linear: input \(x.shape) does not fit weight \(weight.shape) ([out, in])", file: file,
    line: line)
  require(
    x.dtype == weight.dtype || (weight.dtype.isLowPrecision && x.dtype == .float32),
    "linear: input \(x.shape) of \(x.dtype) and weight \(weight.shape) of \(weight.dtype): expected "
      + "one type (convert the input first)", file: file, line: line)
  require(
    bias.map { $0.shape == [weight.shape[0]] } ?? true,
    "linear: bias \(bias?.shape ?? []) does not fit weight \(weight.shape)", file: file, line: line)
  let rowCount = x.shape.prefix(x.rank - 1).count
  let rows = x.rank == 2 ? x.array : x.array.reshaped([rowCount, x.shape[-1]])
  let records = x.isRecorded || weight.isRecorded || bias?.isRecorded ?? false
  WeightObserver.note(weight.array, x.array, .outputsFirst)
  let (output, pre) = rows.linear(
    weight.array, bias: bias?.array, activation: activation, savingPre: records,
    changes: weight.isRecorded, file: file, line: line)
  let result = output.reshaped(x.shape.replacing(-1, with: weight.shape[0]))
  if !records { return Tensor(result) }
  let inputs = bias.map { [x, weight, $0] } ?? [x, weight]
  return Tensor.record("linear", inputs, result, saving: [.inputs, .output]) { g, call in
    if call.isHigherOrder { return linearHigherOrder(g, call, activation) }
    let saved = pre ?? call.output.array.reshaped([rowCount, call[1].shape[0]])
    let cotangent = g.array.reshaped(saved.shape)
    let hasBias = call.node.inputs.count == 3
    let (dPre, dBias) = cotangent.biasActivationGradient(
      activation, saved: saved, wantsBias: hasBias && call.needs(2))
    let x = call[0].array
    let rows = x.reshaped([saved.shape[0], x.shape[-1]])
    return [
      call.needs(0)
        ? Tensor(dPre.linearInputGradient(weight: call[1].array).reshaped(x.shape)) : nil,
      call.needs(1) ? call.product(Tensor(dPre), Tensor(rows), for: 1) : nil,
      dBias.map { Tensor($0) },
    ]
  }
}

/// The derivative of `linear` as recorded operations.
private func linearHigherOrder(
  _ g: Tensor, _ call: RecordedCall, _ activation: Activation
) -> [Tensor?] {
  let (x, weight) = (call[0], call[1])
  let hasBias = call.node.inputs.count == 3
  let cotangent = activation.preActivationCotangent(g, output: call.output) {
    linear(x, weight: weight, bias: hasBias ? call[2] : nil)
  }.asRows
  return [
    call.needs(0) ? matmul(cotangent, weight).reshaped(x.shape) : nil,
    call.needs(1)
      ? matmul(cotangent, x.asRows, transpose: .left) : nil,
    hasBias && call.needs(2) ? cotangent.sum(axes: [0]) : nil,
  ]
}

extension Activation {
  /// The cotangent of the pre-activation from that of the output, as recorded operations. Most slopes can be read
  /// from the output; where one cannot, `pre` computes the pre-activation once more.
  func preActivationCotangent(_ g: Tensor, output: Tensor, pre: () -> Tensor) -> Tensor {
    switch self {
    case .none: g
    case .relu: g * isPositive(output)
    case .tanh: g * (1 - square(output))
    case .sigmoid: g * (output * (1 - output))
    case .gelu: g * geluDerivative(pre())
    case .silu: g * siluDerivative(pre())
    case .softplus: g * softplusSlope(at: output)
    case .elu: g * Tensor.where(output.detached .> 0, output.onesLike, output + 1)
    }
  }
}

/// The slope of softplus where its value is `y`: 1 - e^-y, accurate near 0.
private func softplusSlope(at y: Tensor) -> Tensor {
  let result = y.array.unary(.negate).unary(.expMinusOne).unary(.negate)
  return Tensor.record("softplusSlope", y, result, saving: .output) { g, call in
    [g * (1 - call.output)]
  }
}

/// `mean + exp(logVariance / 2) noise`, the reparameterised sample of a diagonal normal
/// (Kingma and Welling 2014, section 2.4). `noise` may have leading sample axes more.
public func reparameterized(mean: Tensor, logVariance: Tensor, noise: Tensor) -> Tensor {
  let result = mean.array.reparameterized(logVariance: logVariance.array, noise: noise.array)
  let isPlain = mean.shape == noise.shape && logVariance.shape == noise.shape
  return Tensor.record("reparameterized", [mean, logVariance, noise], result, saving: .inputs) {
    g, call in
    let (mean, logVariance) = (call[0], call[1])
    if isPlain && !call.isHigherOrder && !call.needs(2) {
      let slope =
        call.needs(1)
        ? Tensor(
          logVariance.array.reparameterizedGradient(noise: call[2].array, cotangent: g.array))
        : nil
      return [g, slope, nil]
    }
    let scaled = exp(logVariance * 0.5)
    return [
      call.needs(0) ? g.summed(to: mean.shape) : nil,
      call.needs(1) ? (g * call[2] * scaled * 0.5).summed(to: logVariance.shape) : nil,
      call.needs(2) ? (g * scaled).summed(to: call[2].shape) : nil,
    ]
  }
}

/// KL(N(mean, e^logVariance) || N(0, 1)) summed over the last axis, in nats:
/// 1/2 sum (mean^2 + e^v - 1 - v) (Kingma and Welling 2014, appendix B).
///
/// e^v - 1 - v does not cancel: near the prior all of its digits are right.
public func standardNormalKL(mean: Tensor, logVariance: Tensor) -> Tensor {
  let shape = NDArray.broadcastShape(mean.shape, logVariance.shape, "standardNormalKL")
  let result = mean.array.broadcast(to: shape)
    .standardNormalKL(logVariance: logVariance.array.broadcast(to: shape))
  return Tensor.record("standardNormalKL", mean, logVariance, result, saving: .inputs) { g, call in
    let (mean, logVariance) = (call[0], call[1])
    if mean.shape == shape && logVariance.shape == shape && !call.isHigherOrder {
      let slopes = mean.array.standardNormalKLGradient(
        logVariance: logVariance.array, cotangent: g.array)
      return [Tensor(slopes.mean), Tensor(slopes.logVariance)]
    }
    let each = g.expandingDimension(at: g.rank).broadcast(to: shape)
    return [
      call.needs(0) ? (each * mean).summed(to: mean.shape) : nil,
      call.needs(1)
        ? (each * expMinusOne(logVariance) * 0.5).summed(to: logVariance.shape) : nil,
    ]
  }
}

/// log Bernoulli(targets; sigmoid(logits)) summed over the last axis, in nats:
/// sum (x l - softplus(l)). Targets in [0, 1]; between the ends they are soft.
public func bernoulliLogProbability(logits: Tensor, targets: Tensor) -> Tensor {
  let fits = logits.shape == targets.shape && logits.dtype == targets.dtype
  if !fits || targets.isRecorded {
    return (targets * logits - softplus(logits)).sum(axes: [-1])
  }
  let constant = targets.detached
  let result = logits.array.bernoulliLogProbability(of: constant.array)
  return Tensor.record("bernoulliLogProbability", logits, result, saving: .inputs) { g, call in
    if call.isHigherOrder {
      return [g.expandingDimension(at: g.rank) * (constant - sigmoid(call[0]))]
    }
    return [
      Tensor(
        call[0].array.bernoulliLogProbabilityGradient(of: constant.array, cotangent: g.array))
    ]
  }
}

/// Normalisation over the last axis with scale and shift (Ba, Kiros and Hinton 2016).
public func layerNormalized(
  _ x: Tensor, scale: Tensor, shift: Tensor, epsilon: Double = 1e-5
) -> Tensor {
  require(
    scale.shape == [x.shape[-1]] && shift.shape == scale.shape,
    "layer norm: input \(x.shape), scale \(scale.shape), shift \(shift.shape)")
  let (result, statistics) = x.array.layerNormalized(
    scale: scale.array, shift: shift.array, epsilon: epsilon)
  return Tensor.record("layerNorm", [x, scale, shift], result, saving: .inputs) { g, call in
    let (x, scale) = (call[0], call[1])
    if !call.isHigherOrder {
      let (dx, dScale, dShift) = x.array.layerNormGradient(
        scale: scale.array, statistics: statistics, cotangent: g.array)
      return [Tensor(dx), Tensor(dScale), Tensor(dShift)]
    }
    let centered = x - x.mean(axes: [-1], keepingDimensions: true)
    let inverse = reciprocalSqrt(
      square(centered).mean(axes: [-1], keepingDimensions: true) + epsilon)
    let normalized = centered * inverse
    let weighted = g * scale
    let along = (weighted * normalized).mean(axes: [-1], keepingDimensions: true)
    let level = weighted.mean(axes: [-1], keepingDimensions: true)
    return [
      inverse * (weighted - level - normalized * along),
      (g * normalized).summed(to: scale.shape), g.summed(to: scale.shape),
    ]
  }
}

/// The sum over `scales` of a kernel of squared distances, element by element.
public func radialKernelSum(
  _ distances: Tensor, _ kernel: RadialKernel, scales: [Double], file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  require(
    !scales.isEmpty && scales.allSatisfy { $0 > 0 && $0.isFinite },
    "kernels of scales \(scales): expected positive numbers", file: file, line: line)
  let result = distances.array.radialKernels(kernel, scales: scales)
  return Tensor.record("radialKernelSum", distances, result.sum, saving: .inputs) { g, call in
    if !call.isHigherOrder { return [g * Tensor(result.slope)] }
    return call.cotangents(g) { inputs in
      let terms = scales.map { scale in
        kernel == .rbf ? exp(inputs[0] * (-1 / scale)) : scale / (inputs[0] + scale)
      }
      return terms.dropFirst().reduce(terms[0], +)
    }
  }
}
