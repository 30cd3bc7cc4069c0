// Centred kernel alignment with linear kernels (Kornblith et al. 2019): whether two representations are the same up to
// a rotation and a scale.

import LatentAutodiff
import LatentNumerics

extension Metric {
  /// Whether two representations are alike up to a rotation: ``KernelAlignment``.
  public static let kernelAlignment = Metric(
    "cka", title: "centred kernel alignment",
    formula: """
      |C_xy|^2 / (|C_xx| |C_yy|), Frobenius norms of covariances; bootstrap standard error, chance by shuffled examples
      """,
    paper: "Kornblith et al. 2019, equation 6", unit: .share, better: .neither,
    chance: "not 0: grows with dimensions over examples", ceiling: "1",
    cost: "O(examples latents^2)", test: "LatentEvaluationTests/DisentanglementTests.swift")
}

/// Linear centred kernel alignment of two encoders: 1 where codes are equal up to a rotation and one scale.
public struct KernelAlignment: RepresentationComparison {
  public static var metrics: [Metric] { [.kernelAlignment] }

  /// It has no settings.
  public init() {}

  public func callAsFunction(
    _ first: Tensor, _ second: Tensor, using random: inout RandomStream
  ) -> [MetricValue] {
    requireComparable(first, second)
    let (own, others) = (0..<first.shape[1], first.shape[1]..<first.shape[1] + second.shape[1])
    let score = resampled(first.shape[0], using: &random) { draw in
      let moments = Moments(first, second, draw)
      func squares(_ rows: Range<Int>, _ columns: Range<Int>) -> Double {
        rows.reduce(0) { sum, row in
          columns.reduce(sum) { sum, column in
            let covariance = moments.covariance(row, column)
            return sum + covariance * covariance
          }
        }
      }
      let norm = (squares(own, own) * squares(others, others)).squareRoot()
      return [norm > 0 ? squares(own, others) / norm : 0]
    }[0]
    return [
      MetricValue(
        .kernelAlignment, score.value, standardError: score.standardError, chance: score.chance,
        ceiling: 1, count: first.shape[0], settings: comparisonSettings(first, second))
    ]
  }
}
