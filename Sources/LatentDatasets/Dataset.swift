// Examples by number. The protocol is random access: order is the business of `BatchOrder`, noise
// that of transforms, so that a data set has no state and any thread may read any part of it.

import LatentNumerics

/// A finite set of examples that can be read in any order.
///
/// The cost of a batch depends on the batch, never on the size of the set. Conforming types are
/// values without visible state: the same indices give the same bits, on any thread.
public protocol Dataset: Sendable, CustomStringConvertible {
  /// The number of examples.
  var count: Int { get }
  /// The shape of one example, field by field: `inputs` is `[height, width, channels]` for images;
  /// `labels` are scalars, of shape `[]`.
  var fieldShapes: [String: Shape] { get }
  /// A few words for logs and pictures, such as "MNIST training".
  var name: String { get }
  /// What somebody who trains on the set should know, a sentence each: what was assumed about it, what of
  /// it is left out. Tools print them once. None unless said otherwise.
  var notes: [String] { get }
  /// The names of the classes by their labels; none where labels have no names.
  var classNames: [String] { get }
  /// The names of the columns of the field `factors`; none where factors have no names, or there are none.
  var factorNames: [String] { get }
  /// What bytes of inputs stand for; nil where inputs are no bytes of a file.
  var byteScale: ByteScale? { get }

  /// The examples at `indices`, in that order, repeats allowed.
  ///
  /// Inputs stored as bytes arrive as float32, times 1 / 255 unless `byteScale` says that they are
  /// numbers, and booleans as 0 and 1. Traps when an index is outside `0..<count`; throws `DatasetError` or `StorageError`, naming the file, when reading fails.
  func batch(at indices: [Int]) throws -> Batch

  /// Where example `index` comes from: the set that a user knows, and its number there. A part of
  /// another set names that one.
  func origin(of index: Int) -> (dataset: String, index: Int)
}

extension Dataset {
  public var notes: [String] { [] }
  public var classNames: [String] { [] }
  public var factorNames: [String] { [] }
  public var byteScale: ByteScale? { nil }

  /// The examples of a range, in order.
  public func batch(_ range: Range<Int>) throws -> Batch { try batch(at: Array(range)) }

  /// The shape of one input, without the batch axis; traps when the set has no inputs.
  public var inputShape: Shape {
    guard let shape = fieldShapes[Field.inputs] else {
      fatalError("\(name) has no field \"\(Field.inputs)\"")
    }
    return shape
  }

  /// Whether there are no examples.
  public var isEmpty: Bool { count == 0 }

  public func origin(of index: Int) -> (dataset: String, index: Int) { (name, index) }

  /// For example "MNIST training: 60000 examples, inputs [28, 28, 1], labels []".
  public var description: String {
    let fields = fieldShapes.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
    return "\(name): \(count) examples, " + fields.joined(separator: ", ")
  }

  /// Traps when an index is outside the set.
  func checkIndices(_ indices: [Int]) {
    for index in indices {
      require(
        index >= 0 && index < count, "\(name) has no example \(index): it has 0..<\(count)")
    }
  }
}

/// What integers are, other than bytes, where a file has them as inputs.
public enum IntegerInputs: Sendable, Hashable {
  /// Numbers like any others: they arrive as float32, unscaled, as from a file of floats.
  case numbers
  /// Indices, such as tokens of text: they arrive as int32.
  case tokens
}

/// How rows that lie in a file or in memory reach a batch.
enum StandardForm {
  /// Bytes of inputs become float32, in [0, 1] where they are gray values; other bytes, and booleans in
  /// every field, are numbers (labels int32, else float32); float64, which NumPy writes unasked, becomes
  /// float32; int32 becomes float32 where it is an input and a number, and stays elsewhere.
  static func converted(
    _ rows: NDArray, field: String, isBoolean: Bool = false, bytes: ByteScale = .pictures,
    integers: IntegerInputs = .tokens
  ) -> NDArray {
    switch rows.dtype {
    case .uint8 where field == Field.inputs && !isBoolean && bytes == .pictures: pictures(rows)
    case .uint8 where field == Field.labels: rows.converted(to: .int32)
    case .uint8, .float64, .bfloat16, .int8: rows.converted(to: .float32)
    case .int32 where field == Field.inputs && integers == .numbers: rows.converted(to: .float32)
    case .float32, .int32: rows
    }
  }

  /// Gray values in [0, 1]: bytes times 1 / 255, floats as they are.
  static func pictures(_ rows: NDArray) -> NDArray {
    rows.dtype == .uint8 ? rows.scaledBytes(to: .float32, scale: 1 / 255) : rows
  }

  /// Rows `indices` of the first axis.
  static func rows(_ indices: [Int], of array: NDArray) -> NDArray {
    array.taking(NDArray(indices.map { Int32($0) }), axis: 0)
  }
}
