// Data sets larger than memory: rows are read from the file as batches ask for them.

import LatentNumerics
import LatentStorage

/// Rows of arrays in an HDF5 file, read as batches ask for them and never whole.
///
/// Arrays in one piece of float32, float64, int32 or uint8, as `HDF5File.write` and, by default, h5py
/// write them, suit shuffled reading best: only the rows asked for are read. Chunks are read whole,
/// and other types go through HDF5's conversion.
public struct HDF5Dataset: Dataset {
  public let path: String
  public let count: Int
  public let fieldShapes: [String: Shape]
  /// What the elements of each field are in the file: bytes, truth values, integers, floats.
  public let storedTypes: [String: StoredType]
  /// What other integers than bytes are, as inputs.
  public let integers: IntegerInputs
  /// The order of an epoch takes memory for each example; a small file may declare any number.
  private static let largestCount = 1 << 31
  private let file: HDF5File
  /// The array in the file behind each field.
  private let sources: [String: String]

  /// Field `inputs` from the array `dataset` (such as "train/images") of the file at `path`.
  public init(path: String, dataset: String, integers: IntegerInputs = .numbers) throws {
    try self.init(path: path, fields: [Field.inputs: dataset], integers: integers)
  }

  /// Several fields, each from an array of the file with the example as its first axis. Inputs of
  /// shape `[count, height, width]` are gray images and get a channel axis; bytes of inputs are
  /// images in 0...255, booleans 0 and 1, and `integers` that are numbers become float32.
  ///
  /// Throws `DatasetError.wrongShape`, `.empty` and `.countMismatch`; `StorageError` when the file
  /// or an array is absent, in use, damaged or of a type the library does not read.
  public init(
    path: String, fields: [String: String], integers: IntegerInputs = .numbers
  ) throws {
    require(!fields.isEmpty, "HDF5Dataset: no fields")
    let file = try HDF5File(path: path)
    var shapes: [String: Shape] = [:]
    var types: [String: StoredType] = [:]
    var rows: (count: Int, source: String)?
    for (field, source) in fields.sorted(by: { $0.key < $1.key }) {
      let stored = try file.dataset(source)
      let shape = stored.shape
      types[field] = stored.storedType
      shapes[field] = try RowShape.example(
        of: shape, what: "the array \(source)", file: path,
        addsChannelAxis: field == Field.inputs)
      guard shape[0] <= Self.largestCount else {
        throw DatasetError.wrongShape(
          file: path, what: "the array \(source)", found: "\(shape[0]) examples",
          expected: "at most \(Self.largestCount)")
      }
      if let rows, rows.count != shape[0] {
        throw DatasetError.countMismatch(
          file: "\(source) of \(path)", found: shape[0], other: rows.source, expected: rows.count)
      }
      rows = (shape[0], source)
    }
    self.path = path
    self.file = file
    self.integers = integers
    sources = fields
    fieldShapes = shapes
    storedTypes = types
    count = rows?.count ?? 0
  }

  public var name: String { path.lastPathComponent }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    var fields: [String: NDArray] = [:]
    for (field, source) in sources {
      guard let example = fieldShapes[field] else { continue }
      let rows = try file.rows(at: indices, of: source)
      fields[field] = StandardForm.converted(
        rows.reshaped(Shape([indices.count]) + example), field: field,
        isBoolean: storedTypes[field] == .boolean, integers: integers)
    }
    return Batch(fields: fields, indices: indices)
  }
}
