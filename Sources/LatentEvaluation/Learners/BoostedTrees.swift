// Gradient boosting of small trees for classes (Friedman 2001, algorithm 6), without any chance: no subsamples, and of
// splits that are as good as each other always the same one.

import Foundation
import LatentAutodiff
import LatentNumerics

/// Gradient-boosted trees for classes under the logarithmic loss, with the settings of scikit-learn's
/// `GradientBoostingClassifier`: 100 rounds of one tree for each class (one tree for two classes), depth 3, rate 0.1.
///
/// Features of more than 256 different values are split between 256 quantiles.
public struct BoostedTrees: Classifier {
  /// How much of the fall of all residuals' sum of squares is due to each feature, summing to 1 (the importance by
  /// impurity, Breiman et al. 1984); all 0 where no tree has a split.
  public let importances: [Double]
  private let rate: Double
  /// The scores before the first tree.
  private let prior: [Double]
  /// For each round a tree for each score.
  private let trees: [[RegressionTree]]

  /// Fits `features` `[examples, dimensions]` with classes from `0..<classes`, of which some may have no examples.
  /// Traps where labels and features do not fit, or `depth` is not in 1...7.
  public init(
    _ features: Tensor, labels: [Int], classes: Int, trees rounds: Int = 100, depth: Int = 3,
    rate: Double = 0.1, file: StaticString = #fileID, line: UInt = #line
  ) {
    requireExamples(features, labels, classes: classes, "boosted trees", file: file, line: line)
    require(
      classes > 1 && rounds > 0 && (1...7).contains(depth) && rate > 0,
      "\(rounds) boosted trees of depth \(depth) at a rate of \(rate) for \(classes) classes",
      file: file, line: line)
    var counts = [Double](repeating: 0, count: classes)
    for label in labels { counts[label] += 1 }
    let isBinary = classes == 2
    // Log priors; a class without examples has a score that no round changes much.
    let logs = counts.map { log(max($0, 1e-9) / Double(labels.count)) }
    prior = isBinary ? [logs[1] - logs[0]] : logs
    self.rate = rate
    let data = BinnedFeatures(features)
    var boosting = Boosting(data: data, labels: labels, prior: prior)
    var trees: [[RegressionTree]] = []
    for _ in 0..<rounds { trees.append(boosting.round(depth: depth, rate: rate)) }
    self.trees = trees
    // Trees without a split say nothing of importance, and the mean over the others does not count them.
    var sums = [Double](repeating: 0, count: features.shape[1])
    for tree in trees.joined() {
      for (feature, gain) in tree.gains.enumerated() { sums[feature] += gain }
    }
    let total = sums.reduce(0, +)
    importances = total > 0 ? sums.map { $0 / total } : sums
  }

  public func classes(of features: Tensor) -> [Int] {
    var result: [Int] = []
    forEachRound(features) { result = $0 }
    return result
  }

  /// The share of rows of `features` `[examples, dimensions]` whose class is wrong, after 1, 2, ... rounds.
  public func errors(on features: Tensor, labels: [Int]) -> [Double] {
    var errors: [Double] = []
    forEachRound(features) { found in
      let wrong = zip(found, labels).count(where: { $0 != $1 })
      errors.append(Double(wrong) / Double(labels.count))
    }
    return errors
  }

  /// Calls `body` with the classes that the first 1, 2, ... rounds give the rows of `features`.
  private func forEachRound(_ features: Tensor, _ body: ([Int]) -> Void) {
    let table = features.detached.converted(to: .float64).doubles
    let (count, size) = (features.shape[0], features.shape[1])
    let outputs = prior.count
    var scores = (0..<count).flatMap { _ in prior }
    var classes = [Int](repeating: 0, count: count)
    table.withUnsafeBufferPointer { table in
      scores.withUnsafeMutableBufferPointer { scores in
        for round in trees {
          classes.withUnsafeMutableBufferPointer { classes in
            let table = table.baseAddress.unsafelyUnwrapped
            let scores = scores.baseAddress.unsafelyUnwrapped
            let classes = classes.baseAddress.unsafelyUnwrapped
            forPieces(of: count) { rows in
              for output in 0..<outputs {
                round[output].add(
                  rate, of: table, size: size, rows: rows, to: scores + output, stride: outputs)
              }
              for row in rows {
                let own = scores + row * outputs
                var best = 0
                if outputs == 1 {
                  best = own[0] > 0 ? 1 : 0
                } else {
                  for output in 1..<outputs where own[output] > own[best] { best = output }
                }
                classes[row] = best
              }
            }
          }
          body(Array(classes))
        }
      }
    }
  }
}

/// Runs `body` over `0..<count` in pieces on all threads.
private func forPieces(of count: Int, _ body: (Range<Int>) -> Void) {
  let piece = 512
  parallelFor((count + piece - 1) / piece) { index in
    body(index * piece..<min(count, (index + 1) * piece))
  }
}

/// The state of boosting: what the trees so far say of each example.
private struct Boosting {
  let data: BinnedFeatures
  let labels: [Int]
  let outputs: Int
  /// Score by score, one for each example.
  var scores, residuals: [Double]

  init(data: BinnedFeatures, labels: [Int], prior: [Double]) {
    (self.data, self.labels, outputs) = (data, labels, prior.count)
    scores = prior.flatMap { [Double](repeating: $0, count: labels.count) }
    residuals = scores
  }

  /// Adds a tree for each score.
  mutating func round(depth: Int, rate: Double) -> [RegressionTree] {
    setResiduals()
    let count = labels.count
    // The step to the leaf's minimum of the loss by Newton; with a softmax over K scores (K - 1) / K of it.
    let part = outputs == 1 ? 1 : Double(outputs - 1) / Double(outputs)
    var trees = [RegressionTree?](repeating: nil, count: outputs)
    trees.withUnsafeMutableBufferPointer { trees in
      scores.withUnsafeMutableBufferPointer { scores in
        residuals.withUnsafeBufferPointer { residuals in
          let trees = trees.baseAddress.unsafelyUnwrapped
          let scores = scores.baseAddress.unsafelyUnwrapped
          let residuals = residuals.baseAddress.unsafelyUnwrapped
          parallelFor(outputs) { output in
            let own = residuals + output * count
            let places = UnsafeMutablePointer<UInt8>.allocate(capacity: count)
            defer { places.deallocate() }
            var tree = RegressionTree(data, residuals: own, depth: depth, places: places)
            var sums = [Double](repeating: 0, count: 1 << depth)
            var curvatures = sums
            for example in 0..<count {
              let residual = own[example]
              let size = Swift.abs(residual)
              sums[Int(places[example])] += residual
              curvatures[Int(places[example])] += size * (1 - size)
            }
            let leaves = zip(sums, curvatures).map { $1 > 1e-150 ? part * $0 / $1 : 0 }
            tree.setLeaves(leaves)
            let mine = scores + output * count
            for example in 0..<count { mine[example] += rate * leaves[Int(places[example])] }
            trees[output] = tree
          }
        }
      }
    }
    return trees.compactMap { $0 }
  }

  /// What is true less its probability.
  private mutating func setResiduals() {
    let table = NDArray(scores, shape: [outputs, labels.count])
    let probabilities =
      outputs == 1
      ? table.unary(.sigmoid) : table.transposed.softmax(logarithm: false).transposed
    residuals = probabilities.unary(.negate).doubles
    for (row, label) in labels.enumerated() {
      if outputs > 1 {
        residuals[label * labels.count + row] += 1
      } else if label == 1 {
        residuals[row] += 1
      }
    }
  }
}
