// The Kullback-Leibler divergence: exact where either side knows a closed form, else estimated by
// sampling, and the result says which.

import LatentAutodiff
import LatentNumerics

/// A divergence in nats and how it was computed.
public struct KLDivergence: Sendable {
  /// How a divergence was computed.
  public enum Method: Sendable, Hashable {
    /// By a formula: exact but for rounding.
    case closedForm
    /// The mean of log p - log q over samples of p; unbiased, and may be negative.
    case monteCarlo(samples: Int)
  }

  /// Nats, `[batch]`.
  public let value: Tensor
  /// How it was computed.
  public let method: Method
}

/// KL(p || q), the expectation under p of log p - log q.
///
/// Where neither distribution has a closed form for the pair, `samples` draws of p estimate it;
/// `method` reports that. Derivatives pass through the samples where p is reparameterised.
public func klDivergence(
  from p: some Distribution, to q: some EvaluableDistribution, samples: Int = 1,
  using random: inout RandomStream
) -> KLDivergence {
  if let exact = p.closedFormKL(to: q) ?? q.closedFormKL(from: p) {
    return KLDivergence(value: exact, method: .closedForm)
  }
  let (value, logP) = p.sampleAndLogProbability([samples], using: &random)
  // Where q has more batch axes, the sample axis stays in front of all of them.
  let missing = max(0, q.batchShape.rank - p.batchShape.rank)
  let lead = Shape([samples] + Array(repeating: 1, count: missing))
  let draws = value.reshaped(lead + value.shape.suffix(value.rank - 1))
  let logQ = q.logProbability(of: draws)
  let estimate = (logP.reshaped(lead + p.batchShape) - logQ).mean(axes: [0])
  return KLDivergence(value: estimate, method: .monteCarlo(samples: samples))
}
