// What models compute with: an array and, where it depends on something a derivative is asked
// for, the node of the operation that made it.

import LatentNumerics

/// An array that knows how it was computed, as far as a derivative was asked for.
///
/// A value: operations make new tensors. Inside `valueAndGradient` operations on the
/// differentiated tensors are recorded, elsewhere they cost nothing beyond the computation.
public struct Tensor: Sendable {
  /// The values, without the record of how they came about.
  public let array: NDArray
  let node: Node?

  /// A constant of these values.
  public init(_ array: NDArray) {
    self.array = array
    node = nil
  }

  init(_ array: NDArray, node: Node?) {
    self.array = array
    self.node = node
  }

  /// The size of each axis.
  public var shape: Shape { array.shape }
  /// The type of the elements.
  public var dtype: DType { array.dtype }
  /// The number of axes.
  public var rank: Int { array.shape.rank }
  /// The number of elements.
  public var count: Int { array.shape.count }

  /// The same values as a constant: no derivative passes (PyTorch's `detach`, the paper's "stop
  /// gradient").
  public var detached: Tensor { Tensor(array) }

  /// Whether a derivative with respect to something this depends on is being recorded.
  public var isRecorded: Bool { liveNode != nil }

  /// The node, unless its pass is over: what such a pass left behind is a constant.
  var liveNode: Node? {
    if let node, !node.isSpent { node } else { nil }
  }

  /// The only element.
  public var item: Double { array.item }
  /// The elements in row-major order, rounded to `Float` where they are another type.
  public var floats: [Float] { array.floats }
  /// The elements in row-major order as `Double`.
  public var doubles: [Double] { array.doubles }
}

// MARK: - Making

extension Tensor {
  /// Elements in row-major order, float32, which literals are too: `Tensor([1, 0.5], shape: [2, 1])`.
  /// Traps where their number is not that of `shape`.
  public init(
    _ values: [Float], shape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(NDArray(values, shape: shape, file: file, line: line))
  }

  /// A float32 vector, `[values.count]`; literals make one: `Tensor([1, 0.5])`.
  public init(_ values: [Float]) { self.init(NDArray(values)) }

  /// Elements in row-major order, of the type that they have: `[Double]` makes float64. Traps where
  /// their number is not that of `shape`.
  @_disfavoredOverload
  public init<Element: ArrayElement>(
    _ values: [Element], shape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(NDArray(values, shape: shape, file: file, line: line))
  }

  /// A vector of the type that the values have, `[values.count]`: `[Double]` makes float64.
  @_disfavoredOverload
  public init<Element: ArrayElement>(_ values: [Element]) { self.init(NDArray(values)) }

  /// The same number everywhere.
  public init(repeating value: Double, shape: Shape, _ dtype: DType = .float32) {
    self.init(NDArray(repeating: value, shape: shape, dtype))
  }

  /// Zeros.
  public static func zeros(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
    Tensor(repeating: 0, shape: shape, dtype)
  }

  /// Ones.
  public static func ones(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
    Tensor(repeating: 1, shape: shape, dtype)
  }

  /// A scalar (shape `[]`).
  public static func scalar(_ value: Double, _ dtype: DType = .float32) -> Tensor {
    Tensor(repeating: value, shape: .scalar, dtype)
  }

  /// 0, 1, ..., count - 1.
  public static func range(_ count: Int, _ dtype: DType = .float32) -> Tensor {
    Tensor(NDArray((0..<count).map { Double($0) }).converted(to: dtype))
  }

  /// The identity matrix [size, size].
  public static func identity(_ size: Int, _ dtype: DType = .float32) -> Tensor {
    let values = (0..<(size * size)).map { $0 / size == $0 % size ? 1.0 : 0.0 }
    return Tensor(NDArray(values, shape: [size, size]).converted(to: dtype))
  }

  /// Zeros of this tensor's shape and type.
  public var zerosLike: Tensor { .zeros(shape, dtype) }
  /// Ones of this tensor's shape and type.
  public var onesLike: Tensor { .ones(shape, dtype) }
}

extension RandomStream {
  /// Standard normal; takes one draw.
  public mutating func normalTensor(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
    Tensor(normal(shape, dtype))
  }

  /// Uniform in (0, 1); takes one draw.
  public mutating func uniformTensor(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
    Tensor(uniform(shape, dtype))
  }
}

extension Tensor: CustomStringConvertible {
  public var description: String { "Tensor(\(array))" }
}
