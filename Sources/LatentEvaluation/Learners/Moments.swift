import LatentAutodiff
import LatentNumerics

/// Means and covariances of the columns of a table, with weights where examples count more than once: one product, from
/// which everything linear follows.
struct Moments: Sendable {
  private let gram: [Double]
  /// The number of columns.
  let size: Int
  /// The sum of the weights.
  let count: Double

  /// Of `table` `[examples, columns]`. The table is centred first, so that nothing cancels.
  init(_ table: Tensor, weights: [Double]? = nil) {
    let wide = table.detached.converted(to: .float64)
    let (rows, columns) = (wide.shape[0], wide.shape[1])
    let centered = Tensor.concatenate(
      [wide - wide.mean(axes: [0]), .ones([rows, 1], .float64)], axis: 1)
    let weighted = weights.map { centered * Tensor(NDArray($0, shape: [rows, 1])) } ?? centered
    gram = matmul(weighted, centered, transpose: .left).doubles
    size = columns
    count = gram[gram.count - 1]
  }

  /// The covariance of two columns (divisor: the sum of the weights).
  func covariance(_ first: Int, _ second: Int) -> Double {
    let width = size + 1
    let mean = (gram[first * width + size] / count, gram[second * width + size] / count)
    return gram[first * width + second] / count - mean.0 * mean.1
  }

  /// Pearson's correlation of two columns; 0 where one of them has a variance below 1e-12.
  func correlation(_ first: Int, _ second: Int) -> Double {
    let (a, b) = (covariance(first, first), covariance(second, second))
    guard a > Moments.leastVariance && b > Moments.leastVariance else { return 0 }
    return covariance(first, second) / (a * b).squareRoot()
  }

  /// Below this a column counts as constant (disentanglement_lib has the same).
  static let leastVariance = 1e-12
}
