// Rows of a dataset in any order: each by itself where the array lies in the file as in memory,
// else in as few calls of the library as make sense.

import LatentNumerics

extension HDF5File {
  /// Rows that nobody asked for are read along when they bridge a gap of at most this many bytes:
  /// a call of the library costs about as much as copying them.
  static let bridgedBytes = 16 << 10

  /// The rows `indices` of a dataset, in that order, repeats allowed: an array of shape
  /// `[indices.count, ...]`.
  ///
  /// Of an array in one piece, in the types of this library, these rows alone are read, from where
  /// they lie; of others as many whole chunks as hold them.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.rowsOutOfRange`, `.damaged`, or `.unsupported` for
  ///   integers that do not fit int32.
  public func rows(at indices: [Int], of name: String) throws -> NDArray {
    let dataset = try dataset(name)
    let count = dataset.rowCount
    for index in indices where index < 0 || index >= count {
      throw StorageError.rowsOutOfRange(
        file: path, dataset: name, rows: index..<max(index, index &+ 1), count: count)
    }
    guard !indices.isEmpty else { return try rows(0..<0, of: name) }
    if let flat = flat[dataset.name] { return try flat.rows(Self.ascents(indices)) }

    let order = indices.indices.sorted { indices[$0] < indices[$1] }
    let rowBytes = dataset.shape.removing(0).count * dataset.dtype.size
    let bridge = max(1, Self.bridgedBytes / max(rowBytes, 1))
    var slabs: [NDArray] = []
    var positions = [Int32](repeating: 0, count: indices.count)
    var slabRows = 0
    for run in Self.runs(order.map { indices[$0] }, bridge: bridge) {
      let first = indices[order[run.lowerBound]]
      let last = indices[order[run.upperBound - 1]]
      slabs.append(try rows(first..<last + 1, of: name))
      for place in run { positions[order[place]] = Int32(slabRows + indices[order[place]] - first) }
      slabRows += last + 1 - first
    }
    return NDArray.concatenate(slabs, axis: 0).taking(NDArray(positions), axis: 0)
  }

  /// The indices as ranges, each as long as the next index is the next row.
  static func ascents(_ indices: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for index in indices {
      if let last = ranges.last, last.upperBound == index {
        ranges[ranges.count - 1] = last.lowerBound..<index + 1
      } else {
        ranges.append(index..<index + 1)
      }
    }
    return ranges
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
