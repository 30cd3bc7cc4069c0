// Inverse temperatures between the prior (0) and the posterior (1).

import Foundation
import LatentNumerics

/// How a path from prior to posterior is cut into steps.
public enum AnnealingSchedule: Sendable, Hashable, Codable {
  /// Steps of one size: beta_t = t / T.
  case linear(Int)
  /// Small steps at both ends (Wu et al. 2017, appendix): beta_t = (s(4 (2t/T - 1)) - s(-4)) / (s(4) - s(-4)), s the
  /// logistic function.
  case sigmoid(Int)

  /// T.
  public var steps: Int {
    switch self {
    case .linear(let steps), .sigmoid(let steps): steps
    }
  }

  /// beta_0 = 0, ..., beta_T = 1. Traps unless there is a step.
  public var temperatures: [Double] {
    require(steps > 0, "a schedule of \(steps) temperatures")
    let shares = (0...steps).map { Double($0) / Double(steps) }
    switch self {
    case .linear: return shares
    case .sigmoid:
      func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
      let (low, high) = (logistic(-4), logistic(4))
      let middle = shares.map { (logistic(4 * (2 * $0 - 1)) - low) / (high - low) }
      // The ends are exact, whatever rounding made of them.
      return [0] + middle.dropFirst().dropLast() + [1]
    }
  }
}
