// What codes say of their own dependence, without any factors (the unsupervised scores of disentanglement_lib,
// Locatello et al. 2019).

import Foundation
import LatentAutodiff
import LatentNumerics

extension Metric {
  private static func dependence(
    _ name: String, _ title: String, _ formula: String, unit: Unit, paper: String
  ) -> Metric {
    Metric(
      name, title: title, formula: formula + "; bootstrap standard error", paper: paper, unit: unit,
      better: .lower, chance: "does not depend on what is known", ceiling: "0 of independent codes",
      cost: "O(examples latents^2)", test: "LatentEvaluationTests/DisentanglementTests.swift")
  }

  /// Dependence of codes as normal variables: ``UnsupervisedScores``.
  public static let gaussianTotalCorrelation = dependence(
    "gaussian-tc", "Gaussian total correlation",
    "-1/2 log |R|, R the correlations of the codes that vary, its eigenvalues 2^-52 at least",
    unit: .nats, paper: "Watanabe 1960; disentanglement_lib")

  /// Distance of the covariance from its diagonal: ``UnsupervisedScores``.
  public static let wassersteinCorrelation = dependence(
    "wasserstein-correlation", "Wasserstein correlation",
    "2 tr S - 2 tr (S diag S)^(1/2), S the covariance of the codes (divisor n - 1)", unit: .plain,
    paper: "Xiao and Wang 2019; disentanglement_lib")

  /// The same over the total variance: ``UnsupervisedScores``.
  public static let normalizedWassersteinCorrelation = dependence(
    "wasserstein-correlation-normalized", "Wasserstein correlation, normalised",
    "(2 tr S - 2 tr (S diag S)^(1/2)) / tr S, S the covariance of the codes", unit: .plain,
    paper: "Xiao and Wang 2019; disentanglement_lib")

  /// Information of codes on each other: ``UnsupervisedScores``.
  public static let pairwiseInformation = dependence(
    "pairwise-mi", "mean pairwise mutual information",
    "mean over pairs of codes of their mutual information, each in 20 bins of one width, counted",
    unit: .nats, paper: "Locatello et al. 2019; disentanglement_lib")
}

/// The unsupervised scores: 0 for independent codes, which need not be disentangled.
public struct UnsupervisedScores: DisentanglementMetric {
  /// Bins of a code for mutual information.
  public var bins = 20

  public static var metrics: [Metric] {
    [
      .gaussianTotalCorrelation, .wassersteinCorrelation, .normalizedWassersteinCorrelation,
      .pairwiseInformation,
    ]
  }

  /// With 20 bins.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) throws -> [MetricValue] {
    try measurements(data.train.codes, settings: data.settings(), using: &random)
  }

  /// The scores of codes `[examples, latent]` of examples of which nothing is known.
  ///
  /// - Throws: `NumericsError.noConvergence` where codes are not finite.
  public func callAsFunction(
    _ codes: Tensor, using random: inout RandomStream, file: StaticString = #fileID,
    line: UInt = #line
  ) throws -> [MetricValue] {
    require(
      codes.rank == 2 && codes.shape[0] > 1 && codes.shape[1] > 0,
      "scores of codes \(codes.shape)", file: file, line: line)
    return try measurements(codes, settings: ["latents": "\(codes.shape[1])"], using: &random)
  }

  private func measurements(
    _ codes: Tensor, settings: [String: String], using random: inout RandomStream
  ) throws -> [MetricValue] {
    let columns = codes.detached.converted(to: .float64).transposed.array
    let size = codes.shape[1]
    let binned = (0..<size).map { Binning(columns.rows($0..<$0 + 1).doubles, bins: bins) }
    let levels = binned.map { own in own.bins.map { Int($0) } }
    let counts = [Int](repeating: bins, count: size)
    let scores = try resampled(codes.shape[0], shuffles: 0, using: &random) { draw in
      let moments = Moments(codes, weights: draw.weights)
      let table = InformationTable(
        binned: binned, bins: bins, levels: levels, counts: counts, draw)
      var sum = 0.0
      for first in 0..<size {
        for second in 0..<size where second != first { sum += table.information[first][second] }
      }
      let wasserstein = try UnsupervisedScores.wasserstein(moments)
      return [
        try UnsupervisedScores.totalCorrelation(moments), wasserstein.distance,
        wasserstein.trace > 0 ? wasserstein.distance / wasserstein.trace : 0,
        size > 1 ? sum / Double(size * (size - 1)) : 0,
      ]
    }
    let settings = settings.merging(["bins": "\(bins)"]) { $1 }
    return zip(UnsupervisedScores.metrics, scores).map { metric, score in
      MetricValue(
        metric, score.value, standardError: score.standardError, ceiling: 0,
        count: codes.shape[0], settings: settings)
    }
  }

  private static func totalCorrelation(_ moments: Moments) throws -> Double {
    let active = (0..<moments.size).filter { moments.covariance($0, $0) > Moments.leastVariance }
    guard active.count > 1 else { return 0 }
    let correlations = active.flatMap { i in active.map { moments.correlation(i, $0) } }
    let table = NDArray(correlations, shape: [active.count, active.count])
    return try table.symmetricEigen().values.doubles
      .reduce(0) { $0 - log(max($1, .ulpOfOne)) / 2 }
  }

  /// The distance, and the trace that it is compared with.
  private static func wasserstein(
    _ moments: Moments
  ) throws -> (distance: Double, trace: Double) {
    let size = moments.size
    let unbiased = moments.count / (moments.count - 1)
    let variances = (0..<size).map { max(0, moments.covariance($0, $0)) * unbiased }
    // (S D)^(1/2) has the eigenvalues of (D^(1/2) S D^(1/2))^(1/2), and that is symmetric.
    let product = (0..<size).flatMap { i in
      (0..<size).map { j in
        moments.covariance(i, j) * unbiased * (variances[i] * variances[j]).squareRoot()
      }
    }
    let roots = try NDArray(product, shape: [size, size]).symmetricEigen().values.doubles
      .reduce(0) { $0 + max(0, $1).squareRoot() }
    let trace = variances.reduce(0, +)
    return (2 * trace - 2 * roots, trace)
  }
}
