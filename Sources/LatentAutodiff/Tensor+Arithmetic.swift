// Broadcasted arithmetic, comparison and selection.

import LatentNumerics

extension Tensor {
  /// The transpose of broadcasting: sums over the axes that were repeated.
  func summed(to target: Shape) -> Tensor {
    if shape == target { return self }
    let lead = rank - target.rank
    let repeated = (0..<rank).filter { $0 < lead || (target[$0 - lead] == 1 && shape[$0] != 1) }
    return sum(axes: repeated, keepingDimensions: true).reshaped(target)
  }

  public static func + (x: Tensor, y: Tensor) -> Tensor {
    let (xShape, yShape) = (x.shape, y.shape)
    return record("+", x, y, x.array.binary(.add, y.array, name: "+"), saving: []) { g, call in
      [
        call.needs(0) ? g.summed(to: xShape) : nil,
        call.needs(1) ? g.summed(to: yShape) : nil,
      ]
    }
  }

  public static func - (x: Tensor, y: Tensor) -> Tensor {
    let (xShape, yShape) = (x.shape, y.shape)
    return record("-", x, y, x.array.binary(.subtract, y.array, name: "-"), saving: []) { g, call in
      [
        call.needs(0) ? g.summed(to: xShape) : nil,
        call.needs(1) ? (-g).summed(to: yShape) : nil,
      ]
    }
  }

  public static func * (x: Tensor, y: Tensor) -> Tensor {
    record("*", x, y, x.array.binary(.multiply, y.array, name: "*"), saving: .inputs) { g, call in
      [
        call.needs(0) ? (g * call[1]).summed(to: call[0].shape) : nil,
        call.needs(1) ? (g * call[0]).summed(to: call[1].shape) : nil,
      ]
    }
  }

  public static func / (x: Tensor, y: Tensor) -> Tensor {
    record("/", x, y, x.array.binary(.divide, y.array, name: "/"), saving: [.inputs, .output]) {
      g, call in
      let scaled = g / call[1]
      return [
        call.needs(0) ? scaled.summed(to: call[0].shape) : nil,
        call.needs(1) ? (-(scaled * call.output)).summed(to: call[1].shape) : nil,
      ]
    }
  }

  public static prefix func - (x: Tensor) -> Tensor {
    record("negate", x, x.array.unary(.negate), saving: []) { g, _ in [-g] }
  }

  // With numbers: rounded to the tensor's type first.

  public static func + (x: Tensor, y: Double) -> Tensor {
    record("+", x, x.array.binary(.add, scalar: y), saving: []) { g, _ in [g] }
  }
  public static func - (x: Tensor, y: Double) -> Tensor {
    record("-", x, x.array.binary(.subtract, scalar: y), saving: []) { g, _ in [g] }
  }
  public static func * (x: Tensor, y: Double) -> Tensor {
    record("*", x, x.array.binary(.multiply, scalar: y), saving: []) { g, _ in [g * y] }
  }
  public static func / (x: Tensor, y: Double) -> Tensor {
    record("/", x, x.array.binary(.divide, scalar: y), saving: []) { g, _ in [g / y] }
  }
  public static func + (x: Double, y: Tensor) -> Tensor { y + x }
  public static func * (x: Double, y: Tensor) -> Tensor { y * x }
  public static func - (x: Double, y: Tensor) -> Tensor {
    record("-", y, y.array.binary(.subtract, scalar: x, reversed: true), saving: []) { g, _ in [-g]
    }
  }
  public static func / (x: Double, y: Tensor) -> Tensor {
    let result = y.array.binary(.divide, scalar: x, reversed: true)
    return record("/", y, result, saving: [.inputs, .output]) { g, call in
      [-(g * call.output / call[0])]
    }
  }

  public static func += (x: inout Tensor, y: Tensor) { x = x + y }
  public static func -= (x: inout Tensor, y: Tensor) { x = x - y }
  public static func *= (x: inout Tensor, y: Tensor) { x = x * y }
  public static func /= (x: inout Tensor, y: Tensor) { x = x / y }
  public static func += (x: inout Tensor, y: Double) { x = x + y }
  public static func -= (x: inout Tensor, y: Double) { x = x - y }
  public static func *= (x: inout Tensor, y: Double) { x = x * y }
  public static func /= (x: inout Tensor, y: Double) { x = x / y }
}

/// x to the power y, elementwise. The derivative with respect to y is 0 where x is 0.
public func pow(_ x: Tensor, _ y: Tensor) -> Tensor {
  Tensor.record(
    "pow", x, y, x.array.binary(.power, y.array, name: "pow"), saving: [.inputs, .output]
  ) { g, call in
    let (x, y) = (call[0], call[1])
    // x^(y - 1) is infinite where both are 0, the slope of x^0 is 0.
    let corner = (x .== 0) * (y .== 0)
    let slope = Tensor.where(corner, Tensor.scalar(0, x.dtype), y * pow(x, y - 1))
    let safeLog = log(Tensor.where(x .> 0, x, x.onesLike))
    return [
      call.needs(0) ? (g * slope).summed(to: x.shape) : nil,
      call.needs(1) ? (g * call.output * safeLog).summed(to: y.shape) : nil,
    ]
  }
}

