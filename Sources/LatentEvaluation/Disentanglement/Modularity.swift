import LatentNumerics

extension Metric {
  /// Whether each code tells of one factor: ``Modularity``.
  public static let modularity = Metric(
    "modularity", title: "modularity",
    formula: """
      mean over codes of 1 - sum_{j != j*} I_ij^2 / (I_ij*^2 (factors - 1)), 0 for a code that tells of no factor; I \
      in nats between 20 bins of one width and the levels; bootstrap standard error, chance by shuffled factors
      """,
    paper: "Ridgeway and Mozer 2018, section 4; disentanglement_lib", unit: .share, better: .higher,
    chance: "not 0: about 0.65 of noise with 4 factors", ceiling: "1",
    cost: "O(examples latents factors)",
    test: "LatentEvaluationTests/DisentanglementTableTests.swift")
}

/// Whether each code tells of one factor only. High for noise too: read it beside its chance.
public struct Modularity: DisentanglementMetric {
  /// Bins of a code.
  public var bins = 20

  public static var metrics: [Metric] { [.modularity] }

  /// With 20 bins.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard data.factors.count > 1 else { return [] }
    let score = data.informationScores(bins: bins, using: &random) { table in
      let codes = table.information.map { own in
        let squares = own.map { $0 * $0 }
        guard let largest = squares.max(), largest > 0 else { return 0.0 }
        let rest = squares.reduce(0, +) - largest
        return 1 - rest / (largest * Double(own.count - 1))
      }
      return [ScoreMath.mean(codes)]
    }[0]
    return [
      MetricValue(
        .modularity, score.value, standardError: score.standardError, chance: score.chance,
        ceiling: 1, count: data.train.count, settings: data.settings(["bins": "\(bins)"]))
    ]
  }
}
