// Data sets larger than memory: rows are read from the file as batches ask for them.

import LatentNumerics
import LatentStorage

/// Rows of arrays in an HDF5 file, read by slab and never whole.
///
/// The rows of a batch are sorted, neighbours are read together, and the batch is put back into
/// the order asked for. Files written with one chunk a few rows high suit shuffled reading best.
public struct HDF5Dataset: Dataset {
  public let path: String
  public let count: Int
  public let fieldShapes: [String: Shape]
  /// What other integers than bytes are, as inputs.
  public let integers: IntegerInputs
  private let file: HDF5File
  /// The array in the file behind each field.
  private let sources: [String: String]

  /// Rows that nobody asked for are read along when they bridge a gap of at most this many bytes:
  /// a call of the library costs about as much as copying them.
  static let bridgedBytes = 16 << 10

  /// Field `inputs` from the array `dataset` (such as "train/images") of the file at `path`.
  public init(path: String, dataset: String, integers: IntegerInputs = .numbers) throws {
    try self.init(path: path, fields: [Field.inputs: dataset], integers: integers)
  }

  /// Several fields, each from an array of the file with the example as its first axis. Inputs of
  /// shape `[count, height, width]` are gray images and get a channel axis; bytes of inputs are
  /// images in 0...255, booleans 0 and 1, and `integers` that are numbers become float32.
  ///
  /// Throws `DatasetError.wrongShape`, `.empty` and `.countMismatch`; `StorageError` when the file
  /// or an array is absent, damaged or of a type the library does not read.
  public init(
    path: String, fields: [String: String], integers: IntegerInputs = .numbers
  ) throws {
    require(!fields.isEmpty, "HDF5Dataset: no fields")
    let file = try HDF5File(path: path)
    var shapes: [String: Shape] = [:]
    var rows: (count: Int, source: String)?
    for (field, source) in fields.sorted(by: { $0.key < $1.key }) {
      let shape = try file.shape(of: source)
      shapes[field] = try RowShape.example(
        of: shape, what: "the array \(source)", file: path,
        addsChannelAxis: field == Field.inputs)
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
    count = rows?.count ?? 0
  }

  public var name: String { path.lastPathComponent }

  public func batch(at indices: [Int]) throws -> Batch {
    checkIndices(indices)
    let order = indices.indices.sorted { indices[$0] < indices[$1] }
    var fields: [String: NDArray] = [:]
    for (field, source) in sources {
      guard let example = fieldShapes[field] else { continue }
      let rows = try rows(indices, order: order, of: source)
      fields[field] = StandardForm.converted(
        rows.reshaped(Shape([indices.count]) + example), field: field,
        isBoolean: try file.dataset(source).isBoolean, integers: integers)
    }
    return Batch(fields: fields, indices: indices)
  }

  private func rows(_ indices: [Int], order: [Int], of source: String) throws -> NDArray {
    let shape = try file.shape(of: source)
    let rowBytes = shape.removing(0).count * (try file.dtype(of: source)).size
    let bridge = max(1, HDF5Dataset.bridgedBytes / rowBytes)
    var slabs: [NDArray] = []
    var positions = [Int32](repeating: 0, count: indices.count)
    var slabRows = 0
    for run in HDF5Dataset.runs(order.map { indices[$0] }, bridge: bridge) {
      let first = indices[order[run.lowerBound]]
      let last = indices[order[run.upperBound - 1]]
      slabs.append(try file.rows(first..<last + 1, of: source))
      for place in run { positions[order[place]] = Int32(slabRows + indices[order[place]] - first) }
      slabRows += last + 1 - first
    }
    guard !slabs.isEmpty else { return try file.rows(0..<0, of: source) }
    return NDArray.concatenate(slabs, axis: 0).taking(NDArray(positions), axis: 0)
  }

  /// Places of `sorted` that are read together: neighbours differ by at most `bridge`.
  static func runs(_ sorted: [Int], bridge: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for place in sorted.indices.dropFirst() where sorted[place] - sorted[place - 1] > bridge {
      runs.append(start..<place)
      start = place
    }
    if !sorted.isEmpty { runs.append(start..<sorted.count) }
    return runs
  }
}
