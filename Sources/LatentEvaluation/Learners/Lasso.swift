// Least squares with a price on the size of coefficients, so that most of them are zero (Tibshirani 1996).

import LatentAutodiff
import LatentNumerics

/// The coefficients w with the smallest `|y - X w - b|^2 / (2 n) + penalty sum |w|`, as scikit-learn's `alpha` has it,
/// by cyclic coordinate descent on covariances (Friedman, Hastie and Tibshirani 2010).
public struct Lasso: Sendable {
  /// One for each column of the features.
  public let coefficients: [Double]

  /// Of `features` `[examples, dimensions]` and one number for each example. Traps where they do not fit, or the
  /// penalty is negative.
  public init(
    _ features: Tensor, targets: [Double], penalty: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      features.rank == 2 && features.shape[0] == targets.count && !targets.isEmpty,
      "Lasso from features \(features.shape) and \(targets.count) targets", file: file, line: line)
    let x = features.detached.converted(to: .float64)
    let y = Tensor(NDArray(targets, shape: [targets.count, 1]))
    let moments = Moments(.concatenate([x, y], axis: 1))
    let size = features.shape[1]
    self.init(
      covariance: (0..<size).map { i in (0..<size).map { moments.covariance(i, $0) } },
      cross: (0..<size).map { moments.covariance($0, size) }, penalty: penalty, file: file,
      line: line)
  }

  /// Of covariances of features with each other, `[dimensions][dimensions]`, and with the targets: the smallest
  /// `w S w / 2 - c w + penalty sum |w|`. A feature without variance has the coefficient 0.
  public init(
    covariance: [[Double]], cross: [Double], penalty: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      covariance.count == cross.count && penalty >= 0,
      "Lasso of \(covariance.count) features, \(cross.count) products, penalty \(penalty)",
      file: file, line: line)
    var w = [Double](repeating: 0, count: cross.count)
    // The derivative of the smooth part with its sign turned, kept up to date.
    var rest = cross
    for _ in 0..<Lasso.sweeps {
      var largest = 0.0
      for j in w.indices where covariance[j][j] > 0 {
        let pull = rest[j] + covariance[j][j] * w[j]
        let shrunk = max(0, Swift.abs(pull) - penalty) / covariance[j][j]
        let change = (pull < 0 ? -shrunk : shrunk) - w[j]
        if change == 0 { continue }
        w[j] += change
        for k in w.indices { rest[k] -= covariance[k][j] * change }
        largest = max(largest, Swift.abs(change) * covariance[j][j].squareRoot())
      }
      if largest <= Lasso.tolerance { break }
    }
    coefficients = w
  }

  /// Sweeps over all coefficients at most: features that copy each other converge slowly.
  private static let sweeps = 10_000
  /// The largest change of a sweep, in standard deviations of the target, below which it was the last.
  private static let tolerance = 1e-13
}
