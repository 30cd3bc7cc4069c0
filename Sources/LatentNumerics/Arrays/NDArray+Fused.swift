// The passes that variational autoencoders spend their time in, each as one sweep over memory.

import CLatentKernels

extension NDArray {
  /// Kernels trust sizes and types: what is added to each row must have the row's.
  private func requireRow(of rows: NDArray, _ name: StaticString) {
    require(
      shape == [rows.shape[-1]] && dtype == rows.dtype && dtype.isFloatingPoint,
      "\(name) \(shape) of \(dtype) does not fit rows of \(rows.shape) of \(rows.dtype)")
  }

  /// `activation(self + bias)` over rows of the last axis, written over this array where nobody
  /// else holds it. `pre` is the pre-activation, where the derivative needs it.
  package consuming func addingBias(
    _ bias: NDArray?, activation: Activation, savingPre: Bool
  ) -> (output: NDArray, pre: NDArray?) {
    var output = self
    output.makeUnique()
    bias?.requireRow(of: output, "bias")
    let pre =
      savingPre && activation.savesPreActivation
      ? NDArray(uninitialized: output.shape, output.dtype) : nil
    let columns = output.shape[-1]
    let target = output.freshPointer
    latent_bias_activation(
      activation.kernel, output.dtype.kernel, Int64(columns == 0 ? 0 : output.count / columns),
      Int64(columns), target, bias?.pointer, target, pre?.freshPointer)
    keepAlive(bias)
    return (output, pre)
  }

  /// The cotangents of the pre-activation and of the bias from that of the output (this array).
  package func biasActivationGradient(
    _ activation: Activation, saved: NDArray, wantsBias: Bool
  ) -> (pre: NDArray, bias: NDArray?) {
    let columns = shape[-1]
    let pre = activation == .none ? self : NDArray(uninitialized: shape, dtype)
    let bias = wantsBias ? NDArray(uninitialized: [columns], dtype) : nil
    if activation != .none || wantsBias {
      latent_bias_activation_grad(
        activation.kernel, dtype.kernel, Int64(columns == 0 ? 0 : count / columns), Int64(columns),
        pointer, saved.pointer, activation == .none ? nil : pre.freshPointer, bias?.freshPointer)
    }
    keepAlive(storage)
    keepAlive(saved.storage)
    return (pre, bias)
  }

  /// Whether all of `others` have this array's shape and floating-point type.
  func isAlike(_ others: NDArray...) -> Bool {
    dtype.isFloatingPoint && others.allSatisfy { $0.shape == shape && $0.dtype == dtype }
  }

  /// The sum over `scales` of a kernel of these squared distances, and its derivative.
  package func radialKernels(
    _ kernel: RadialKernel, scales: [Double]
  ) -> (sum: NDArray, slope: NDArray) {
    requireNumbers("radialKernelSum", fractions: true)
    let result = (
      sum: NDArray(uninitialized: shape, dtype), slope: NDArray(uninitialized: shape, dtype)
    )
    latent_radial_kernels(
      dtype.kernel, kernel == .rbf ? LATENT_RBF : LATENT_IMQ, Int64(count), Int64(scales.count),
      scales, pointer, result.sum.freshPointer, result.slope.freshPointer)
    keepAlive(storage)
    return result
  }

