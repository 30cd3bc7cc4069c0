import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func information(_ name: String, _ title: String, _ formula: String) -> Metric {
    Metric(
      name, title: title,
      formula: formula + """
        ; N_ij = I(c_i; f_j) / H(f_j), I by 10 nearest neighbours; codes with a range below 1/20 of the largest are \
        left out; chance by shuffled factors
        """,
      paper: "Hsu et al. 2023 (Disentanglement via latent quantization), section 4", unit: .share,
      better: .higher, chance: "not 0: noise in few cells", ceiling: "1",
      cost: "O(examples log(examples) latents factors)",
      test: "LatentEvaluationTests/DisentanglementTests.swift")
  }

  /// Whether each code tells of one factor, by neighbours: ``InformationScores``.
  public static let informationModularity = information(
    "infom", "InfoMEC modularity",
    "mean over codes of max_j N_ij / sum_j N_ij, with 1 / factors as 0 and 1 as 1")

  /// Whether one code tells of each factor, by neighbours: ``InformationScores``.
  public static let informationCompactness = information(
    "infoc", "InfoMEC compactness",
    "mean over factors of max_i N_ij / sum_i N_ij, with 1 / codes as 0 and 1 as 1")
}

/// Modularity and compactness by normalised mutual information; the third of the three, explicitness, is of
/// ``LinearReadout``.
public struct InformationScores: DisentanglementMetric {
  /// Neighbours of the estimate of information.
  public var neighbors = 10
  /// Codes with less than this share of the largest range are left out.
  public var leastRange = 0.05
  /// Shuffles of factors that the chance level is the mean of.
  public var shuffles = 4

  public static var metrics: [Metric] { [.informationModularity, .informationCompactness] }

  /// With the settings of the paper.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let columns = data.train.codes.transposed.array
    let codes = (0..<data.latents).map { columns.rows($0..<$0 + 1).doubles }
    let ranges = codes.map { ($0.max() ?? 0) - ($0.min() ?? 0) }
    let least = leastRange * (ranges.max() ?? 0)
    let active = codes.indices.filter { ranges[$0] > least }
    guard !active.isEmpty else { return [] }
    let searches = active.map { NeighborInformation(codes[$0]) }
    let scores = self.scores(searches, data.train.levels, data)
    let chances = (0..<shuffles).map { _ in
      let order = random.permutation(data.train.count)
      return self.scores(searches, data.train.levels.map { own in order.map { own[$0] } }, data)
    }
    let settings = data.settings([
      "neighbors": "\(neighbors)", "leastRange": "\(leastRange)", "shuffles": "\(shuffles)",
      "activeLatents": "\(active.count)",
    ])
    return zip(InformationScores.metrics, scores.indices).compactMap { metric, index in
      scores[index].map {
        let chance = shuffles > 0 ? ScoreMath.mean(chances.map { $0[index] ?? 0 }) : nil
        return MetricValue(
          metric, $0, chance: chance, ceiling: 1, count: data.train.count, settings: settings)
      }
    }
  }

  /// Modularity and compactness, nil of one factor or one code.
  private func scores(
    _ searches: [NeighborInformation], _ levels: [[Int]], _ data: FactoredCodes
  ) -> [Double?] {
    let factors = levels.count
    var table = [Double](repeating: 0, count: searches.count * factors)
    table.withUnsafeMutableBufferPointer { table in
      let table = table
      parallelFor(table.count) { pair in
        let (code, factor) = (pair / factors, pair % factors)
        let classes = data.factors[factor].levels
        var counts = [Double](repeating: 0, count: classes)
        for level in levels[factor] { counts[level] += 1 }
        let entropy = ScoreMath.entropy(counts)
        let information = searches[code].information(
          labels: levels[factor], classes: classes, neighbors: neighbors)
        table[pair] = entropy > 0 ? information / entropy : 0
      }
    }
    let rows = searches.indices.map { Array(table[$0 * factors..<($0 + 1) * factors]) }
    return [
      InformationScores.share(rows),
      InformationScores.share((0..<factors).map { factor in rows.map { $0[factor] } }),
    ]
  }

  /// The mean over rows of the largest share of their sum, brought to 0 for even rows. A row of zeros is even.
  private static func share(_ rows: [[Double]]) -> Double? {
    let width = Double(rows[0].count)
    guard width > 1 else { return nil }
    let shares = rows.map { row in
      let sum = row.reduce(0, +)
      return sum > 0 ? (row.max() ?? 0) / sum : 1 / width
    }
    return (ScoreMath.mean(shares) - 1 / width) / (1 - 1 / width)
  }
}
