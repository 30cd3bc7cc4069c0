// A dense, row-major array without derivatives: what files hold, what kernels work on.

import CLatentKernels
import Foundation

/// A dense row-major array of one element type.
///
/// A value type: copies share memory until one of them is written to.
public struct NDArray: Sendable {
  var storage: Storage
  /// Bytes from the start of the storage.
  let offset: Int
  /// The size of each axis.
  public let shape: Shape
  /// The type of the elements.
  public let dtype: DType

  init(storage: Storage, offset: Int, shape: Shape, dtype: DType) {
    self.storage = storage
    self.offset = offset
    self.shape = shape
    self.dtype = dtype
  }

  /// An array whose elements have no defined value yet.
  public init(uninitialized shape: Shape, _ dtype: DType) {
    self.init(uninitialized: shape, dtype, nil)
  }

  init(uninitialized shape: Shape, _ dtype: DType, _ quantization: Quantization?) {
    self.init(
      storage: Storage(byteCount: shape.count * dtype.size, quantization), offset: 0, shape: shape,
      dtype: dtype)
  }

  /// The number of elements.
  public var count: Int { shape.count }
  /// The number of bytes that the elements take.
  public var byteCount: Int { count * dtype.size }

  var pointer: UnsafeRawPointer { UnsafeRawPointer(storage.pointer + offset) }
  /// Only for arrays just made, before anybody else has seen them.
  var freshPointer: UnsafeMutableRawPointer { storage.pointer + offset }
}

// MARK: - Making

extension NDArray {
  // Swift reads number literals as `Double` where it may choose. The initialisers of `[Float]` come
  // first, so that literals make float32, as all defaults do; a `[Double]` makes float64.

  /// Elements in row-major order, float32, which literals are too: `NDArray([1, 0.5], shape: [2, 1])`.
  /// Traps when the number of values is not that of the shape.
  public init(
    _ values: [Float], shape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(elements: values, shape: shape, file: file, line: line)
  }

  /// A float32 vector, `[values.count]`; literals make one: `NDArray([1, 0.5])`.
  public init(_ values: [Float]) { self.init(elements: values, shape: [values.count]) }

  /// Elements in row-major order, of the type that they have. Traps when the number of values is not
  /// that of the shape.
  @_disfavoredOverload
  public init<Element: ArrayElement>(
    _ values: [Element], shape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(elements: values, shape: shape, file: file, line: line)
  }

  /// A vector of the type that the values have, `[values.count]`.
  @_disfavoredOverload
  public init<Element: ArrayElement>(_ values: [Element]) {
    self.init(elements: values, shape: [values.count])
  }

  private init<Element: ArrayElement>(
    elements values: [Element], shape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      values.count == shape.count,
      "\(values.count) values cannot fill shape \(shape) (\(shape.count) elements)",
      file: file, line: line)
    self.init(uninitialized: shape, Element.dtype)
    values.withUnsafeBytes { source in
      if let base = source.baseAddress {
        freshPointer.copyMemory(from: base, byteCount: source.count)
      }
    }
  }

  /// Every element `value`, rounded to the type.
  public init(repeating value: Double, shape: Shape, _ dtype: DType = .float32) {
    self.init(uninitialized: shape, dtype)
    latent_fill(dtype.kernel, Int64(shape.count), value, freshPointer)
  }

  /// Bytes as they lie in memory or a file, in the machine's byte order.
  public init(bytes: UnsafeRawBufferPointer, shape: Shape, _ dtype: DType) {
    self.init(uninitialized: shape, dtype)
    require(bytes.count == byteCount, "\(bytes.count) bytes for \(shape) of \(dtype)")
    if let base = bytes.baseAddress { freshPointer.copyMemory(from: base, byteCount: byteCount) }
  }

  /// Lets `fill` write the elements of a new array.
  public init(
    shape: Shape, _ dtype: DType, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    self.init(uninitialized: shape, dtype)
    try fill(UnsafeMutableRawBufferPointer(start: freshPointer, count: byteCount))
  }
}

// MARK: - Reading and writing

