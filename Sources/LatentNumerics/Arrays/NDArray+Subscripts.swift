// Reading parts by brackets, and classes as rows of ones and zeros.

extension NDArray {
  /// What stands at these positions of the first axes, which go away: `x[2]` is a row of a matrix,
  /// `x[2, 0]` one of its elements. Traps outside of `0..<size`.
  public subscript(
    first: Int, others: Int..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> NDArray {
    let positions = [first] + others
    requirePositions(positions, file: file, line: line)
    let rest = shape[positions.count..<shape.rank]
    let row = zip(positions, shape.dimensions).reduce(0) { $0 * $1.1 + $1.0 }
    return view(from: row * rest.count, shape: rest)
  }

  /// Rows of the first axis: `x[1..<3]`, `x[2...]`. Traps outside of `0..<size`.
  public subscript(rows: some RangeExpression<Int>) -> NDArray {
    require(shape.rank > 0, "rows of an array of shape \(shape)")
    return self.rows(rows.relative(to: 0..<shape[0]))
  }

  /// Traps unless there are such positions of the first axes.
  package func requirePositions(
    _ positions: [Int], file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      positions.count <= shape.rank
        && positions.indices.allSatisfy { (0..<shape[$0]).contains(positions[$0]) },
      "position \(positions) of an array of shape \(shape)", file: file, line: line)
  }

  /// 1 at the class of each label and 0 elsewhere: int32 `[...]` -> `[..., classes]`. Traps, naming it,
  /// on a label that is no class.
  public static func oneHot(
    _ labels: NDArray, classes: Int, _ dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> NDArray {
    require(
      labels.dtype == .int32 && classes >= 0,
      "oneHot of labels of \(labels.dtype) in \(classes) classes: expected int32", file: file,
      line: line)
    let numbers = labels.int32s
    if let other = numbers.first(where: { !(0..<classes).contains(Int($0)) }) {
      fatalError("oneHot: label \(other) of \(classes) classes", file: file, line: line)
    }
    var ones = [Float](repeating: 0, count: numbers.count * classes)
    for (row, label) in numbers.enumerated() { ones[row * classes + Int(label)] = 1 }
    return NDArray(ones, shape: labels.shape.appending(classes)).converted(to: dtype)
  }
}
