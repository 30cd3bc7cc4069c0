// Scores of strangeness from log-likelihoods that are there already. A plain likelihood is a poor one: digits can be
// more probable than the clothes that a model was trained on (Nalisnick et al. 2019).

import LatentAutodiff
import LatentNumerics

/// Scores for each example, larger ones being stranger.
public enum OutlierScore: String, Sendable, CaseIterable {
  /// -log p(x) in nats.
  case negativeLogLikelihood
  /// -E_q log p(x | z) in nats.
  case reconstruction
  /// KL(q(z | x) || p(z)) in nats.
  case divergence
  /// How far -log p(x) is from what it is in training, in nats: ``typicality(_:entropy:)``.
  case typicality
  /// ``LikelihoodRegret``, in nats.
  case regret
  /// The criterion of `OutlierScore.waic(_:)` over an ensemble.
  case waic

  /// |-log p(x) - H| for log-likelihoods `[examples]` in nats, where H is the mean of -log p over training data
  /// (Nalisnick et al. 2019, "Detecting out-of-distribution inputs to deep generative models using typicality",
  /// section 4, for one example): data can also be too probable.
  public static func typicality(_ logLikelihoods: Tensor, entropy: Double) -> Tensor {
    abs(-logLikelihoods - entropy)
  }

  /// The negated Watanabe-Akaike criterion, Var log p - E log p over the members of an ensemble (Choi, Jang and Alemi
  /// 2018, equation 2), from log-likelihoods `[members, examples]` in nats to `[examples]`. The variance has the
  /// divisor members - 1. Traps where there are no two members.
  public static func waic(
    _ logLikelihoods: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    require(
      logLikelihoods.rank == 2 && logLikelihoods.shape[0] > 1,
      "the criterion of log-likelihoods \(logLikelihoods.shape): expected [members, examples] of two "
        + "members and more", file: file, line: line)
    let mean = logLikelihoods.mean(axes: [0])
    let members = Double(logLikelihoods.shape[0])
    return square(logLikelihoods - mean).sum(axes: [0]) / (members - 1) - mean
  }

  /// The area and the point of the curve of every score that both kinds of examples have, `[examples]` each; the name
  /// of a score is the part of its numbers. Traps for scores that are NaN.
  public static func measure(
    inliers: [OutlierScore: Tensor], outliers: [OutlierScore: Tensor],
    settings: [String: String] = [:]
  ) -> [MetricValue] {
    allCases.flatMap { score -> [MetricValue] in
      guard let ordinary = inliers[score], let strange = outliers[score] else { return [] }
      return ROC(inliers: ordinary.doubles, outliers: strange.doubles)
        .measurements(score.rawValue, settings: settings)
    }
  }
}
