// The scores of disentanglement as values of one protocol, so that who takes them needs to know none.

import LatentAutodiff
import LatentNumerics

/// A score, or several from one computation, of codes with known factors; its stored properties are its settings.
///
/// ```swift
/// let data = try FactoredCodes(codes, factors: factors, names: names, using: &random)
/// for measurement in try MutualInformationGap()(data, using: &random) { print(measurement.value) }
/// ```
public protocol DisentanglementMetric: Sendable {
  /// What it measures; the first one names it.
  static var metrics: [Metric] { get }
  /// The numbers, for all factors together first and then, where there are such, for each by its name. Empty where the
  /// factors are too few for the score to mean anything.
  ///
  /// - Throws: `NumericsError` where a decomposition of a matrix fails.
  func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) throws -> [MetricValue]
}

/// All scores of disentanglement.
public enum Disentanglement {
  /// Each with its default settings. A new one is a file, and a line here.
  public static var metrics: [any DisentanglementMetric] {
    [
      BetaVAEScore(), FactorVAEScore(), MutualInformationGap(), AttributePredictability(),
      ImportanceScores(), LinearImportanceScores(), InformationScores(), Modularity(),
      LinearReadout(), NeighborReadout(), InterventionalRobustness(), FactorCorrelation(),
      UnsupervisedScores(),
    ]
  }

  /// Takes all of them. Each has a random stream of its own, so that none changes with what else is taken; `progress`
  /// gets the name of each before it begins.
  ///
  /// - Throws: `NumericsError` where a decomposition of a matrix fails.
  public static func measure(
    _ data: FactoredCodes, using random: RandomStream,
    metrics: [any DisentanglementMetric] = Disentanglement.metrics,
    progress: (String) -> Void = { _ in }
  ) throws -> [MetricValue] {
    try metrics.flatMap { metric in
      let name = type(of: metric).metrics[0].name
      progress(name)
      var own = random.split(name)
      return try metric(data, using: &own)
    }
  }
}

extension FactoredCodes {
  /// One number of all factors and one of each, all of the part to fit to.
  func measurements(
    _ metric: Metric, _ all: Resampled, parts: [Resampled], ceilings: [Double],
    settings: [String: String]
  ) -> [MetricValue] {
    let settings = self.settings(settings)
    func measurement(_ part: String?, _ number: Resampled, _ ceiling: Double) -> MetricValue {
      MetricValue(
        metric, part: part, number.value, standardError: number.standardError,
        chance: number.chance, ceiling: ceiling, count: train.count, settings: settings)
    }
    return [measurement(nil, all, ScoreMath.mean(ceilings))]
      + factors.indices.map { measurement(factors[$0].name, parts[$0], ceilings[$0]) }
  }

  /// The share of the part for scores that has the level that is most frequent in the part to fit to: what a
  /// classifier knows without codes.
  func majorityShare(_ factor: Int) -> Double {
    var counts = [Int](repeating: 0, count: factors[factor].levels)
    for level in train.levels[factor] { counts[level] += 1 }
    let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
    return Double(test.levels[factor].count(where: { $0 == most })) / Double(test.count)
  }

  /// Accuracies on the part for scores as measurements, the mean of all factors first.
  func accuracies(
    _ metric: Metric, _ values: [Double], settings: [String: String]
  ) -> [MetricValue] {
    let settings = self.settings(settings)
    let chances = factors.indices.map(majorityShare)
    func measurement(_ part: String?, _ own: [Double], _ chance: Double) -> MetricValue {
      MetricValue(
        metric, part: part, ScoreMath.mean(own),
        standardError: ScoreMath.binomialError(own, count: test.count),
        chance: chance, ceiling: 1, count: test.count, settings: settings)
    }
    return [measurement(nil, values, ScoreMath.mean(chances))]
      + factors.indices.map { measurement(factors[$0].name, [values[$0]], chances[$0]) }
  }
}
