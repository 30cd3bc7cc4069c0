// Classes by a linear function of features and a softmax, the most probable one under a normal prior of the weights.

import LatentAutodiff
import LatentNumerics
import LatentOptimizers

/// Multinomial logistic regression: the weights W and intercepts b with the smallest
///
///     sum_n -log softmax(x_n W + b)[y_n] + penalty / 2 |W|^2,
///
/// as scikit-learn has it for three classes and more (`C` is `1 / penalty`). Two classes have a softmax too.
public struct LogisticRegression: Classifier {
  /// float64, `[dimensions, classes]`, for features that are standardised where that was asked for.
  public let weights: Tensor
  /// float64, `[classes]`.
  public let intercepts: Tensor
  private let standardization: Standardization?

  /// Fits `features` `[examples, dimensions]` with classes from `0..<classes`, by L-BFGS in float64. Features are
  /// brought to mean 0 and variance 1 first unless `standardizes` is false. Traps where labels and features do not
  /// fit, or `penalty` is negative.
  public init(
    _ features: Tensor, labels: [Int], classes: Int, penalty: Double = 1,
    standardizes: Bool = true, file: StaticString = #fileID, line: UInt = #line
  ) {
    requireExamples(
      features, labels, classes: classes, "logistic regression", file: file, line: line)
    require(
      penalty >= 0, "logistic regression with a penalty of \(penalty)", file: file, line: line)
    standardization = standardizes ? Standardization(of: features) : nil
    let x = standardization?(features) ?? features.detached.converted(to: .float64)
    let targets = Tensor(NDArray(labels.map { Int32($0) }))
    let ridge = penalty / (2 * Double(labels.count))
    let start = [
      Tensor.zeros([x.shape[1], classes], .float64), Tensor.zeros([classes], .float64),
    ]
    let found = LBFGS(iterations: 200).minimize(start) { point in
      let logits = matmul(x, point[0]) + point[1]
      return square(point[0]).sum() * ridge
        - categoricalLogProbability(logits: logits, targets: targets).mean()
    }
    (weights, intercepts) = (found.point[0].detached, found.point[1].detached)
  }

  /// log P(class | features) in nats, float64, `[examples, dimensions] -> [examples, classes]`.
  public func logProbabilities(of features: Tensor) -> Tensor {
    let x = standardization?(features) ?? features.detached.converted(to: .float64)
    return logSoftmax(matmul(x, weights) + intercepts)
  }

  public func classes(of features: Tensor) -> [Int] {
    logProbabilities(of: features).argMax(axis: 1).array.int32s.map { Int($0) }
  }
}
