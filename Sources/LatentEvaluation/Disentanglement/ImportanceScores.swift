// Disentanglement, completeness, informativeness (Eastwood and Williams 2018) and explicitness and size (Eastwood et
// al. 2023) by boosted trees.

import Foundation
import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func trees(
    _ name: String, _ title: String, _ formula: String, paper: String, chance: String,
    ceiling: String = "1"
  ) -> Metric {
    Metric(
      "dci-\(name)", title: title,
      formula: formula + "; gradient-boosted trees (100 rounds, depth 3, rate 0.1, 256 bins)",
      paper: paper, unit: .share, better: .higher, chance: chance, ceiling: ceiling,
      cost: "O(rounds levels examples latents)",
      test: "LatentEvaluationTests/DisentanglementTableTests.swift")
  }

  /// Whether each code matters for one factor, by trees: ``ImportanceScores``.
  public static let disentanglementByTrees = trees(
    "disentanglement", "DCI disentanglement",
    "sum_i rho_i (1 - H_K(R_i. / sum_j R_ij)), rho_i the code's share of all importance R by impurity",
    paper: "Eastwood and Williams 2018, section 2; disentanglement_lib", chance: "about 0")

  /// Whether each factor has one code, by trees: ``ImportanceScores``.
  public static let completenessByTrees = trees(
    "completeness", "DCI completeness",
    "sum_j rho_j (1 - H_d(R_.j / sum_i R_ij)), rho_j the factor's share of all importance R by impurity",
    paper: "Eastwood and Williams 2018, section 2; disentanglement_lib", chance: "about 0")

  /// How well trees know the factors: ``ImportanceScores``.
  public static let informativenessByTrees = trees(
    "informativeness", "DCI informativeness",
    "mean over factors of the accuracy on examples not fitted to; binomial standard error",
    paper: "Eastwood and Williams 2018, section 2; disentanglement_lib",
    chance: "the share of the most frequent level")

  /// How few rounds of trees know the factors: ``ImportanceScores``.
  public static let explicitnessByTrees = trees(
    "explicitness", "DCI-ES explicitness",
    """
    mean over factors of 1 - 2 A / (l_b log rounds): A the area under the lowest error so far over the log of the \
    number of rounds from 1, l_b the error of the most frequent level, the ideal error 0
    """,
    paper: "Eastwood et al. 2023, equation 4, capacity by rounds", chance: "-1")

  /// Factors for each code: ``ImportanceScores``.
  public static let representationSize = trees(
    "size", "DCI-ES size", "factors / latents",
    paper: "Eastwood et al. 2023, section 4", chance: "does not depend on what is known")
}

/// The DCI scores and their extension by explicitness and size, from one ensemble of boosted trees for each factor.
public struct ImportanceScores: DisentanglementMetric {
  /// Rounds of boosting.
  public var rounds = 100
  /// The depth of a tree.
  public var depth = 3
  /// How much of a tree is added.
  public var rate = 0.1

  public static var metrics: [Metric] {
    [
      .disentanglementByTrees, .completenessByTrees, .informativenessByTrees, .explicitnessByTrees,
      .representationSize,
    ]
  }

  /// With the settings of disentanglement_lib.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    var columns: [[Double]] = []
    var accuracies: [Double] = []
    var explicitness: [Double] = []
    for factor in data.factors.indices {
      let trees = BoostedTrees(
        data.train.codes, labels: data.train.levels[factor], classes: data.factors[factor].levels,
        trees: rounds, depth: depth, rate: rate)
      columns.append(trees.importances)
      let errors = trees.errors(on: data.test.codes, labels: data.test.levels[factor])
      accuracies.append(1 - errors[errors.count - 1])
      explicitness.append(
        ImportanceScores.explicitness(errors: errors, baseline: 1 - data.majorityShare(factor)))
    }
    let importances = Importances((0..<data.latents).map { latent in columns.map { $0[latent] } })
    let own = ["rounds": "\(rounds)", "depth": "\(depth)", "rate": "\(rate)"]
    func measurement(
      _ metric: Metric, _ value: Double, part: String? = nil, chance: Double?
    ) -> MetricValue {
      MetricValue(
        metric, part: part, value, chance: chance, ceiling: 1, count: data.train.count,
        settings: data.settings(own))
    }
    var result: [MetricValue] = []
    if let value = importances.disentanglement {
      result.append(measurement(.disentanglementByTrees, value, chance: 0))
    }
    if let value = importances.completeness, let parts = importances.completenesses {
      result.append(measurement(.completenessByTrees, value, chance: 0))
      for (factor, part) in zip(data.factors, parts) {
        result.append(measurement(.completenessByTrees, part, part: factor.name, chance: 0))
      }
    }
    result += data.accuracies(.informativenessByTrees, accuracies, settings: own)
    result.append(measurement(.explicitnessByTrees, ScoreMath.mean(explicitness), chance: -1))
    for (factor, part) in zip(data.factors, explicitness) {
      result.append(measurement(.explicitnessByTrees, part, part: factor.name, chance: -1))
    }
    let size = Double(data.factors.count) / Double(data.latents)
    return result + [measurement(.representationSize, size, chance: nil)]
  }

  /// How early the error falls: 1 where it is 0 from the first round, 0 where it falls in a line from the baseline to
  /// 0, -1 where it never falls.
  static func explicitness(errors: [Double], baseline: Double) -> Double {
    guard errors.count > 1, baseline > 0 else { return errors.last == 0 ? 1 : -1 }
    var lowest = min(baseline, errors[0])
    var area = 0.0
    for round in 1..<errors.count {
      let next = min(lowest, errors[round])
      area += (lowest + next) / 2 * log(Double(round + 1) / Double(round))
      lowest = next
    }
    return 1 - 2 * area / (baseline * log(Double(errors.count)))
  }
}
