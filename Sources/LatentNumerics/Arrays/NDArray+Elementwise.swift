// Elementwise arithmetic on arrays, with broadcasting.

import CLatentKernels

extension NDArray {
  /// Traps unless the kernels compute with this type: bytes are stored only, and what is meant for
  /// fractions would read integers as such.
  func requireNumbers(
    _ name: StaticString, fractions: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      fractions ? dtype.isFloatingPoint : dtype != .uint8 && !dtype.isLowPrecision,
      "\(name) of element type \(dtype) (convert it first)", file: file, line: line)
  }

  /// A function of each element. Integers have only those whose results are integers.
  public func unary(
    _ op: UnaryKernel, file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    requireNumbers("elementwise function", fractions: true, file: file, line: line)
    let result = NDArray(uninitialized: shape, dtype)
    latent_unary(op.kernel, dtype.kernel, Int64(count), pointer, result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// The shape of an elementwise result, or a trap that names both.
  public static func broadcastShape(
    _ left: Shape, _ right: Shape, _ name: StaticString,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Shape {
    guard let shape = left.broadcast(with: right) else {
      fatalError("\(name): shapes \(left) and \(right) do not broadcast", file: file, line: line)
    }
    return shape
  }

  /// A function of pairs of elements; shapes broadcast, types must agree.
  public func binary(
    _ op: BinaryKernel, _ other: NDArray, name: StaticString = "elementwise operation",
    file: StaticString = #fileID, line: UInt = #line
  ) -> NDArray {
    require(
      dtype == other.dtype, "\(name): element types \(dtype) and \(other.dtype) differ", file: file,
      line: line)
    requireNumbers(name, fractions: op.needsFractions, file: file, line: line)
    let target = NDArray.broadcastShape(shape, other.shape, name, file: file, line: line)
    let result = NDArray(uninitialized: target, dtype)
    withKernelAxes(
      target, shape.broadcastStrides(to: target), other.shape.broadcastStrides(to: target)
    ) {
      latent_binary(
        op.kernel, dtype.kernel, Int32(target.rank), $0, pointer, $1, other.pointer, $2,
        result.freshPointer)
    }
    keepAlive(storage)
    keepAlive(other.storage)
    return result
  }

  /// `op(self, scalar)`, or `op(scalar, self)` where `reversed`. The scalar is rounded to a
  /// floating-point type; traps where it is no number of int32.
  public func binary(
    _ op: BinaryKernel, scalar: Double, reversed: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    requireNumbers("elementwise operation", fractions: op.needsFractions, file: file, line: line)
    require(
      dtype != .int32 || Int32(exactly: scalar) != nil,
      "\(op) of the int32 array \(shape) and \(scalar), which is no 32-bit integer (convert the "
        + "array to a floating-point type first)", file: file, line: line)
    let result = NDArray(uninitialized: shape, dtype)
    let flat: Shape = [count]
    let dense = InlineArray<8, Int>(repeating: 1)
    let none = InlineArray<8, Int>(repeating: 0)
    withScalar(scalar, dtype) { value in
      withKernelAxes(flat, reversed ? none : dense, reversed ? dense : none) {
        latent_binary(
          op.kernel, dtype.kernel, 1, $0, reversed ? value : pointer, $1,
          reversed ? pointer : value, $2,
          result.freshPointer)
      }
    }
    keepAlive(storage)
    return result
  }

  /// Elements outside the range moved to its ends.
  public func clamped(_ low: Double, _ high: Double) -> NDArray {
    requireNumbers("clamp")
    let result = NDArray(uninitialized: shape, dtype)
    latent_clamp(dtype.kernel, Int64(count), pointer, low, high, result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// Elements of `a` where `condition` is not zero, else of `b`, broadcast together.
  public static func select(_ condition: NDArray, _ a: NDArray, _ b: NDArray) -> NDArray {
    require(
      a.dtype == b.dtype && condition.dtype == a.dtype,
      "where: element types \(condition.dtype), \(a.dtype) and \(b.dtype) differ")
    let branches = broadcastShape(a.shape, b.shape, "where")
    let target = broadcastShape(condition.shape, branches, "where")
    let result = NDArray(uninitialized: target, a.dtype)
    let aSteps = a.shape.broadcastStrides(to: target)
    let bSteps = b.shape.broadcastStrides(to: target)
    withKernelAxes(target, condition.shape.broadcastStrides(to: target), aSteps) {
      shape, conditionStrides, aStrides in
      withKernelAxes(target, bSteps, bSteps) { _, bStrides, _ in
        latent_select(
          a.dtype.kernel, Int32(target.rank), shape, condition.pointer, conditionStrides,
          a.pointer, aStrides, b.pointer, bStrides, result.freshPointer)
      }
    }
    keepAlive(condition.storage)
    keepAlive(a.storage)
    keepAlive(b.storage)
    return result
  }

  /// `scale * x + shift` of bytes, as floating-point numbers.
  package func scaledBytes(to type: DType, scale: Double, shift: Double = 0) -> NDArray {
    require(dtype == .uint8, "scaledBytes of an array of \(dtype)")
    let result = NDArray(uninitialized: shape, type)
    latent_u8_to_float(
      type.kernel, Int64(count), pointer.assumingMemoryBound(to: UInt8.self), scale, shift,
      result.freshPointer)
    keepAlive(storage)
    return result
  }
}

/// Hands shape and two stride lists to C as Int64 pointers.
@inline(__always)
func withKernelAxes<Result>(
  _ shape: Shape, _ first: InlineArray<8, Int>, _ second: InlineArray<8, Int>,
  _ body: (UnsafePointer<Int64>, UnsafePointer<Int64>, UnsafePointer<Int64>) -> Result
) -> Result {
  withUnsafePointer(to: shape.extents) { extents in
    withUnsafePointer(to: first) { first in
      withUnsafePointer(to: second) { second in
        body(
          UnsafeRawPointer(extents).assumingMemoryBound(to: Int64.self),
          UnsafeRawPointer(first).assumingMemoryBound(to: Int64.self),
          UnsafeRawPointer(second).assumingMemoryBound(to: Int64.self))
      }
    }
  }
}

/// A scalar in memory, in the given type.
@inline(__always)
func withScalar<Result>(
  _ value: Double, _ dtype: DType, _ body: (UnsafeRawPointer) -> Result
) -> Result {
  switch dtype {
  case .float32: withUnsafePointer(to: Float(value)) { body(UnsafeRawPointer($0)) }
  case .float64: withUnsafePointer(to: value) { body(UnsafeRawPointer($0)) }
  case .int32: withUnsafePointer(to: Int32(value)) { body(UnsafeRawPointer($0)) }
  case .uint8: withUnsafePointer(to: UInt8(value)) { body(UnsafeRawPointer($0)) }
  case .bfloat16, .int8: dtype.refuseArithmetic()
  }
}
