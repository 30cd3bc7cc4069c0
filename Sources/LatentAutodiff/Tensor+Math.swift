// Functions of one element, each beside its derivative. Named as in swift-numerics.

import LatentNumerics

/// A function whose derivative is written with its input or output.
private func elementwise(
  _ name: StaticString, _ kernel: UnaryKernel, _ x: Tensor, saving: Saved,
  _ derivative: @escaping @Sendable (RecordedCall) -> Tensor
) -> Tensor {
  Tensor.record(name, x, x.array.unary(kernel), saving: saving) { g, call in
    [g * derivative(call)]
  }
}

/// A function with a fused first derivative, and a composed one for higher orders.
private func elementwise(
  _ name: StaticString, _ kernel: UnaryKernel, _ x: Tensor, saving: Saved,
  fused: BinaryKernel, _ derivative: @escaping @Sendable (RecordedCall) -> Tensor
) -> Tensor {
  Tensor.record(name, x, x.array.unary(kernel), saving: saving) { g, call in
    if call.isHigherOrder { return [g * derivative(call)] }
    let saved = saving.contains(.output) ? call.output : call[0]
    return [Tensor(g.array.binary(fused, saved.array))]
  }
}

private let twoOverRootPi = 1.128_379_167_095_512_6

/// x^2, elementwise.
public func square(_ x: Tensor) -> Tensor {
  elementwise("square", .square, x, saving: .inputs) { $0[0] * 2 }
}

/// e^x, elementwise.
public func exp(_ x: Tensor) -> Tensor {
  elementwise("exp", .exp, x, saving: .output) { $0.output }
}

/// e^x - 1, accurate near 0.
public func expMinusOne(_ x: Tensor) -> Tensor {
  elementwise("expMinusOne", .expMinusOne, x, saving: .output) { $0.output + 1 }
}

/// The natural logarithm: -infinity at 0, NaN below.
public func log(_ x: Tensor) -> Tensor {
  elementwise("log", .log, x, saving: .inputs) { 1 / $0[0] }
}

/// log(1 + x), accurate near 0.
public func log(onePlus x: Tensor) -> Tensor {
  elementwise("log(onePlus:)", .logOnePlus, x, saving: .inputs) { 1 / ($0[0] + 1) }
}

/// The square root, elementwise; NaN below 0, and a slope of infinity at 0.
public func sqrt(_ x: Tensor) -> Tensor {
  elementwise("sqrt", .sqrt, x, saving: .output) { 0.5 / $0.output }
}

/// 1 / sqrt(x).
public func reciprocalSqrt(_ x: Tensor) -> Tensor {
  elementwise("reciprocalSqrt", .reciprocalSqrt, x, saving: [.inputs, .output]) {
    $0.output / $0[0] * -0.5
  }
}

/// The absolute value; its derivative at 0 is 0.
public func abs(_ x: Tensor) -> Tensor {
  elementwise("abs", .abs, x, saving: .inputs) { sign($0[0]) }
}

/// -1, 0 or 1; derivative 0.
public func sign(_ x: Tensor) -> Tensor { Tensor(x.array.unary(.sign)) }

/// Rounded down, and to the nearest (half to even); derivative 0.
public func floor(_ x: Tensor) -> Tensor { Tensor(x.array.unary(.floor)) }
/// The nearest whole number, halves to the even one, elementwise; no derivative.
public func round(_ x: Tensor) -> Tensor { Tensor(x.array.unary(.round)) }

/// 1 where neither NaN nor infinite, else 0.
public func isFinite(_ x: Tensor) -> Tensor { Tensor(x.array.unary(.isFinite)) }

/// The sine of an angle in radians, elementwise.
public func sin(_ x: Tensor) -> Tensor {
  elementwise("sin", .sin, x, saving: .inputs) { cos($0[0]) }
}

/// The cosine of an angle in radians, elementwise.
public func cos(_ x: Tensor) -> Tensor {
  elementwise("cos", .cos, x, saving: .inputs) { -sin($0[0]) }
}

/// The hyperbolic tangent, elementwise.
public func tanh(_ x: Tensor) -> Tensor {
  elementwise("tanh", .tanh, x, saving: .output, fused: .tanhGradient) { 1 - square($0.output) }
}

/// 1 / (1 + e^-x).
public func sigmoid(_ x: Tensor) -> Tensor {
  elementwise("sigmoid", .sigmoid, x, saving: .output, fused: .sigmoidGradient) {
    $0.output * (1 - $0.output)
  }
}

/// log(1 + e^x) without overflow.
public func softplus(_ x: Tensor) -> Tensor {
  elementwise("softplus", .softplus, x, saving: .inputs, fused: .softplusGradient) {
    sigmoid($0[0])
  }
}

/// log sigmoid(x) = -softplus(-x).
public func logSigmoid(_ x: Tensor) -> Tensor {
  elementwise("logSigmoid", .logSigmoid, x, saving: .inputs) { sigmoid(-$0[0]) }
}

/// 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
public func erf(_ x: Tensor) -> Tensor {
  elementwise("erf", .erf, x, saving: .inputs) { exp(-square($0[0])) * twoOverRootPi }
}

/// 1 - erf(x), accurate where it is small.
public func erfc(_ x: Tensor) -> Tensor {
  elementwise("erfc", .erfc, x, saving: .inputs) { exp(-square($0[0])) * -twoOverRootPi }
}

// MARK: - Activations

/// 1 where x is positive, 0 elsewhere and NaN where it is NaN, which `x .> 0` hides; no derivative.
func isPositive(_ x: Tensor) -> Tensor { sign(relu(x.detached)) }

/// max(x, 0); its derivative at 0 is 0.
public func relu(_ x: Tensor) -> Tensor {
  elementwise("relu", .relu, x, saving: .output, fused: .reluGradient) {
    sign($0.output.detached)
  }
}

/// x where positive, `slope` x elsewhere.
public func leakyRelu(_ x: Tensor, slope: Double = 0.01) -> Tensor {
  Tensor.record("leakyRelu", x, x.array.leakyRelu(slope: slope), saving: .inputs) { g, call in
    if call.isHigherOrder { return [g * (isPositive(call[0]) * (1 - slope) + slope)] }
    return [Tensor(call[0].array.leakyReluGradient(slope: slope, cotangent: g.array))]
  }
}

/// x where positive, e^x - 1 elsewhere (Clevert, Unterthiner and Hochreiter 2016, alpha 1).
public func elu(_ x: Tensor) -> Tensor {
  elementwise("elu", .elu, x, saving: .output, fused: .eluGradient) { call in
    Tensor.where(call.output.detached .> 0, call.output.onesLike, call.output + 1)
  }
}

/// x times the normal distribution function of x (Hendrycks and Gimpel 2016), exact.
public func gelu(_ x: Tensor) -> Tensor {
  elementwise("gelu", .gelu, x, saving: .inputs, fused: .geluGradient) { geluDerivative($0[0]) }
}

func geluDerivative(_ x: Tensor) -> Tensor {
  let cumulative = (erf(x * 0.5.squareRoot()) + 1) * 0.5
  let density = exp(square(x) * -0.5) * (twoOverRootPi * 0.125.squareRoot())
  return cumulative + x * density
}

/// x sigmoid(x) (also called swish).
public func silu(_ x: Tensor) -> Tensor {
  elementwise("silu", .silu, x, saving: .inputs, fused: .siluGradient) { siluDerivative($0[0]) }
}

func siluDerivative(_ x: Tensor) -> Tensor {
  let s = sigmoid(x)
  return s * (x * (1 - s) + 1)
}
