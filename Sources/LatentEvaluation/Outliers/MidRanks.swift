// Ranks with ties: what tests and curves that only look at order are made of.

/// The rank of each value among all, from 1; equal values have the mean of the ranks that they take.
struct MidRanks {
  /// In the order of the values.
  let values: [Double]
  /// The sum of t³ - t over groups of t equal values, which variances of rank sums allow for.
  let tieSum: Double

  init(_ numbers: [Double]) {
    let order = numbers.indices.sorted { numbers[$0] < numbers[$1] }
    var ranks = [Double](repeating: 0, count: numbers.count)
    var (start, ties) = (0, 0.0)
    while start < order.count {
      var end = start + 1
      while end < order.count && numbers[order[end]] == numbers[order[start]] { end += 1 }
      // Places start + 1 ... end.
      for place in start..<end { ranks[order[place]] = Double(start + 1 + end) / 2 }
      let size = Double(end - start)
      ties += size * size * size - size
      start = end
    }
    values = ranks
    tieSum = ties
  }
}
