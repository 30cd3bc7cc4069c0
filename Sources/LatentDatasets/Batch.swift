// A batch is more than one tensor: inputs, and beside them labels, masks, factors, by name.

import LatentNumerics

/// The names of fields that have a meaning throughout the library.
///
/// A data set may have others; every field has the batch as its first axis.
public enum Field {
  /// What is modelled. Images are `[batch, height, width, channels]`, float32 in [0, 1].
  public static let inputs = "inputs"
  /// The class of each example, int32 `[batch]`.
  public static let labels = "labels"
  /// Known factors of variation, float32 `[batch, factors]`.
  public static let factors = "factors"
  /// 1 where an entry of the inputs was observed, 0 elsewhere; of the inputs' shape.
  public static let mask = "mask"
}

/// Some examples of a data set, as named arrays with one row for each example.
public struct Batch: Sendable, Equatable {
  /// The arrays by name. Transforms replace them; all keep `count` rows.
  public var fields: [String: NDArray] {
    didSet { checkRows() }
  }
  /// The position of each row in the data set that was asked.
  public let indices: [Int]

  /// Traps when a field has another number of rows than there are indices.
  public init(fields: [String: NDArray], indices: [Int]) {
    self.fields = fields
    self.indices = indices
    checkRows()
  }

  /// The number of examples.
  public var count: Int { indices.count }

  /// The field `name`; traps, naming the fields that exist, when there is none.
  public subscript(name: String) -> NDArray {
    get {
      guard let field = fields[name] else {
        let names = fields.keys.sorted().joined(separator: ", ")
        fatalError("a batch has no field \"\(name)\"; it has \(names.isEmpty ? "none" : names)")
      }
      return field
    }
    set { fields[name] = newValue }
  }

  /// `[batch, ...]`; traps when there are none.
  public var inputs: NDArray {
    get { self[Field.inputs] }
    set { self[Field.inputs] = newValue }
  }
  /// int32 `[batch]`, where the data set has classes.
  public var labels: NDArray? { fields[Field.labels] }
  /// float32 `[batch, factors]`, where the data set knows them.
  public var factors: NDArray? { fields[Field.factors] }
  /// 1 for observed entries, of the inputs' shape, where the data set has holes.
  public var mask: NDArray? { fields[Field.mask] }

  private func checkRows() {
    for (name, array) in fields {
      require(
        array.shape.rank > 0 && array.shape[0] == count,
        "batch: field \"\(name)\" has shape \(array.shape) for \(count) examples")
    }
  }
}