/// x to a constant power, elementwise.
public func pow(_ x: Tensor, _ exponent: Double) -> Tensor {
  if exponent == 2 { return square(x) }
  let result = x.array.binary(.power, scalar: exponent)
  return Tensor.record("pow", x, result, saving: .inputs) { g, call in
    if exponent == 0 { return [g.zerosLike] }
    if exponent == 1 { return [g] }
    return [g * (pow(call[0], exponent - 1) * exponent)]
  }
}

/// The larger of two, elementwise; where they are equal each takes half of the derivative.
public func maximum(_ x: Tensor, _ y: Tensor) -> Tensor { extreme("maximum", .maximum, x, y) }

/// The smaller of two, elementwise; where they are equal each takes half of the derivative.
public func minimum(_ x: Tensor, _ y: Tensor) -> Tensor { extreme("minimum", .minimum, x, y) }

private func extreme(
  _ name: StaticString, _ kernel: BinaryKernel, _ x: Tensor, _ y: Tensor
) -> Tensor {
  Tensor.record(
    name, x, y, x.array.binary(kernel, y.array, name: name), saving: [.inputs, .output]
  ) { g, call in
    let (x, y, result) = (call[0].detached, call[1].detached, call.output.detached)
    let (fromX, fromY) = (x .== result, y .== result)
    let total = fromX + fromY
    return [
      call.needs(0) ? (g * (fromX / total)).summed(to: x.shape) : nil,
      call.needs(1) ? (g * (fromY / total)).summed(to: y.shape) : nil,
    ]
  }
}

// MARK: - Comparison and selection

infix operator .== : ComparisonPrecedence
infix operator .!= : ComparisonPrecedence
infix operator .< : ComparisonPrecedence
infix operator .<= : ComparisonPrecedence
infix operator .> : ComparisonPrecedence
infix operator .>= : ComparisonPrecedence

extension Tensor {
  // Elementwise comparisons give 1 or 0 in the operands' own type; they have no derivative.

  public static func .== (x: Tensor, y: Tensor) -> Tensor { compare(.equal, x, y) }
  public static func .!= (x: Tensor, y: Tensor) -> Tensor { compare(.notEqual, x, y) }
  public static func .< (x: Tensor, y: Tensor) -> Tensor { compare(.less, x, y) }
  public static func .<= (x: Tensor, y: Tensor) -> Tensor { compare(.lessOrEqual, x, y) }
  public static func .> (x: Tensor, y: Tensor) -> Tensor { compare(.greater, x, y) }
  public static func .>= (x: Tensor, y: Tensor) -> Tensor { compare(.greaterOrEqual, x, y) }

  public static func .== (x: Tensor, y: Double) -> Tensor { compare(.equal, x, y) }
  public static func .!= (x: Tensor, y: Double) -> Tensor { compare(.notEqual, x, y) }
  public static func .< (x: Tensor, y: Double) -> Tensor { compare(.less, x, y) }
  public static func .<= (x: Tensor, y: Double) -> Tensor { compare(.lessOrEqual, x, y) }
  public static func .> (x: Tensor, y: Double) -> Tensor { compare(.greater, x, y) }
  public static func .>= (x: Tensor, y: Double) -> Tensor { compare(.greaterOrEqual, x, y) }

  private static func compare(_ kernel: BinaryKernel, _ x: Tensor, _ y: Tensor) -> Tensor {
    Tensor(x.array.binary(kernel, y.array, name: "comparison"))
  }

  private static func compare(_ kernel: BinaryKernel, _ x: Tensor, _ y: Double) -> Tensor {
    Tensor(x.array.binary(kernel, scalar: y))
  }

  /// Elements of `x` where `condition` is not zero, else of `y`; all three broadcast. What is not
  /// selected gets derivative zero, even where its value is infinite or NaN.
  public static func `where`(_ condition: Tensor, _ x: Tensor, _ y: Tensor) -> Tensor {
    let constant = condition.detached
    let (xShape, yShape) = (x.shape, y.shape)
    let result = NDArray.select(constant.array, x.array, y.array)
    return record("where", x, y, result, saving: []) { g, call in
      let zero = Tensor.scalar(0, g.dtype)
      return [
        call.needs(0) ? Tensor.where(constant, g, zero).summed(to: xShape) : nil,
        call.needs(1) ? Tensor.where(constant, zero, g).summed(to: yShape) : nil,
      ]
    }
  }

  /// Elements outside `range` moved to its ends, where the derivative is zero.
  public func clamped(to range: ClosedRange<Double>) -> Tensor {
    let result = array.clamped(range.lowerBound, range.upperBound)
    return Tensor.record("clamp", self, result, saving: [.inputs, .output]) { g, call in
      let moved = call[0].array.binary(.subtract, call.output.array)
      if !call.isHigherOrder { return [Tensor(g.array.binary(.clampGradient, moved))] }
      let ones = NDArray(repeating: 1, shape: moved.shape, moved.dtype)
      return [g * Tensor(ones.binary(.clampGradient, moved))]
    }
  }
}
