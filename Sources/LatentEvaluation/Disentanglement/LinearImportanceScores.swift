import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func linear(
    _ name: String, _ title: String, _ formula: String, chance: String
  ) -> Metric {
    Metric(
      "dci-linear-\(name)", title: title,
      formula: formula + """
        ; R the absolute coefficients of a Lasso (penalty 0.01) from standardised codes to standardised values of a \
        factor; bootstrap standard error, chance by shuffled factors
        """,
      paper: "Eastwood and Williams 2018, section 2", unit: .share, better: .higher, chance: chance,
      ceiling: "1", cost: "O(examples (latents + factors)^2)",
      test: "LatentEvaluationTests/DisentanglementTableTests.swift")
  }

  /// Whether each code matters for one factor, linearly: ``LinearImportanceScores``.
  public static let disentanglementByLasso = linear(
    "disentanglement", "DCI disentanglement, linear", "sum_i rho_i (1 - H_K(R_i. / sum_j R_ij))",
    chance: "not 0: few coefficients of noise are not 0")

  /// Whether each factor has one code, linearly: ``LinearImportanceScores``.
  public static let completenessByLasso = linear(
    "completeness", "DCI completeness, linear", "sum_j rho_j (1 - H_d(R_.j / sum_i R_ij))",
    chance: "not 0: few coefficients of noise are not 0")

  /// How much of the factors is linear in the codes: ``LinearImportanceScores``.
  public static let informativenessByLasso = linear(
    "informativeness", "DCI informativeness, linear",
    "mean over factors of the explained share of the variance of examples not fitted to, 0 at least",
    chance: "0")
}

/// The DCI scores with linear importances: fast, and blind to what is not linear.
public struct LinearImportanceScores: DisentanglementMetric {
  /// The price of a coefficient.
  public var penalty = 0.01

  public static var metrics: [Metric] {
    [.disentanglementByLasso, .completenessByLasso, .informativenessByLasso]
  }

  /// With a penalty of 0.01.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let (inputs, outputs) = (
      Standardization(of: data.train.codes), Standardization(of: data.train.values)
    )
    let (x, y) = (inputs(data.test.codes), outputs(data.test.values))
    let scores = resampled(data.train.count, using: &random) { draw in
      let moments = Moments(data.train.codes, data.train.values, draw)
      let latents = 0..<data.latents
      let weights = data.factors.indices.map { factor in
        Lasso(
          covariance: latents.map { i in latents.map { moments.correlation(i, $0) } },
          cross: latents.map { moments.correlation($0, data.latents + factor) }, penalty: penalty
        ).coefficients
      }
      let importances = Importances(latents.map { i in weights.map { Swift.abs($0[i]) } })
      let shares = explained(x, y, weights)
      return [
        importances.disentanglement ?? .nan, importances.completeness ?? .nan,
        ScoreMath.mean(shares),
      ]
    }
    // A score of one factor or one code is no number, and is left out.
    return zip(LinearImportanceScores.metrics, scores).filter { !$1.value.isNaN }
      .map { metric, score in
        MetricValue(
          metric, score.value, standardError: score.standardError, chance: score.chance,
          ceiling: 1, count: data.train.count, settings: data.settings(["penalty": "\(penalty)"]))
      }
  }

  /// The share of each factor's variance that is explained, 0 at least.
  private func explained(_ x: Tensor, _ y: Tensor, _ weights: [[Double]]) -> [Double] {
    let table = NDArray(weights.flatMap { $0 }, shape: [weights.count, x.shape[1]])
    let rest = square(y - matmul(x, Tensor(table), transpose: .right)).mean(axes: [0]).doubles
    return zip(rest, y.variance(axes: [0]).doubles).map { $1 > 0 ? max(0, 1 - $0 / $1) : 0 }
  }
}
