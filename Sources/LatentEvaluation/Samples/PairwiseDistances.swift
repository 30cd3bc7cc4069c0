// Distances of every pair, from differences and never from products: whether an example lies in a ball is decided by a
// strict comparison, and |a|² - 2ab + |b|² would decide it by rounding.

import LatentNumerics

/// The squared Euclidean distances from one table of rows to another.
struct PairwiseDistances {
  /// The table that distances are to, columns first: `[d, m]`, so that the loop over its rows is one over neighbours in
  /// memory.
  private let columns: NDArray
  /// The rows of the table, and the numbers of each.
  let count, size: Int

  /// To the rows of a float64 table `[m, d]`.
  init(to table: NDArray) {
    columns = table.transposed
    (count, size) = (table.shape[0], table.shape[1])
  }

  /// Rows that one task takes: each reads the table once.
  private static let block = 16
  /// Bytes of the table that stay in a processor's cache.
  private static let tileBytes = 1 << 17

  /// Calls `body` once for each of the rows `[n, d]`, in any order and from several threads, with its number and its
  /// squared distances to the table.
  ///
  /// The distance from a to b has the bits of that from b to a, whatever the other rows.
  func forEach(
    of rows: NDArray, _ body: (Int, UnsafeMutableBufferPointer<Double>) -> Void
  ) {
    let rowCount = rows.shape[0]
    let tile = max(64, PairwiseDistances.tileBytes / 8 / max(1, size))
    rows.withUnsafeElements(of: Double.self) { rows in
      columns.withUnsafeElements(of: Double.self) { columns in
        guard let from = rows.baseAddress, let to = columns.baseAddress else { return }
        let blocks = (rowCount + PairwiseDistances.block - 1) / PairwiseDistances.block
        parallelFor(blocks) { block in
          let first = block * PairwiseDistances.block
          let height = min(PairwiseDistances.block, rowCount - first)
          let squares = UnsafeMutableBufferPointer<Double>.allocate(capacity: height * count)
          defer { squares.deallocate() }
          squares.initialize(repeating: 0)
          guard let sums = squares.baseAddress else { return }
          for start in stride(from: 0, to: count, by: tile) {
            let width = min(tile, count - start)
            for row in 0..<height {
              let target = sums + row * count + start
              for axis in 0..<size {
                let value = from[(first + row) * size + axis]
                let others = to + axis * count + start
                for column in 0..<width {
                  let difference = others[column] - value
                  target[column] += difference * difference
                }
              }
            }
          }
          for row in 0..<height {
            body(
              first + row,
              UnsafeMutableBufferPointer(rebasing: squares[row * count..<(row + 1) * count]))
          }
        }
      }
    }
  }

  /// One number for each row, from its number and its squared distances.
  func map(
    _ rows: NDArray, _ body: (Int, UnsafeMutableBufferPointer<Double>) -> Double
  ) -> [Double] {
    var results = [Double](repeating: 0, count: rows.shape[0])
    results.withUnsafeMutableBufferPointer { results in
      nonisolated(unsafe) let results = results
      forEach(of: rows) { results[$0] = body($0, $1) }
    }
    return results
  }

  /// The squared distances from each row of a table to its k nearest among the others, ascending, row by row:
  /// `rows * k` numbers. Where there are fewer others, the rest is infinite.
  static func neighbors(_ k: Int, within table: NDArray) -> [Double] {
    var found = [Double](repeating: .infinity, count: table.shape[0] * k)
    found.withUnsafeMutableBufferPointer { found in
      nonisolated(unsafe) let found = found
      PairwiseDistances(to: table).forEach(of: table) { row, squares in
        squares[row] = .infinity
        for (place, square) in smallest(k, of: squares).enumerated() {
          found[row * k + place] = square
        }
      }
    }
    return found
  }
}

/// The k smallest of `values`, ascending.
func smallest(_ k: Int, of values: UnsafeMutableBufferPointer<Double>) -> [Double] {
  var found: [Double] = []
  for value in values where found.count < k || value < found[k - 1] {
    let place = found.firstIndex { $0 > value } ?? found.count
    found.insert(value, at: place)
    if found.count > k { found.removeLast() }
  }
  return found
}
