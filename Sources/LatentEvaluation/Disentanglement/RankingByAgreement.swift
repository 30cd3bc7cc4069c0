// Unsupervised disentanglement ranking (Duan et al. 2020, 1905.12614): models that disentangle agree with each other up
// to order and sign; those that do not are each entangled in a way of their own.

import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func agreement(
    _ name: String, _ title: String, _ of: String, ceiling: String
  ) -> Metric {
    Metric(
      name, title: title,
      formula: """
        (mean over columns of max^2 / sum + mean over rows of max^2 / sum) / 2 of R, R_ab = \(of) of standardised \
        codes of two models, rows and columns without any counting 0; bootstrap standard error, chance by shuffled \
        examples
        """,
      paper: "Duan et al. 2020, equation 3, both means alike as in disentanglement_lib",
      unit: .share, better: .higher, chance: "about 0", ceiling: ceiling,
      cost: "O(examples latents^2)", test: "LatentEvaluationTests/DisentanglementTests.swift")
  }

  /// Whether two models have the same codes, by a Lasso: ``RankingByAgreement``.
  public static let agreementByLasso = agreement(
    "udr-lasso", "UDR, Lasso", "|coefficients of a Lasso (penalty 0.1)|",
    ceiling: "0.9 (1 - penalty) of the same independent codes")

  /// The same by ranks: ``RankingByAgreement``.
  public static let agreementByRanks = agreement(
    "udr-spearman", "UDR, Spearman", "|Spearman correlation|", ceiling: "1")
}

/// Unsupervised disentanglement ranking of two models.
public struct RankingByAgreement: RepresentationComparison {
  /// The price of a coefficient of the Lasso.
  public var penalty = 0.1

  public static var metrics: [Metric] { [.agreementByLasso, .agreementByRanks] }

  /// With a penalty of 0.1.
  public init() {}

  /// The codes of dimensions that say something: those whose mean divergence from the prior, in nats, is 0.01 at
  /// least. What is compared should have gone through it. Traps unless there is a divergence for each dimension.
  public static func informative(
    _ codes: Tensor, divergences: [Double], least: Double = 0.01, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    require(
      codes.rank == 2 && codes.shape[1] == divergences.count,
      "\(divergences.count) divergences of codes \(codes.shape)", file: file, line: line)
    let kept = divergences.indices.filter { divergences[$0] >= least }
    return codes.gathering(Tensor(NDArray(kept.map { Int32($0) })), axis: 1)
  }

  public func callAsFunction(
    _ first: Tensor, _ second: Tensor, using random: inout RandomStream
  ) -> [MetricValue] {
    requireComparable(first, second)
    let (rows, columns) = (first.shape[1], second.shape[1])
    let settings = comparisonSettings(first, second).merging(["penalty": "\(penalty)"]) { $1 }
    let lasso = resampled(first.shape[0], using: &random) { draw in
      let moments = Moments(first, second, draw)
      let covariance = (0..<rows).map { i in (0..<rows).map { moments.correlation(i, $0) } }
      let coefficients = (0..<columns).map { column in
        Lasso(
          covariance: covariance,
          cross: (0..<rows).map { moments.correlation($0, rows + column) }, penalty: penalty
        ).coefficients
      }
      return [RankingByAgreement.score((0..<rows).map { row in coefficients.map { $0[row] } })]
    }
    // The bootstrap keeps the ranks that all examples have.
    let (firstRanks, secondRanks) = (ranks(first), ranks(second))
    let spearman = resampled(first.shape[0], using: &random) { draw in
      let moments = Moments(firstRanks, secondRanks, draw)
      return [
        RankingByAgreement.score(
          (0..<rows).map { row in
            (0..<columns).map { moments.correlation(row, rows + $0) }
          })
      ]
    }
    return zip(RankingByAgreement.metrics, zip([lasso[0], spearman[0]], [1 - penalty, 1])).map {
      MetricValue(
        $0, $1.0.value, standardError: $1.0.standardError, chance: $1.0.chance, ceiling: $1.1,
        count: first.shape[0], settings: settings)
    }
  }

  /// For each of several models the median of its scores with the others, by Lasso: the models in their order from
  /// the best are ranked by it. Traps of fewer than two models.
  public func ranking(
    _ models: [Tensor], using random: RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) -> [Double] {
    require(models.count > 1, "a ranking of \(models.count) models", file: file, line: line)
    return models.indices.map { model in
      let scores = models.indices.filter { $0 != model }.map { other in
        var own = random
        return self(models[model], models[other], using: &own)[0].value
      }.sorted()
      let middle = scores.count / 2
      return scores.count % 2 == 1 ? scores[middle] : (scores[middle - 1] + scores[middle]) / 2
    }
  }

  /// How much a table of relations is one of single partners.
  private static func score(_ table: [[Double]]) -> Double {
    func mean(_ rows: [[Double]]) -> Double {
      ScoreMath.mean(
        rows.map { row in
          let sizes = row.map { Swift.abs($0) }
          let (most, sum) = (sizes.max() ?? 0, sizes.reduce(0, +))
          return sum > 0 ? most * most / sum : 0
        })
    }
    return (mean(table) + mean(table[0].indices.map { column in table.map { $0[column] } })) / 2
  }
}
