// The names of the C kernels in Swift, so that nobody above this module needs the C one.

import CLatentKernels

/// A function of one element. float32 and float64.
public enum UnaryKernel: UInt32, Sendable, CaseIterable {
  /// Signs, magnitudes, powers and roots.
  case negate, abs, sign, square, reciprocal, sqrt, reciprocalSqrt
  /// Exponentials and logarithms.
  case exp, expMinusOne, log, logOnePlus
  /// Angles in radians, and the hyperbolic tangent.
  case sin, cos, tanh
  /// The logistic function, and logarithms that stay finite.
  case sigmoid, softplus, logSigmoid
  /// The error function, its complement, and the logarithm of the gamma function with its
  /// derivative.
  case erf, erfc, logGamma, digamma
  /// Activations.
  case relu, elu, gelu, silu
  /// Rounding, and 1 where an element is finite.
  case floor, round, isFinite

  var kernel: latent_unary_op { latent_unary_op(rawValue: rawValue) }
}

/// A function of two elements; comparisons give 1 or 0. The `...Gradient` kernels take a cotangent
/// and the saved value that their C declarations name.
public enum BinaryKernel: UInt32, Sendable, CaseIterable {
  /// Arithmetic.
  case add, subtract, multiply, divide, power, maximum, minimum
  /// 1 where the relation holds, else 0.
  case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
  /// A cotangent through an activation.
  case reluGradient, sigmoidGradient, tanhGradient, softplusGradient, geluGradient, siluGradient
  /// A cotangent through `elu`.
  case eluGradient
  /// A cotangent where the other operand, how far an element was moved, is 0.
  case clampGradient

  /// Whether integers have no such operation.
  var needsFractions: Bool { self == .power || rawValue >= BinaryKernel.reluGradient.rawValue }
  var kernel: latent_binary_op { latent_binary_op(rawValue: rawValue) }
}

/// A number from many: what `reduced` computes along axes.
public enum ReductionKernel: UInt32, Sendable, CaseIterable {
  /// Over all elements of the reduced axes; `logSumExp` takes the maximum out.
  case sum, max, min, sumOfSquares, logSumExp, product

  var kernel: latent_reduction { latent_reduction(rawValue: rawValue) }
}

/// What a fused layer applies after its bias.
public enum Activation: UInt32, Sendable, CaseIterable {
  /// The function of this name; `none` changes nothing.
  case none, relu, tanh, sigmoid, gelu, silu, softplus, elu

  var kernel: latent_activation { latent_activation(rawValue: rawValue) }
  /// Whether the derivative is taken from the pre-activation; else from the output.
  public var savesPreActivation: Bool { self == .gelu || self == .silu || self == .softplus }
}

/// Kernels of squared distances d, for a scale C.
public enum RadialKernel: Sendable, Hashable {
  /// exp(-d / C).
  case rbf
  /// C / (C + d).
  case imq
}
