// The interventional robustness score (Suter et al. 2019): how little a code moves while the factor it stands for is
// held and all others change.

import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func robustness(_ name: String, _ title: String, _ formula: String) -> Metric {
    Metric(
      name, title: title, formula: formula + "; chance by shuffled factors",
      paper: "Suter et al. 2019, section 4; disentanglement_lib", unit: .share, better: .higher,
      chance: "depends on the tails of the codes", ceiling: "1",
      cost: "O(examples log(examples) latents factors)",
      test: "LatentEvaluationTests/DisentanglementTests.swift")
  }

  /// How little codes move while their factor is held: ``InterventionalRobustness``.
  public static let interventionalRobustness = robustness(
    "irs", "interventional robustness",
    """
    mean over codes, weighted by s_i, of max_j 1 - d_ij / s_i: d_ij the mean over levels of the 0.99 quantile of \
    |c_i - E[c_i | level]|, s_i the 0.99 quantile of |c_i - E c_i|
    """)

  /// The same as disentanglement_lib has it: ``InterventionalRobustness``.
  public static let interventionalRobustnessByMaximum = robustness(
    "irs-dlib", "interventional robustness, disentanglement_lib",
    """
    the same with s_i the largest |c_i - E c_i|: a quantile over a maximum, which gives Gaussian noise 0.36 and more
    """)
}

/// The interventional robustness score with quantiles throughout, and as disentanglement_lib computes it. Codes with a
/// wide range weigh more: unlike other scores it changes with the scale of single codes.
public struct InterventionalRobustness: DisentanglementMetric {
  /// Which quantile of deviations stands for the largest.
  public var quantile = 0.99
  /// Shuffles of factors that the chance level is the mean of.
  public var shuffles = 4

  public static var metrics: [Metric] {
    [.interventionalRobustness, .interventionalRobustnessByMaximum]
  }

  /// With the quantile 0.99.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    guard !data.factors.isEmpty else { return [] }
    let columns = data.train.codes.transposed.array
    let codes = (0..<data.latents).map { columns.rows($0..<$0 + 1).doubles }
    let all = codes.map { InterventionalRobustness.deviations($0[...]).sorted() }
    let scales = [
      all.map { InterventionalRobustness.quantile($0, quantile) }, all.map { $0.last ?? 0 },
    ]
    let examples = VoteExamples(data.train, factors: data.factors)
    let straight = Array(0..<data.train.count)
    let moved = self.moved(codes, examples, straight)
    let chances = (0..<shuffles).map { _ in
      self.moved(codes, examples, random.permutation(data.train.count))
    }
    let settings = data.settings(["quantile": "\(quantile)", "shuffles": "\(shuffles)"])
    return zip(InterventionalRobustness.metrics, scales).map { metric, scales in
      func score(_ moved: [[Double]]) -> Double {
        let sum = scales.reduce(0, +)
        guard sum > 0 else { return 0 }
        // Weighted by the scale, (1 - d / s) is s - d.
        return zip(moved, scales).reduce(0) { $0 + ($1.1 - ($1.0.min() ?? $1.1)) } / sum
      }
      return MetricValue(
        metric, score(moved), chance: shuffles > 0 ? ScoreMath.mean(chances.map(score)) : nil,
        ceiling: 1, count: data.train.count, settings: settings)
    }
  }

  /// How far codes move while a factor is held, `[latents][factors]`, of codes in another order of the examples.
  private func moved(_ codes: [[Double]], _ examples: VoteExamples, _ order: [Int]) -> [[Double]] {
    let factors = examples.members.count
    var table = [Double](repeating: 0, count: codes.count * factors)
    table.withUnsafeMutableBufferPointer { table in
      let table = table
      parallelFor(table.count) { pair in
        let (code, factor) = (pair / factors, pair % factors)
        let levels = examples.members[factor].filter { !$0.isEmpty }
        let sum = levels.reduce(0) { sum, members in
          let own = members.map { codes[code][order[$0]] }
          let deviations = InterventionalRobustness.deviations(own[...]).sorted()
          return sum + InterventionalRobustness.quantile(deviations, quantile)
        }
        table[pair] = sum / Double(levels.count)
      }
    }
    return codes.indices.map { Array(table[$0 * factors..<($0 + 1) * factors]) }
  }

  /// Distances from the mean.
  private static func deviations(_ values: ArraySlice<Double>) -> [Double] {
    let mean = ScoreMath.mean(values)
    return values.map { Swift.abs($0 - mean) }
  }

  /// With linear interpolation between ranks, as NumPy's `percentile` has it.
  private static func quantile(_ sorted: [Double], _ share: Double) -> Double {
    let place = share * Double(sorted.count - 1)
    let below = Int(place)
    let above = min(below + 1, sorted.count - 1)
    return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
  }
}