extension NDArray {
  /// The elements as bytes in row-major order, for the time of the call.
  public func withUnsafeBytes<Result>(
    _ body: (UnsafeRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    defer { keepAlive(storage) }
    return try body(UnsafeRawBufferPointer(start: pointer, count: byteCount))
  }

  /// The elements as `Element`, which must be the array's own type.
  public func withUnsafeElements<Element: ArrayElement, Result>(
    of type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws -> Result
  ) rethrows -> Result {
    require(Element.dtype == dtype, "the array holds \(dtype), not \(Element.dtype)")
    return try withUnsafeBytes { try body($0.bindMemory(to: Element.self)) }
  }

  /// Writes in place; other holders of the memory keep their values (copy on write).
  public mutating func withUnsafeMutableBytes<Result>(
    _ body: (UnsafeMutableRawBufferPointer) throws -> Result
  ) rethrows -> Result {
    makeUnique()
    defer { keepAlive(storage) }
    return try body(UnsafeMutableRawBufferPointer(start: freshPointer, count: byteCount))
  }

  mutating func makeUnique() {
    if isKnownUniquelyReferenced(&storage) { storage.forgetDerived() } else { self = copy() }
  }

  /// The same elements in memory of their own.
  public func copy() -> NDArray {
    let result = NDArray(uninitialized: shape, dtype, quantization)
    result.freshPointer.copyMemory(from: pointer, byteCount: byteCount)
    keepAlive(storage)
    return result
  }

  /// The elements in row-major order, converted.
  public func elements<Element: ArrayElement>(as type: Element.Type) -> [Element] {
    converted(to: Element.dtype).withUnsafeElements(of: Element.self) { Array($0) }
  }

  /// The elements in row-major order as `Float`, converted where they are another type.
  public var floats: [Float] { elements(as: Float.self) }
  /// The elements in row-major order as `Double`, converted where they are another type.
  public var doubles: [Double] { elements(as: Double.self) }
  /// The elements in row-major order as `Int32`, converted where they are another type.
  public var int32s: [Int32] { elements(as: Int32.self) }

  /// The only element of an array that has one.
  public var item: Double {
    require(count == 1, "item of an array of shape \(shape)")
    defer { keepAlive(storage) }
    switch dtype {
    case .float32: return Double(pointer.load(as: Float.self))
    case .float64: return pointer.load(as: Double.self)
    case .int32: return Double(pointer.load(as: Int32.self))
    case .uint8: return Double(pointer.load(as: UInt8.self))
    case .bfloat16, .int8: return converted(to: .float64).item
    }
  }

  /// The same numbers in another type, rounded where it is narrower. int8 weights become what they
  /// stand for; float arrays become int8 by `quantized` only.
  public func converted(to type: DType) -> NDArray {
    if type == dtype { return self }
    if type.isLowPrecision || dtype.isLowPrecision { return convertedLowPrecision(to: type) }
    let result = NDArray(uninitialized: shape, type)
    latent_convert(dtype.kernel, type.kernel, Int64(count), pointer, result.freshPointer)
    keepAlive(storage)
    return result
  }

  /// The number of elements that are NaN or infinite.
  public var nonFiniteCount: Int {
    if dtype.isLowPrecision { return converted(to: .float32).nonFiniteCount }
    defer { keepAlive(storage) }
    return Int(latent_count_non_finite(dtype.kernel, Int64(count), pointer))
  }
}

extension NDArray: Equatable {
  /// Same type, shape and bits (so NaN equals the same NaN, and 0 differs from -0).
  public static func == (left: NDArray, right: NDArray) -> Bool {
    left.dtype == right.dtype && left.shape == right.shape
      && left.quantization == right.quantization
      && left.withUnsafeBytes { a in
        right.withUnsafeBytes { b in
          a.isEmpty
            || memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, a.count)
              == 0
        }
      }
  }
}

extension NDArray: CustomStringConvertible {
  public var description: String {
    let shown = reshaped([count]).sliced(0, 0..<min(count, 8)).doubles
    let list = shown.map { "\($0)" }.joined(separator: ", ")
    return "NDArray(\(shape), \(dtype), [\(list)\(count > 8 ? ", ..." : "")])"
  }
}
