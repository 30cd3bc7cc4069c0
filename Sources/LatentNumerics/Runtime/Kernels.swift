// The names of the C kernels in Swift, so that nobody above this module needs the C one.

import CLatentKernels

/// A function of one element. float32 and float64.
public enum UnaryKernel: UInt32, Sendable, CaseIterable {
  case negate, abs, sign, square, reciprocal, sqrt, reciprocalSqrt
  case exp, expMinusOne, log, logOnePlus
  case sin, cos, tanh
  case sigmoid, softplus, logSigmoid
  case erf, erfc, logGamma, digamma
  case relu, elu, gelu, silu
  case floor, round, isFinite

  var kernel: latent_unary_op { latent_unary_op(rawValue: rawValue) }
}

/// A function of two elements; comparisons give 1 or 0. The `...Gradient` kernels take a cotangent
/// and the saved value that their C declarations name.
public enum BinaryKernel: UInt32, Sendable, CaseIterable {
  case add, subtract, multiply, divide, power, maximum, minimum
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case reluGradient, sigmoidGradient, tanhGradient, softplusGradient, geluGradient, siluGradient
  case eluGradient

  /// Whether integers have no such operation.
  var needsFractions: Bool { self == .power || rawValue >= BinaryKernel.reluGradient.rawValue }
  var kernel: latent_binary_op { latent_binary_op(rawValue: rawValue) }
}

public enum ReductionKernel: UInt32, Sendable, CaseIterable {
  case sum, max, min, sumOfSquares, logSumExp, product

  var kernel: latent_reduction { latent_reduction(rawValue: rawValue) }
}

/// What a fused layer applies after its bias.
public enum Activation: UInt32, Sendable, CaseIterable {
  case none, relu, tanh, sigmoid, gelu, silu, softplus, elu

  var kernel: latent_activation { latent_activation(rawValue: rawValue) }
  /// Whether the derivative is taken from the pre-activation; else from the output.
  public var savesPreActivation: Bool { self == .gelu || self == .silu || self == .softplus }
}
