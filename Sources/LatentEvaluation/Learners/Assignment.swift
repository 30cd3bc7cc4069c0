// The best one-to-one assignment, by shortest augmenting paths (Kuhn 1955; Jonker and Volgenant 1987).

import LatentNumerics

/// Which row goes with which column.
public enum Assignment {
  /// For each row its column in the one-to-one assignment with the largest sum of scores; nil for the rows that are
  /// left over where there are more rows than columns. Takes rows^2 columns steps. Traps where rows have different
  /// lengths or scores are not finite.
  public static func maximizing(
    _ scores: [[Double]], file: StaticString = #fileID, line: UInt = #line
  ) -> [Int?] {
    let columns = scores.first?.count ?? 0
    require(
      scores.allSatisfy { $0.count == columns && $0.allSatisfy(\.isFinite) },
      "an assignment of scores that are no table of finite numbers", file: file, line: line)
    guard columns > 0 else { return scores.map { _ in nil } }
    if scores.count <= columns { return shortestPaths(scores).map { $0 } }
    let turned = (0..<columns).map { column in scores.map { $0[column] } }
    var result = [Int?](repeating: nil, count: scores.count)
    for (column, row) in shortestPaths(turned).enumerated() { result[row] = column }
    return result
  }

  /// The column of each row, of no more rows than columns. Potentials of rows and columns keep all reduced costs
  /// non-negative; each row is added by the cheapest path to a free column (Dijkstra).
  private static func shortestPaths(_ scores: [[Double]]) -> [Int] {
    let (rows, columns) = (scores.count, scores[0].count)
    // Row and column 0 stand for "none".
    var rowPotential = [Double](repeating: 0, count: rows + 1)
    var columnPotential = [Double](repeating: 0, count: columns + 1)
    var rowOf = [Int](repeating: 0, count: columns + 1)
    var previous = [Int](repeating: 0, count: columns + 1)
    for row in 1...rows {
      rowOf[0] = row
      var column = 0
      var cost = [Double](repeating: .infinity, count: columns + 1)
      var isReached = [Bool](repeating: false, count: columns + 1)
      repeat {
        isReached[column] = true
        let current = rowOf[column]
        var (shortest, next) = (Double.infinity, 0)
        for other in 1...columns where !isReached[other] {
          let reduced =
            -scores[current - 1][other - 1] - rowPotential[current] - columnPotential[other]
          if reduced < cost[other] { (cost[other], previous[other]) = (reduced, column) }
          if cost[other] < shortest { (shortest, next) = (cost[other], other) }
        }
        for other in 0...columns {
          if isReached[other] {
            rowPotential[rowOf[other]] += shortest
            columnPotential[other] -= shortest
          } else {
            cost[other] -= shortest
          }
        }
        column = next
      } while rowOf[column] != 0
      while column != 0 {
        rowOf[column] = rowOf[previous[column]]
        column = previous[column]
      }
    }
    var result = [Int](repeating: 0, count: rows)
    for column in 1...columns where rowOf[column] > 0 { result[rowOf[column] - 1] = column - 1 }
    return result
  }
}
