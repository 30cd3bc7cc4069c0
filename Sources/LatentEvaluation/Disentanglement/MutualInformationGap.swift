// The mutual information gap (Chen et al. 2018) on the means of posteriors, as disentanglement_lib takes it.

import LatentNumerics

extension Metric {
  /// How much more one code tells of a factor than the next: ``MutualInformationGap``.
  public static let mutualInformationGap = Metric(
    "mig", title: "mutual information gap",
    formula: """
      mean over factors of (I_1 - I_2) / H(f): the two codes that tell most of a factor; I in nats between 20 bins \
      of one width of a code and the levels of a factor, counted; bootstrap standard error, chance by shuffled factors
      """,
    paper: "Chen et al. 2018, equation 6; disentanglement_lib", unit: .share, better: .higher,
    chance: "the floor that so many examples have, about (bins - 1)(levels - 1) / (2 n H)",
    ceiling: "of evenly spaced levels: 1 with at most 20 of them, 0.85 with 32, 0.81 with 40",
    cost: "O(examples latents factors)", test: "LatentEvaluationTests/DisentanglementTests.swift")
}

/// The mutual information gap.
public struct MutualInformationGap: DisentanglementMetric {
  /// Bins of a code.
  public var bins = 20

  public static var metrics: [Metric] { [.mutualInformationGap] }

  /// With 20 bins.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let scores = data.informationScores(bins: bins, using: &random) { table in
      let gaps = table.entropies.indices.map { factor in
        let top = ScoreMath.largestTwo(table.information.map { $0[factor] })
        let entropy = table.entropies[factor]
        return entropy > 0 ? (top.first - top.second) / entropy : 0
      }
      return [ScoreMath.mean(gaps)] + gaps
    }
    return data.measurements(
      .mutualInformationGap, scores[0], parts: Array(scores.dropFirst()),
      ceilings: data.factors.indices.map { ceiling($0, data) }, settings: ["bins": "\(bins)"])
  }

  /// What a code has whose levels lie evenly spaced, beside codes that tell nothing.
  private func ceiling(_ factor: Int, _ data: FactoredCodes) -> Double {
    let levels = data.factors[factor].levels
    let places = Binning((0..<levels).map(Double.init), bins: bins).bins
    var (counts, binned) = (
      [Double](repeating: 0, count: levels), [Double](repeating: 0, count: bins)
    )
    for level in data.train.levels[factor] {
      counts[level] += 1
      binned[Int(places[level])] += 1
    }
    let entropy = ScoreMath.entropy(counts)
    return entropy > 0 ? ScoreMath.entropy(binned) / entropy : 0
  }
}
