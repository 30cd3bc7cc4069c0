// Examples that lie in memory as one array for each field.

import LatentNumerics

/// A data set over arrays whose first axis is the example.
///
/// The arrays are kept as they are (bytes as bytes) and converted batch by batch: uint8 inputs to
/// float32 by `byteScale`, float64 to float32, uint8 labels to int32; float32 and int32 stay.
public struct ArrayDataset: Dataset {
  /// The arrays, `[count, ...]`.
  public let arrays: [String: NDArray]
  public let count: Int
  public let name: String
  public let notes: [String]
  public let byteScale: ByteScale?

  /// Traps when there is no array or their first axes differ.
  ///
  /// - Parameter bytes: What inputs of uint8 are; nil takes those that are 0 and 1 only as numbers, all
  ///   others as gray values.
  public init(_ arrays: [String: NDArray], name: String = "arrays", bytes: ByteScale? = nil) {
    require(!arrays.isEmpty, "ArrayDataset: no arrays")
    let list = arrays.sorted { $0.key < $1.key }
    for (field, array) in list {
      require(
        array.shape.rank > 0 && array.shape[0] == list[0].value.shape.dimensions.first,
        "ArrayDataset: \"\(field)\" has shape \(array.shape), \"\(list[0].key)\" has "
          + "\(list[0].value.shape): the first axis is the example")
    }
    let rule = arrays[Field.inputs].flatMap { inputs in
      inputs.dtype == .uint8
        ? ByteRule(bytes, ByteLook(inputs), what: "the bytes of \(name)") : nil
    }
    self.arrays = arrays
    self.name = name
    notes = rule?.notes ?? []
    byteScale = rule?.scale
    count = list[0].value.shape[0]
  }

  /// Inputs `[count, ...]` and, where known, labels `[count]`.
  public init(
    inputs: NDArray, labels: NDArray? = nil, name: String = "arrays", bytes: ByteScale? = nil
  ) {
    var arrays = [Field.inputs: inputs]
    arrays[Field.labels] = labels
    self.init(arrays, name: name, bytes: bytes)
  }

  public var fieldShapes: [String: Shape] { arrays.mapValues { $0.shape.removing(0) } }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    var fields: [String: NDArray] = [:]
    for (field, array) in arrays {
      fields[field] = StandardForm.converted(
        StandardForm.rows(indices, of: array), field: field, bytes: byteScale ?? .pictures)
    }
    return Batch(fields: fields, indices: indices)
  }
}
