// How easily factors, or labels, are read off all codes together.

import LatentAutodiff
import LatentNumerics

extension Metric {
  private static let linear = """
    ; multinomial logistic regression on standardised codes (penalty 1), on examples not fitted to
    """

  /// Areas under curves of a linear classifier: ``LinearReadout``.
  public static let explicitness = Metric(
    "explicitness", title: "explicitness",
    formula: """
      mean over factors of the mean over their levels of the area under the ROC curve of a level's probability, ties \
      1/2
      """ + linear,
    paper: "Ridgeway and Mozer 2018, section 4; disentanglement_lib", unit: .share, better: .higher,
    chance: "1/2", ceiling: "1, also of any rotated code",
    cost: "O(iterations examples latents levels)",
    test: "LatentEvaluationTests/DisentanglementTableTests.swift")

  /// Information that a linear classifier can use: ``LinearReadout``.
  public static let informationExplicitness = Metric(
    "infoe", title: "InfoMEC explicitness",
    formula: """
      mean over factors of 1 - L / L_0, L the mean -log probability of the true level and L_0 that of the levels' \
      shares among the examples that were fitted to
      """ + linear,
    paper: "Hsu et al. 2023 (Disentanglement via latent quantization), section 4, with a penalty",
    unit: .share, better: .higher, chance: "0", ceiling: "1",
    cost: "O(iterations examples latents levels)",
    test: "LatentEvaluationTests/DisentanglementTests.swift")

  /// Accuracy of a linear classifier: ``LinearReadout``.
  public static let linearProbe = Metric(
    "linear-probe", title: "linear probe",
    formula: "accuracy of the most probable level; binomial standard error" + linear,
    paper: "Alain and Bengio 2017", unit: .share, better: .higher,
    chance: "the share of the most frequent level", ceiling: "1",
    cost: "O(iterations examples latents levels)",
    test: "LatentEvaluationTests/DisentanglementTests.swift")

  /// Accuracy of the nearest codes: ``NeighborReadout``.
  public static let neighborProbe = Metric(
    "knn-probe", title: "nearest-neighbour probe",
    formula: """
      accuracy of the level that most of the 5 nearest codes have (Euclidean, codes as they are), on examples that \
      are not among them; binomial standard error
      """,
    paper: "Cover and Hart 1967", unit: .share, better: .higher,
    chance: "the share of the most frequent level", ceiling: "1",
    cost: "O(examples^2 latents)", test: "LatentEvaluationTests/DisentanglementTests.swift")
}

/// What a linear classifier reads off the codes: areas under curves, accuracies, usable information.
public struct LinearReadout: DisentanglementMetric {
  /// The price of weights.
  public var penalty = 1.0

  public static var metrics: [Metric] { [.explicitness, .informationExplicitness, .linearProbe] }

  /// With a penalty of 1.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    var areas: [Double] = []
    var shares: [Double] = []
    var accuracies: [Double] = []
    for factor in data.factors.indices {
      let classes = data.factors[factor].levels
      let labels = data.test.levels[factor]
      let classifier = LogisticRegression(
        data.train.codes, labels: data.train.levels[factor], classes: classes, penalty: penalty)
      let logs = classifier.logProbabilities(of: data.test.codes)
      let columns = logs.transposed.array
      areas.append(
        ScoreMath.mean(
          (0..<classes).compactMap { level in
            Ranks.areaUnderCurve(
              columns.rows(level..<level + 1).doubles, isPositive: labels.map { $0 == level })
          }))
      let found = logs.argMax(axis: 1).array.int32s
      accuracies.append(
        Double(zip(found, labels).count(where: { Int($0) == $1 })) / Double(labels.count))
      let targets = Tensor(NDArray(labels.map { Int32($0) }))
      let loss = -categoricalLogProbability(logits: logs, targets: targets).mean().item
      shares.append(1 - loss / priorLoss(factor, data))
    }
    let own = ["penalty": "\(penalty)"]
    func measurements(_ metric: Metric, _ values: [Double], chance: Double) -> [MetricValue] {
      ([nil] + data.factors.map { $0.name }).enumerated().map { index, part in
        MetricValue(
          metric, part: part, index == 0 ? ScoreMath.mean(values) : values[index - 1],
          chance: chance, ceiling: 1, count: data.test.count, settings: data.settings(own))
      }
    }
    return measurements(.explicitness, areas, chance: 0.5)
      + measurements(.informationExplicitness, shares, chance: 0)
      + data.accuracies(.linearProbe, accuracies, settings: own)
  }

  /// The loss of who knows how frequent levels are, each counted once more than it is so that none is impossible.
  private func priorLoss(_ factor: Int, _ data: FactoredCodes) -> Double {
    let classes = data.factors[factor].levels
    var counts = [Double](repeating: 1, count: classes)
    for level in data.train.levels[factor] { counts[level] += 1 }
    let logs = log(Tensor(NDArray(counts.map { $0 / Double(data.train.count + classes) })))
    let targets = Tensor(NDArray(data.test.levels[factor].map { Int32($0) }))
    return -logs.gathering(targets).mean().item
  }
}

/// What the nearest codes say.
public struct NeighborReadout: DisentanglementMetric {
  /// How many neighbours vote.
  public var neighbors = 5

  public static var metrics: [Metric] { [.neighborProbe] }

  /// With 5 neighbours.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let nearest = ExactNeighbors(data.train.codes.array)
      .nearest(min(neighbors, data.train.count), to: data.test.codes.array)
    let accuracies = data.factors.indices.map { factor in
      let found = NeighborClassifier.votes(of: nearest, labels: data.train.levels[factor])
      let right = zip(found, data.test.levels[factor]).count(where: { $0 == $1 })
      return Double(right) / Double(data.test.count)
    }
    return data.accuracies(.neighborProbe, accuracies, settings: ["neighbors": "\(neighbors)"])
  }
}
