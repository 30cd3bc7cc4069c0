// What importance weights say of one example: how probable it is, and whether to believe that.

import Foundation

/// An estimate of log p(x) from importance weights w_1 ... w_K, and how sure it is.
public struct ImportanceEstimate: Sendable, Hashable {
  /// log (1/K) sum w in nats: a lower bound of log p(x) in expectation, and never falling with K.
  public let logLikelihood: Double
  /// Nats, by the delta method: sd(w) / (mean(w) sqrt K). Infinite of a single weight.
  public let standardError: Double
  /// (sum w)^2 / sum w^2, from 1 to K; 0 where all weights are.
  public let effectiveSamples: Double
  /// k-hat, the shape of a generalised Pareto distribution fitted to the largest weights: below 0.5 good. -infinity of
  /// constant weights, infinity where there are too few to tell (fewer than 21) or all are 0.
  public let tailShape: Double

  /// Above this no number of draws that one can afford makes an estimate reliable (Vehtari et al. 2024).
  public static let largestReliableTail = 0.7

  /// Whether the tail of the weights lets the estimate be believed.
  public var isReliable: Bool { tailShape <= ImportanceEstimate.largestReliableTail }

  /// Of numbers that are known.
  public init(
    logLikelihood: Double, standardError: Double, effectiveSamples: Double, tailShape: Double
  ) {
    self.logLikelihood = logLikelihood
    self.standardError = standardError
    self.effectiveSamples = effectiveSamples
    self.tailShape = tailShape
  }

  /// Of log w in nats, at least one. Weights that are not finite make an estimate that is not, and not reliable.
  public init(logWeights: [Double]) {
    let count = Double(logWeights.count)
    let top = logWeights.contains(where: \.isNaN) ? .nan : logWeights.max() ?? -.infinity
    guard top.isFinite else {
      self.init(
        logLikelihood: top, standardError: .infinity, effectiveSamples: 0, tailShape: .infinity)
      return
    }
    let weights = logWeights.map { exp($0 - top) }
    let sum = weights.reduce(0, +)
    let mean = sum / count
    let squares = weights.reduce(0) { $0 + $1 * $1 }
    let deviations = weights.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    self.init(
      logLikelihood: top + log(mean),
      standardError: count > 1
        ? (deviations / (count - 1)).squareRoot() / (mean * count.squareRoot()) : .infinity,
      effectiveSamples: sum * sum / squares,
      tailShape: ParetoTail.shape(ofLogWeights: logWeights))
  }
}
