// Separated attribute predictability (Kumar et al. 2018): how much better the best code knows a factor than the second.

import LatentAutodiff
import LatentNumerics

extension Metric {
  /// The gap of squared correlations: ``AttributePredictability``.
  public static let attributePredictability = Metric(
    "sap", title: "separated attribute predictability",
    formula: """
      mean over factors of the largest less the second largest squared Pearson correlation of a code with the \
      factor's values (0 below a variance of 1e-12); bootstrap standard error, chance by shuffled factors
      """,
    paper: "Kumar et al. 2018, section 3, continuous form", unit: .share, better: .higher,
    chance: "the floor that so many examples have, about 1 / n", ceiling: "1",
    cost: "O(examples (latents + factors)^2)",
    test: "LatentEvaluationTests/DisentanglementTableTests.swift")

  /// The gap of accuracies on one code: ``AttributePredictability``.
  public static let attributePredictabilityBySVM = Metric(
    "sap-svm", title: "separated attribute predictability, linear SVM",
    formula: """
      mean over factors of the largest less the second largest accuracy of a linear SVM on one standardised code \
      (squared hinge, cost 0.01, balanced, one class against the rest, regularised intercept); standard error of \
      the paired differences
      """,
    paper: "Kumar et al. 2018, section 3; disentanglement_lib", unit: .share, better: .higher,
    chance: "about 0",
    ceiling: "of evenly spaced levels less the most frequent level's share: 0.3 rather than 1",
    cost: "O(examples latents levels)",
    test: "LatentEvaluationTests/DisentanglementTableTests.swift")
}

/// Separated attribute predictability, by correlation and by linear support vectors. On one code a linear classifier
/// can tell the outer classes from the rest but not the inner ones, so the second form is far from 1 for codes that
/// are perfect.
public struct AttributePredictability: DisentanglementMetric {
  /// The cost of a mistake of the support vector machine.
  public var cost = 0.01

  public static var metrics: [Metric] { [.attributePredictability, .attributePredictabilityBySVM] }

  /// With a cost of 0.01.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let scores = resampled(data.train.count, using: &random) { draw in
      let moments = Moments(data.train.codes, data.train.values, draw)
      let gaps = data.factors.indices.map { factor in
        let top = ScoreMath.largestTwo(
          (0..<data.latents).map { latent in
            let correlation = moments.correlation(latent, data.latents + factor)
            return correlation * correlation
          })
        return top.first - top.second
      }
      return [ScoreMath.mean(gaps)] + gaps
    }
    return data.measurements(
      .attributePredictability, scores[0], parts: Array(scores.dropFirst()),
      ceilings: data.factors.map { _ in 1 }, settings: [:]) + byVectors(data)
  }

  private func byVectors(_ data: FactoredCodes) -> [MetricValue] {
    let standardization = Standardization(of: data.train.codes)
    let (train, test) = (standardization(data.train.codes), standardization(data.test.codes))
    var differences: [[Double]] = []
    var ceilings: [Double] = []
    for factor in data.factors.indices {
      var right = (0..<data.latents).map { latent in
        isRight(
          train.sliced(1, latent..<latent + 1), test.sliced(1, latent..<latent + 1), factor, data)
      }
      right.sort { $0.reduce(0, +) > $1.reduce(0, +) }
      let second = right.count > 1 ? right[1] : [Double](repeating: 0, count: data.test.count)
      differences.append(zip(right[0], second).map { $0 - $1 })
      let perfect = Standardization(of: levelColumn(data.train.levels[factor]))
      let best = isRight(
        perfect(levelColumn(data.train.levels[factor])),
        perfect(levelColumn(data.test.levels[factor])), factor, data)
      ceilings.append(ScoreMath.mean(best) - data.majorityShare(factor))
    }
    let settings = data.settings(["cost": "\(cost)"])
    func measurement(_ part: String?, _ own: [[Double]], _ ceiling: Double) -> MetricValue {
      // Of one example the mean over factors; examples are independent.
      let examples = (0..<data.test.count).map { n in ScoreMath.mean(own.map { $0[n] }) }
      let mean = ScoreMath.mean(examples)
      let squares = examples.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let count = Double(data.test.count)
      return MetricValue(
        .attributePredictabilityBySVM, part: part, mean,
        standardError: (squares / (count - 1) / count).squareRoot(), chance: 0, ceiling: ceiling,
        count: data.test.count, settings: settings)
    }
    return [measurement(nil, differences, ScoreMath.mean(ceilings))]
      + data.factors.indices.map {
        measurement(data.factors[$0].name, [differences[$0]], ceilings[$0])
      }
  }

  /// The levels of a factor as a code.
  private func levelColumn(_ levels: [Int]) -> Tensor {
    Tensor(NDArray(levels.map(Double.init), shape: [levels.count, 1]))
  }

  /// 1 for each example of the part for scores that a machine on one code is right about, else 0.
  private func isRight(
    _ train: Tensor, _ test: Tensor, _ factor: Int, _ data: FactoredCodes
  ) -> [Double] {
    let machine = LinearSVM(
      train, labels: data.train.levels[factor], classes: data.factors[factor].levels, cost: cost)
    return zip(machine.classes(of: test), data.test.levels[factor]).map { $0 == $1 ? 1 : 0 }
  }
}

extension Moments {
  /// Of two tables beside each other, the second one's examples shuffled where the draw says so.
  init(_ first: Tensor, _ second: Tensor, _ draw: Resample) {
    let second =
      draw.order.map { order in
        second.gathering(Tensor(NDArray(order.map { Int32($0) })))
      } ?? second
    self.init(.concatenate([first, second], axis: 1), weights: draw.weights)
  }
}
