// Reading parts by brackets; derivatives pass to the part that was read.

import LatentNumerics

extension Tensor {
  /// What stands at these positions of the first axes, which go away: `x[2]` is a row of a matrix,
  /// `x[2, 0]` one of its elements. Other axes are read by `selecting` and `sliced`. Traps outside of
  /// `0..<size`.
  public subscript(
    first: Int, others: Int..., file file: StaticString = #fileID, line line: UInt = #line
  ) -> Tensor {
    let positions = [first] + others
    array.requirePositions(positions, file: file, line: line)
    return positions.reduce(self) { $0.selecting($1) }
  }

  /// Rows of the first axis: `x[1..<3]`, `x[2...]`. Traps outside of `0..<size`.
  public subscript(rows: some RangeExpression<Int>) -> Tensor {
    require(rank > 0, "rows of a tensor of shape \(shape)")
    return sliced(0, rows.relative(to: 0..<shape[0]))
  }

  /// 1 at the class of each label and 0 elsewhere: int32 `[...]` -> `[..., classes]`; no derivative.
  /// Traps, naming it, on a label that is no class.
  public static func oneHot(
    _ labels: Tensor, classes: Int, _ dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    Tensor(NDArray.oneHot(labels.array, classes: classes, dtype, file: file, line: line))
  }
}
