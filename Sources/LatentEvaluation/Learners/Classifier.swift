// What small learners have in common. They are here because scores of disentanglement are accuracies and importances of
// such learners: another implementation of a learner is another score, so the library brings its own, without chance.

import LatentAutodiff
import LatentNumerics

/// What tells classes from features.
public protocol Classifier: Sendable {
  /// The class, from 0, of each row of `features` `[examples, dimensions]`.
  func classes(of features: Tensor) -> [Int]
}

extension Classifier {
  /// The share of rows of `features` `[examples, dimensions]` whose class is that of `labels`.
  public func accuracy(on features: Tensor, labels: [Int]) -> Double {
    let found = classes(of: features)
    require(
      found.count == labels.count && !labels.isEmpty,
      "the accuracy on \(found.count) examples of \(labels.count) labels")
    return Double(zip(found, labels).count(where: { $0 == $1 })) / Double(labels.count)
  }
}

/// Traps unless `features` are a table with a label from `0..<classes` for each row.
func requireExamples(
  _ features: Tensor, _ labels: [Int], classes: Int, _ learner: StaticString,
  file: StaticString, line: UInt
) {
  require(
    features.rank == 2 && features.shape[0] == labels.count && !labels.isEmpty && classes >= 1
      && labels.allSatisfy { (0..<classes).contains($0) },
    "\(learner) of \(classes) classes from features \(features.shape) and \(labels.count) labels",
    file: file, line: line)
}

/// Columns brought to mean 0 and variance 1 (divisor n), those of one value to 0.
struct Standardization: Sendable {
  let mean, scale: Tensor

  /// As `columns` `[examples, dimensions]` have it.
  init(of columns: Tensor) {
    let wide = columns.detached.converted(to: .float64)
    mean = wide.mean(axes: [0])
    let deviations = wide.variance(axes: [0]).doubles.map { $0.squareRoot() }
    // What is left of a column of one value is the rounding of its mean.
    let factors = zip(deviations, mean.doubles).map { deviation, mean in
      deviation > 1e-12 * Swift.abs(mean) ? 1 / deviation : 0
    }
    scale = Tensor(NDArray(factors))
  }

  /// Other rows by the same numbers, float64.
  func callAsFunction(_ columns: Tensor) -> Tensor {
    (columns.detached.converted(to: .float64) - mean) * scale
  }
}
