// Nearest neighbours by Euclidean distance: what a search returns, and the search that compares with all.

import CLatentKernels

/// The vectors nearest to some others, the nearest first.
public struct Neighbors: Sendable {
  /// Numbers of the vectors, int32, `[queries, wanted]`.
  public let indices: NDArray
  /// Their Euclidean distances in the units of the vectors, float32, `[queries, wanted]`.
  public let distances: NDArray

  /// The share of `others` that are among these, from 0 to 1: the recall, where `others` are exact. Traps unless both
  /// are of the same queries.
  public func recall(of others: Neighbors) -> Double {
    require(
      indices.shape[0] == others.indices.shape[0],
      "the recall of neighbours of \(others.indices.shape[0]) queries by those of \(indices.shape[0])"
    )
    let (mine, theirs) = (indices.int32s, others.indices.int32s)
    let (width, wanted) = (indices.shape[1], others.indices.shape[1])
    var found = 0
    for row in 0..<indices.shape[0] {
      let own = Set(mine[row * width..<(row + 1) * width])
      found += theirs[row * wanted..<(row + 1) * wanted].count(where: own.contains)
    }
    return theirs.isEmpty ? 1 : Double(found) / Double(theirs.count)
  }
}

/// A way to find the nearest of a table of vectors.
public protocol NeighborSearch: Sendable {
  /// The table, float32, `[vectors, size]`.
  var vectors: NDArray { get }
  /// The `wanted` vectors nearest to each of `queries` `[queries, size]`, of any floating-point type. Traps unless the
  /// sizes agree and there are so many vectors.
  func nearest(_ wanted: Int, to queries: NDArray) -> Neighbors
}

extension NeighborSearch {
  /// Queries in the type of the table, checked.
  func checked(
    _ queries: NDArray, _ wanted: Int
  ) -> NDArray {
    require(
      queries.shape.rank == 2 && queries.shape[1] == vectors.shape[1]
        && queries.dtype.isFloatingPoint && (1...max(1, vectors.shape[0])).contains(wanted),
      "the \(wanted) nearest of vectors \(vectors.shape) to \(queries.shape) of \(queries.dtype)")
    return queries.converted(to: .float32)
  }

  /// Neighbours among `candidates`, int32 `[queries, any]`: the nearest by their distances, which are computed from
  /// differences in double, so that nothing cancels. Of equal ones the first in the table comes first.
  func neighbors(_ wanted: Int, of queries: NDArray, among candidates: NDArray) -> Neighbors {
    let (count, width, size) = (queries.shape[0], candidates.shape[1], vectors.shape[1])
    let numbers = candidates.int32s
    var indices: [Int32] = []
    var distances: [Float] = []
    let block = max(1, (1 << 20) / max(1, width * size))
    for start in stride(from: 0, to: count, by: block) {
      let rows = start..<min(start + block, count)
      let found = vectors.taking(candidates.rows(rows), axis: 0).converted(to: .float64)
      let own = queries.rows(rows).converted(to: .float64).reshaped([rows.count, 1, size])
      let squares = found.binary(.subtract, own)
        .reduced(.sumOfSquares, axes: [2], keepingDimensions: false).doubles
      for row in rows {
        let (first, place) = (row * width, (row - start) * width)
        let order = (0..<width).sorted { a, b in
          let (near, far) = (squares[place + a], squares[place + b])
          return near == far ? numbers[first + a] < numbers[first + b] : near < far
        }
        for chosen in order.prefix(wanted) {
          indices.append(numbers[first + chosen])
          distances.append(Float(squares[place + chosen].squareRoot()))
        }
      }
    }
    return Neighbors(
      indices: NDArray(indices, shape: [count, wanted]),
      distances: NDArray(distances, shape: [count, wanted]))
  }
}

/// Compares every query with every vector, by products of blocks.
public struct ExactNeighbors: NeighborSearch {
  public let vectors: NDArray
  /// The vectors without their mean, which would cost digits, and half the square of each length.
  private let centered, mean, halfSquares: NDArray

  /// Over the rows of a table `[vectors, size]` of any floating-point type. Traps where there are none.
  public init(_ vectors: NDArray, file: StaticString = #fileID, line: UInt = #line) {
    require(
      vectors.shape.rank == 2 && vectors.count > 0 && vectors.dtype.isFloatingPoint,
      "neighbours among vectors \(vectors.shape) of \(vectors.dtype)", file: file, line: line)
    self.vectors = vectors.converted(to: .float32)
    mean = self.vectors.reduced(.sum, axes: [0], keepingDimensions: true)
      .binary(.multiply, NDArray(repeating: 1 / Double(vectors.shape[0]), shape: [], .float32))
    centered = self.vectors.binary(.subtract, mean)
    halfSquares = centered.reduced(.sumOfSquares, axes: [1], keepingDimensions: false)
      .binary(.multiply, NDArray(repeating: 0.5, shape: [], .float32))
  }

  /// Candidates beyond those that are wanted: what float32 products rank wrongly by a place or two is put right by
  /// the distances of the candidates.
  private static let spare = 8
  /// Elements of a block of products.
  private static let blockElements = 1 << 22

  public func nearest(_ wanted: Int, to queries: NDArray) -> Neighbors {
    let queries = checked(queries, wanted)
    let count = vectors.shape[0]
    let block = max(1, ExactNeighbors.blockElements / count)
    var parts: [NDArray] = []
    for start in stride(from: 0, to: queries.shape[0], by: block) {
      let rows = queries.sliced(0, start..<min(start + block, queries.shape[0]))
      // The largest of q x - x^2/2 are the nearest: q^2 is the same for all.
      let nearness = rows.binary(.subtract, mean).matmul(centered, transpose: .right)
        .binary(.subtract, halfSquares)
      parts.append(nearness.largest(min(count, wanted + ExactNeighbors.spare)))
    }
    if parts.isEmpty { parts = [NDArray(repeating: 0, shape: [0, wanted], .int32)] }
    return neighbors(wanted, of: queries, among: NDArray.concatenate(parts, axis: 0))
  }
}
