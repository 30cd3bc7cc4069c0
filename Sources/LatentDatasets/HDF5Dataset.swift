// Data sets larger than memory: rows are read from the file as batches ask for them.

import LatentNumerics
import LatentStorage

/// Rows of arrays in an HDF5 file, read as batches ask for them and never whole.
///
/// Arrays in one piece of float32, float64, int32 or uint8, as `HDF5File.write` and, by default, h5py
/// write them, suit shuffled reading best: only the rows asked for are read. Chunks are read whole,
/// and other types go through HDF5's conversion.
public struct HDF5Dataset: Dataset {
  /// The file.
  public let path: String
  public let count: Int
  public let fieldShapes: [String: Shape]
  /// What the elements of each field are in the file: bytes, truth values, integers, floats.
  public let storedTypes: [String: StoredType]
  /// What other integers than bytes are, as inputs.
  public let integers: IntegerInputs
  private let byteRule: ByteRule?
  /// The order of an epoch takes memory for each example; a small file may declare any number.
  private static let largestCount = 1 << 31
  private let file: HDF5File
  /// The array in the file behind each field.
  private let sources: [String: String]

  /// Field `inputs` from the array `dataset` (such as "train/images") of the file at `path`.
  public init(
    path: String, dataset: String, integers: IntegerInputs = .numbers, bytes: ByteScale? = nil
  ) throws {
    try self.init(path: path, fields: [Field.inputs: dataset], integers: integers, bytes: bytes)
  }

  /// Several fields, each from an array of the file with the example as its first axis. Inputs of
  /// shape `[count, height, width]` are gray images and get a channel axis; booleans are 0 and 1, and
  /// `integers` that are numbers become float32. What `bytes` of inputs stand for is looked for where it
  /// is not given: numbers where they are 0 and 1 only, else gray values; a large array is judged by
  /// examples at equal distances, and a batch that contradicts them is refused.
  ///
  /// Throws `DatasetError.wrongShape`, `.empty` and `.countMismatch`; `StorageError` when the file
  /// or an array is absent, in use, damaged or of a type the library does not read.
  public init(
    path: String, fields: [String: String], integers: IntegerInputs = .numbers,
    bytes: ByteScale? = nil
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
    byteRule = try fields[Field.inputs].flatMap { source in
      let array = try file.dataset(source)
      guard array.dtype == .uint8, !array.isBoolean else { return nil }
      let look = try ByteLook(
        count: array.shape[0], rowBytes: array.shape.count / max(array.shape[0], 1)
      ) { try file.rows(at: $0, of: source) }
      return ByteRule(bytes, look, what: "the bytes of \(source) in \(path.lastPathComponent)")
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
  public var notes: [String] { byteRule?.notes ?? [] }
  public var byteScale: ByteScale? { byteRule?.scale }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    var fields: [String: NDArray] = [:]
    for (field, source) in sources {
      guard let example = fieldShapes[field] else { continue }
      let rows = try file.rows(at: indices, of: source)
      if let byteRule, field == Field.inputs {
        try byteRule.check(rows, indices, file: "\(source) of \(path)")
      }
      fields[field] = StandardForm.converted(
        rows.reshaped(Shape([indices.count]) + example), field: field,
        isBoolean: storedTypes[field] == .boolean, bytes: byteScale ?? .pictures,
        integers: integers)
    }
    return Batch(fields: fields, indices: indices)
  }
}
