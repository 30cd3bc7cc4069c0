// The continuous Bernoulli, a density on [0, 1] for gray images with the Bernoulli's shape and its
// missing normaliser (Loaiza-Ganem and Cunningham 2019).
//
//   p(x) = e^(x l) / Z(l),   Z(l) = integral of e^(x l) over [0, 1] = (e^l - 1) / l
//
// The formulas are 0/0 at l = 0; `ContinuousBernoulli+Formulas.swift` has their stable forms.

import LatentAutodiff
import LatentNumerics

/// Independent continuous Bernoulli variables from logits; any finite logits are safe.
public struct ContinuousBernoulli: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  /// `[batch, event]`
  public let logits: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// One variable for each logit.
  ///
  /// - Parameters:
  ///   - logits: log-odds of the Bernoulli of the same shape, `[batch, event]`; 0 is uniform
  ///   - eventRank: how many trailing axes are one event
  public init(
    logits: Tensor, eventRank: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "ContinuousBernoulli", [logits], eventRank: eventRank, file: file, line: line)
    self.logits = logits
  }

  public var dtype: DType { logits.dtype }
  public var support: Support { .unitInterval }
  /// 1 / (1 - e^-l) - 1 / l, `[batch, event]`.
  public var mean: Tensor {
    let below = Formulas.meanBelow(logits.negativeMagnitude)
    return Tensor.where(logits.detached .> 0, 1 - below, below)
  }
  /// The end with the larger density (0 where the density is flat), `[batch, event]`.
  public var mode: Tensor { logits.detached .> 0 }
  /// 1 / l^2 - 1 / (2 sinh(l / 2))^2, `[batch, event]`.
  public var variance: Tensor { Formulas.variance(logits.negativeMagnitude) }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    let positive = logits.detached .> 0
    let density =
      (value - positive) * logits
      - Formulas.logNormalizer(logits.negativeMagnitude)
    let x = value.detached
    return Tensor.where((x .>= 0) * (x .<= 1), density, .scalar(-.infinity, dtype))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let uniform = random.uniformTensor(sampleShape + logits.shape, dtype)
    return Formulas.quantile(uniform, logits).clamped(to: 0...1)
  }

  /// log Z(l) - l mean(l), which is even in l.
  public var entropy: Tensor? {
    let l = logits.negativeMagnitude
    return (Formulas.logNormalizer(l) - l * Formulas.meanBelow(l))
      .summedOverEvent(eventShape.rank)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? ContinuousBernoulli else { return nil }
    requireSameEvent(as: q)
    // KL does not change when x becomes 1 - x in both; p's logit is then negative.
    let flip = logits.negatingSign
    return Formulas.divergence(logits * flip, q.logits * flip).summedOverEvent(eventShape.rank)
  }
}

extension ContinuousBernoulli: DetachableDistribution {
  public var detached: ContinuousBernoulli {
    ContinuousBernoulli(logits: logits.detached, eventRank: eventShape.rank)
  }
}
