// How well a score tells strange examples from ordinary ones: the area under the receiver operating characteristic, and
// one point of it.

import LatentAutodiff
import LatentNumerics

/// Scores of ordinary and of strange examples, larger ones being stranger.
public struct ROC: Sendable {
  /// Scores of examples like those of training.
  public let inliers: [Double]
  /// Scores of examples that are not.
  public let outliers: [Double]

  /// Traps unless there are scores of both, none of them NaN: an order of NaN is no order.
  public init(
    inliers: [Double], outliers: [Double], file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      !inliers.isEmpty && !outliers.isEmpty
        && (inliers + outliers).allSatisfy { !$0.isNaN },
      "a curve over \(inliers.count) ordinary and \(outliers.count) strange scores, "
        + "\((inliers + outliers).count { $0.isNaN }) of them NaN: expected numbers of both",
      file: file, line: line)
    self.inliers = inliers
    self.outliers = outliers
  }

  /// The probability that a strange example has the larger score, ties one half, and its standard error by the
  /// components of its U-statistic (DeLong, DeLong and Clarke-Pearson 1988); nil with one example of a kind.
  public var area: (value: Double, standardError: Double?) {
    let (n, m) = (Double(inliers.count), Double(outliers.count))
    let all = MidRanks(inliers + outliers).values
    // Of each example the share of the other kind that it is in the right order with.
    let inlierShares = zip(all, MidRanks(inliers).values).map { 1 - ($0 - $1) / m }
    let outlierShares = zip(all.dropFirst(inliers.count), MidRanks(outliers).values)
      .map { ($0 - $1) / n }
    let (first, second) = (meanAndError(inlierShares), meanAndError(outlierShares))
    guard let a = first.standardError, let b = second.standardError else {
      return (second.mean, nil)
    }
    return (second.mean, (a * a + b * b).squareRoot())
  }

  /// The share of strange examples that pass where the limit lets `share` of ordinary ones pass at least: the smallest
  /// score that does, which passes itself.
  public func falseAcceptance(accepting share: Double = 0.95) -> Double {
    require(share > 0 && share <= 1, "a limit that \(share) of ordinary examples pass")
    let sorted = inliers.sorted()
    // A share such as 0.95 of 20 is 19, also where the product is rounded up.
    let place = Int((share * Double(sorted.count) - 1e-9).rounded(.up))
    let limit = sorted[min(max(place, 1), sorted.count) - 1]
    return Double(outliers.count { $0 <= limit }) / Double(outliers.count)
  }

  /// Both numbers of the curve of a score called `name`.
  public func measurements(_ name: String, settings: [String: String] = [:]) -> [MetricValue] {
    let (count, area) = (inliers.count + outliers.count, area)
    let accepted = falseAcceptance()
    return [
      MetricValue(
        .auroc, part: name, area.value, standardError: area.standardError, chance: 0.5, ceiling: 1,
        count: count, settings: settings),
      MetricValue(
        .falseAcceptance, part: name, accepted,
        standardError: shareError(accepted, of: outliers.count), chance: 0.95, ceiling: 0,
        count: count, settings: settings),
    ]
  }
}

extension Metric {
  /// The area under the curve.
  public static let auroc = Metric(
    "auroc", title: "Area under the ROC curve",
    formula: """
      the share of pairs of a strange and an ordinary example where the strange one has the larger score, ties one \
      half; standard error after DeLong et al. 1988
      """,
    paper: "Hanley and McNeil 1982; Hendrycks and Gimpel 2017 for its use", unit: .share,
    better: .higher, chance: "0.5", ceiling: "1", cost: "n log n",
    test: "LatentEvaluationTests/OutliersROCTests.swift")

  /// The strange examples that pass a limit which 95 of a hundred ordinary ones pass.
  public static let falseAcceptance = Metric(
    "fpr95", title: "FPR at 95 % TPR",
    formula: """
      the share of strange examples whose score is not above the smallest limit that at least 95 % of ordinary \
      examples are not above; binomial standard error, given the limit
      """,
    paper: "Liang, Li and Srikant 2018, section 4.2", unit: .share, better: .lower,
    chance: "0.95", ceiling: "0", cost: "n log n",
    test: "LatentEvaluationTests/OutliersROCTests.swift")
}