  /// This array where positive, `slope` times it elsewhere.
  package func leakyRelu(slope: Double) -> NDArray {
    requireNumbers("leakyRelu", fractions: true)
    let result = NDArray(uninitialized: shape, dtype)
    latent_leaky_relu(dtype.kernel, Int64(count), slope, pointer, result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// The cotangent of `leakyRelu` of this array from that of its output.
  package func leakyReluGradient(slope: Double, cotangent: NDArray) -> NDArray {
    require(isAlike(cotangent), "leakyRelu: \(shape), cotangent \(cotangent.shape)")
    let result = NDArray(uninitialized: shape, dtype)
    latent_leaky_relu_grad(
      dtype.kernel, Int64(count), slope, pointer, cotangent.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(cotangent.storage)
    return result
  }

  /// `mean + exp(logVariance / 2) noise`, the mean being this array.
  package func reparameterized(logVariance: NDArray, noise: NDArray) -> NDArray {
    guard isAlike(logVariance, noise) else {
      let deviation = logVariance.binary(.multiply, scalar: 0.5).unary(.exp)
      return noise.binary(.multiply, deviation, name: "reparameterized")
        .binary(.add, self, name: "reparameterized")
    }
    let result = NDArray(uninitialized: shape, dtype)
    latent_reparameterize(
      dtype.kernel, Int64(count), pointer, logVariance.pointer, noise.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(logVariance.storage)
    keepAlive(noise.storage)
    return result
  }

  /// The cotangent of the log-variance, which is this array, of `reparameterized`; the noise and the
  /// cotangent of the sample have its shape.
  package func reparameterizedGradient(noise: NDArray, cotangent: NDArray) -> NDArray {
    require(
      isAlike(noise, cotangent),
      "reparameterized: log-variance \(shape), noise \(noise.shape), cotangent \(cotangent.shape)")
    let result = NDArray(uninitialized: shape, dtype)
    latent_reparameterize_grad(
      dtype.kernel, Int64(count), pointer, noise.pointer, cotangent.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(noise.storage)
    keepAlive(cotangent.storage)
    return result
  }

  /// `1/2 sum (mean^2 + e^logVariance - 1 - logVariance)` over the last axis of arrays of one shape,
  /// the mean being this one.
  package func standardNormalKL(logVariance: NDArray) -> NDArray {
    require(
      isAlike(logVariance) && shape.rank > 0,
      "standardNormalKL: mean \(shape) of \(dtype), log-variance \(logVariance.shape) of "
        + "\(logVariance.dtype)")
    let result = NDArray(uninitialized: shape.prefix(shape.rank - 1), dtype)
    latent_standard_normal_kl(
      dtype.kernel, Int64(result.count), Int64(shape[-1]), pointer, logVariance.pointer,
      result.freshPointer)
    keepAlive(storage)
    keepAlive(logVariance.storage)
    return result
  }

  /// The cotangents of the mean, which is this array, and of the log-variance.
  package func standardNormalKLGradient(
    logVariance: NDArray, cotangent: NDArray
  ) -> (mean: NDArray, logVariance: NDArray) {
    let mean = NDArray(uninitialized: shape, dtype)
    let other = NDArray(uninitialized: shape, dtype)
    latent_standard_normal_kl_grad(
      dtype.kernel, Int64(cotangent.count), Int64(shape[-1]), pointer, logVariance.pointer,
      cotangent.pointer, mean.freshPointer, other.freshPointer)
    keepAlive(storage)
    keepAlive(logVariance.storage)
    keepAlive(cotangent.storage)
    return (mean, other)
  }

  /// Bernoulli log-probability of `targets` from logits (this array), summed over the last axis.
  package func bernoulliLogProbability(of targets: NDArray) -> NDArray {
    require(
      shape == targets.shape && dtype == targets.dtype && dtype.isFloatingPoint,
      "Bernoulli: logits \(shape) of \(dtype) and targets \(targets.shape) of \(targets.dtype)")
    let columns = shape[-1]
    let result = NDArray(uninitialized: shape.prefix(shape.rank - 1), dtype)
    latent_bernoulli_log_prob(
      dtype.kernel, Int64(result.count), Int64(columns), pointer, targets.pointer,
      result.freshPointer)
    keepAlive(storage)
    keepAlive(targets.storage)
    return result
  }

  /// The cotangent of the logits (this array) of `bernoulliLogProbability`.
  package func bernoulliLogProbabilityGradient(of targets: NDArray, cotangent: NDArray) -> NDArray {
    let columns = shape[-1]
    let result = NDArray(uninitialized: shape, dtype)
    latent_bernoulli_log_prob_grad(
      dtype.kernel, Int64(cotangent.count), Int64(columns), pointer, targets.pointer,
      cotangent.pointer, result.freshPointer)
    keepAlive(storage)
    keepAlive(targets.storage)
    keepAlive(cotangent.storage)
    return result
  }

  /// Layer norm over the last axis; `statistics` [rows, 2] is what the derivative needs.
  package func layerNormalized(
    scale: NDArray, shift: NDArray, epsilon: Double
  ) -> (output: NDArray, statistics: NDArray) {
    scale.requireRow(of: self, "layer norm: scale")
    shift.requireRow(of: self, "layer norm: shift")
    let columns = shape[-1]
    let rows = columns == 0 ? 0 : count / columns
    let output = NDArray(uninitialized: shape, dtype)
    let statistics = NDArray(uninitialized: [rows, 2], dtype)
    latent_layer_norm(
      dtype.kernel, Int64(rows), Int64(columns), epsilon, pointer, scale.pointer, shift.pointer,
      output.freshPointer, statistics.freshPointer)
    keepAlive(storage)
    keepAlive(scale.storage)
    keepAlive(shift.storage)
    return (output, statistics)
  }

  package func layerNormGradient(
    scale: NDArray, statistics: NDArray, cotangent: NDArray
  ) -> (input: NDArray, scale: NDArray, shift: NDArray) {
    let columns = shape[-1]
    let input = NDArray(uninitialized: shape, dtype)
    let scaleGradient = NDArray(uninitialized: [columns], dtype)
    let shiftGradient = NDArray(uninitialized: [columns], dtype)
    latent_layer_norm_grad(
      dtype.kernel, Int64(columns == 0 ? 0 : count / columns), Int64(columns), pointer,
      scale.pointer, statistics.pointer, cotangent.pointer, input.freshPointer,
      scaleGradient.freshPointer, shiftGradient.freshPointer)
    keepAlive(storage)
    keepAlive(scale.storage)
    keepAlive(statistics.storage)
    keepAlive(cotangent.storage)
    return (input, scaleGradient, shiftGradient)
  }
}
