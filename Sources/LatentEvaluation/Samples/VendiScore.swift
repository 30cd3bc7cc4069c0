// How many different examples a sample is worth (Friedman and Dieng 2023, "The Vendi Score").

import Foundation
import LatentAutodiff
import LatentNumerics

/// The Vendi score of order 1 of both samples, under the cosine of features.
public struct VendiScore: TwoSampleMetric {
  /// The score has no settings.
  public init() {}

  public static let metrics: [Metric] = [.vendi]

  /// The scores of the generated and of the real sample, as parts `fake` and `real`. The score rises with the number of
  /// examples, so that of the larger sample as many are drawn as the smaller one has; that of real data is then what a
  /// perfect model would have.
  public func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.vendi, real: real, fake: fake)
    let count = min(pair.n, pair.m)
    let reals = try VendiScore.score(pair.real.shuffledRows(count, using: random))
    let fakes = try VendiScore.score(pair.fake.shuffledRows(count, using: random))
    _ = random.next()
    return [
      MetricValue(.vendi, part: "fake", fakes, chance: 1, ceiling: reals, count: count),
      MetricValue(.vendi, part: "real", reals, chance: 1, count: count),
    ]
  }

  /// exp(-Σ λ log λ) over the eigenvalues of K / n for features `[n, d]`, where K has the cosines.
  /// - Throws: `NumericsError.noConvergence`.
  public static func score(_ features: Tensor) throws -> Double {
    try score(features.array.converted(to: .float64))
  }

  /// Examples whose features are all zero have no direction: they are one of their own, at a right angle to all others.
  static func score(_ features: NDArray) throws -> Double {
    let (count, size) = (features.shape[0], features.shape[1])
    let lengths = features.reduced(.sumOfSquares, axes: [1], keepingDimensions: true).unary(.sqrt)
    let zeros = lengths.doubles.count { $0 == 0 }
    let one = NDArray(repeating: 1, shape: [], .float64)
    let units = features.binary(
      .divide, NDArray.select(lengths.binary(.greater, one.binary(.subtract, one)), lengths, one))
    // K and the matrix of features' second moments have the same eigenvalues but for zeros.
    let products =
      count < size
      ? units.matmul(units, transpose: .right) : units.matmul(units, transpose: .left)
    let shares = try products.symmetricEigen().values.doubles.map { $0 / Double(count) }
    let entropy = (shares + [Double(zeros) / Double(count)]).reduce(0.0) {
      $1 > 0 ? $0 - $1 * Foundation.log($1) : $0
    }
    return Foundation.exp(entropy)
  }
}

extension Metric {
  /// The effective number of different examples.
  public static let vendi = Metric(
    "vendi", title: "Vendi score",
    formula: """
      exp(-Σ λ log λ) over the eigenvalues λ of K/n, K the cosines between features; of the generated sample and, \
      beside it, of as many real examples
      """,
    paper: "Friedman and Dieng 2023, definition 3.1", unit: .count, better: .higher,
    chance: "1: all alike", ceiling: "that of real data", cost: "n d min(n, d)",
    test: "LatentEvaluationTests/SamplesVendiTests.swift")
}
