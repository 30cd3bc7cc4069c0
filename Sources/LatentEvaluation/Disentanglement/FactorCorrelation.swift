// The mean correlation coefficient of identifiability (Hyvarinen and Morioka 2016; Khemakhem et al. 2020): codes are as
// good as the sources where each goes with one of them.

import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func correlation(_ name: String, _ title: String, _ of: String) -> Metric {
    Metric(
      name, title: title,
      formula: """
        mean over sources of |\(of) correlation| with the code that the one-to-one assignment with the largest sum \
        gives it, 0 of sources without a code; bootstrap standard error, chance by shuffled sources
        """,
      paper: "Hyvarinen and Morioka 2016; Khemakhem et al. 2020 (iVAE)", unit: .share,
      better: .higher, chance: "about sqrt(2 log(d) / n)", ceiling: "1",
      cost: "O(examples (latents + sources)^2)",
      test: "LatentEvaluationTests/DisentanglementTests.swift")
  }

  /// Correlation of sources with the codes assigned to them: ``FactorCorrelation``.
  public static let meanCorrelation = correlation("mcc", "mean correlation coefficient", "Pearson")

  /// The same of ranks: ``FactorCorrelation``.
  public static let meanRankCorrelation = correlation(
    "mcc-spearman", "mean correlation coefficient of ranks", "Spearman")
}

/// The mean correlation coefficient between codes and factors, or between codes of two models.
public struct FactorCorrelation: DisentanglementMetric, RepresentationComparison {
  public static var metrics: [Metric] { [.meanCorrelation, .meanRankCorrelation] }

  /// It has no settings.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    return measurements(
      data.train.codes, data.train.values, settings: data.settings(), using: &random)
  }

  public func callAsFunction(
    _ first: Tensor, _ second: Tensor, using random: inout RandomStream
  ) -> [MetricValue] {
    requireComparable(first, second)
    return measurements(
      first, second, settings: comparisonSettings(first, second), using: &random)
  }

  private func measurements(
    _ codes: Tensor, _ sources: Tensor, settings: [String: String],
    using random: inout RandomStream
  ) -> [MetricValue] {
    // The bootstrap keeps the ranks that all examples have.
    let tables = [(codes, sources), (ranks(codes), ranks(sources))]
    return zip(FactorCorrelation.metrics, tables).map { metric, table in
      let score = resampled(codes.shape[0], using: &random) { draw in
        let moments = Moments(table.0, table.1, draw)
        let (latents, count) = (codes.shape[1], sources.shape[1])
        let scores = (0..<latents).map { latent in
          (0..<count).map { Swift.abs(moments.correlation(latent, latents + $0)) }
        }
        let assignment = Assignment.maximizing(scores)
        let sum = zip(scores, assignment).reduce(0) { sum, row in
          row.1.map { sum + row.0[$0] } ?? sum
        }
        return [sum / Double(count)]
      }[0]
      return MetricValue(
        metric, score.value, standardError: score.standardError, chance: score.chance, ceiling: 1,
        count: codes.shape[0], settings: settings)
    }
  }
}

/// The ranks of each column, float64.
func ranks(_ table: Tensor) -> Tensor {
  let columns = table.detached.converted(to: .float64).transposed.array
  let ranks = (0..<table.shape[1]).flatMap { Ranks.averaged(columns.rows($0..<$0 + 1).doubles) }
  return Tensor(NDArray(ranks, shape: [table.shape[1], table.shape[0]])).transposed
}
