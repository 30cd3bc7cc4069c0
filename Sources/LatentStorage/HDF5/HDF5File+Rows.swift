// Rows of a dataset in any order: each by itself where the array lies in the file as in memory,
// else in as few calls of the library as make sense.

import LatentNumerics

extension HDF5File {
  /// Rows that nobody asked for are read along when they bridge a gap of at most this many bytes:
  /// a call of the library costs about as much as copying them.
  static let bridgedBytes = 16 << 10
  /// What is read by one call, unless a row is larger.
  static let slabBytes = 8 << 20

  /// The rows `indices` of a dataset, in that order, repeats allowed: an array of shape
  /// `[indices.count, ...]`.
  ///
  /// Of an array in one piece of float32, float64, int32 or uint8, little-endian, these rows alone
  /// are read, from where they lie. Others go through HDF5: neighbours are read together, and of
  /// chunks as many whole ones as hold the rows.
  ///
  /// - Throws: `StorageError.noSuchDataset`, `.rowsOutOfRange`, `.damaged`, `.unreadable`, or
  ///   `.unsupported` for integers that do not fit int32.
  public func rows(at indices: [Int], of name: String) throws -> NDArray {
    let dataset = try dataset(name)
    let count = dataset.rowCount
    for index in indices where index < 0 || index >= count {
      throw StorageError.rowsOutOfRange(
        file: path, dataset: name, rows: index..<max(index, index &+ 1), count: count)
    }
    guard !indices.isEmpty else { return try rows(0..<0, of: name) }
    if let flat = try flat(dataset) { return try flat.rows(Self.ascents(indices)) }

    try dataset.checkBacking(rows: indices.count, in: path)
    let order = indices.indices.sorted { indices[$0] < indices[$1] }
    let rowBytes = dataset.rowBytes
    let shape = dataset.shape.replacing(0, with: indices.count)
    return try NDArray(shape: shape, dataset.dtype) { result in
      let runs = Self.runs(
        order.map { indices[$0] }, bridge: max(1, Self.bridgedBytes / max(rowBytes, 1)),
        longest: max(1, Self.slabBytes / max(rowBytes, 1)))
      for run in runs {
        let first = indices[order[run.lowerBound]]
        let slab = try rows(first..<indices[order[run.upperBound - 1]] + 1, of: name)
        slab.withUnsafeBytes { slab in
          for place in order[run] {
            let from = (indices[place] - first) * rowBytes
            result[place * rowBytes..<(place + 1) * rowBytes]
              .copyBytes(from: slab[from..<from + rowBytes])
          }
        }
      }
    }
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

  /// Places of `sorted` that are read together: neighbours differ by at most `bridge`, and the rows
  /// from the first to the last are at most `longest`.
  static func runs(_ sorted: [Int], bridge: Int, longest: Int) -> [Range<Int>] {
    var runs: [Range<Int>] = []
    var start = 0
    for place in sorted.indices.dropFirst()
    where sorted[place] - sorted[place - 1] > bridge || sorted[place] - sorted[start] >= longest {
      runs.append(start..<place)
      start = place
    }
    if !sorted.isEmpty { runs.append(start..<sorted.count) }
    return runs
  }
}
