// Whether a posterior is as wide as it should be (Cook, Gelman and Rubin 2006; Talts et al. 2018, "Validating Bayesian
// inference algorithms with simulation-based calibration"): latents that the prior draws, data that they decode to, and
// draws of q for these data. If q is the posterior, the rank of the first latent among the others is uniform. A posterior that
// is too narrow has too many ranks at the ends.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// Ranks of true latents among draws of the posterior.
public struct RankCalibration: Sendable, Hashable {
  /// How often each bin of ranks was met, for each latent dimension.
  public let counts: [[Int]]
  /// Examples that were simulated.
  public let simulations: Int
  /// Draws of the posterior of each, L; ranks go from 0 to L.
  public let draws: Int

  /// Of each dimension, how likely ranks of an exact posterior are to be as uneven, or more: by the chi-square test.
  public var pValues: [Double] { counts.map { ChiSquare.uniformity(of: $0).pValue } }

  /// The smallest of `pValues` times their number, at most 1 (Bonferroni): small where some dimension is not calibrated.
  public var pValue: Double { min(1, (pValues.min() ?? 1) * Double(counts.count)) }

  /// `pValue` and those of dimensions.
  public var measurements: [MetricValue] {
    let settings = [
      "draws": "\(draws)", "bins": "\(counts.first?.count ?? 0)",
    ]
    func measured(_ value: Double, _ part: String?) -> MetricValue {
      MetricValue(
        .rankCalibration, part: part, value, ceiling: 1, count: simulations, settings: settings)
    }
    return [measured(pValue, nil)]
      + pValues.enumerated().map { measured($1, "\($0)") }
  }
}

extension LatentVariableModel {
  /// Ranks of `simulations` latents of the prior, each element of a latent for itself, among `draws` draws of the
  /// posterior of data that they decode to. Of posteriors over discrete latents ranks tie, and no such test exists.
  ///
  /// Traps unless `bins` divide the `draws` + 1 ranks, each with the same probability then. `fields` have one row for
  /// each simulation.
  public func rankCalibration(
    simulations: Int = 1000, draws: Int = 99, bins: Int = 20, batchSize: Int = 100,
    fields: [String: Tensor] = [:], seed: UInt64 = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) -> RankCalibration {
    require(
      bins > 1 && (draws + 1).isMultiple(of: bins),
      "\(draws) draws have \(draws + 1) ranks, which \(bins) bins do not divide", file: file,
      line: line)
    let root = RandomStream(seed: seed).split("rank calibration")
    var counts: [[Int]] = []
    for start in stride(from: 0, to: simulations, by: batchSize) {
      let rows = start..<min(start + batchSize, simulations)
      var random = root.split(UInt64(start))
      let own = fields.mapValues { $0[rows] }
      let z = samplePrior(rows.count, fields: own, using: &random, file: file, line: line)
      let x = decode(z, fields: own, file: file, line: line).sample(using: &random)
      let posterior = encode(x, fields: own, file: file, line: line)
      let below = posterior.sample([draws], using: &random) .< z
      let ranks = below.converted(to: .float64).sum(axes: [0]).flattened(from: 1)
      for (dimension, ranks) in ranks.columns.enumerated() {
        if counts.count == dimension { counts.append(Array(repeating: 0, count: bins)) }
        for rank in ranks { counts[dimension][Int(rank) * bins / (draws + 1)] += 1 }
      }
    }
    return RankCalibration(counts: counts, simulations: simulations, draws: draws)
  }
}

extension Metric {
  /// Whether the posterior is as wide as it should be.
  public static let rankCalibration = Metric(
    "rank-calibration", title: "Calibration of the posterior by ranks",
    formula:
      "z* from p(z), x from p(x | z*), the rank of each z*_j among L = 99 draws of q(z_j | x): p-value of the "
      + "chi-square test for uniform ranks in 20 bins over 1,000 simulations; of all dimensions: the smallest times "
      + "their number, at most 1",
    paper: "Talts et al. 2018, algorithm 1", unit: .share, better: .neither,
    chance: "0: no posterior that is wrong passes for ever",
    ceiling: "uniform between 0 and 1 for an exact posterior",
    cost: "one decoding and one encoding, and L draws, for each simulation",
    test: "LatentEvaluationTests/Likelihood/RankCalibrationTests.swift")
}
