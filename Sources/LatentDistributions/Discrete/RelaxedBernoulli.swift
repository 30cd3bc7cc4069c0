// Coin flips relaxed to numbers between 0 and 1 (Maddison, Mnih and Teh 2017: "binary concrete"), of log-odds l at
// temperature t:
//
//   y = sigmoid((l + n) / t),   n = log u - log(1 - u)
//   log p(y) = log t + log s(a) + log s(-a) - log y - log(1 - y),   a = t logit(y) - l,   s the logistic function

import Foundation
import LatentAutodiff
import LatentNumerics

/// Independent relaxed coin flips, each between 0 and 1.
///
/// The density is that of the relaxed variable; where `hasDiscreteDivergence`, `closedFormKL` is not the divergence of
/// two such densities, but of the flips that they relax, as is usual in training.
public struct RelaxedBernoulli: ReparameterizedDistribution, EvaluableDistribution {
  let flips: Bernoulli
  /// Towards 0 draws become flips.
  public let temperature: Double
  /// Whether the divergence from another one is taken to be that of the flips.
  public let hasDiscreteDivergence: Bool

  /// One variable for each logit.
  ///
  /// - Parameters:
  ///   - logits: log-odds of 1, `[batch, event]`
  ///   - temperature: positive
  ///   - hasDiscreteDivergence: whether `closedFormKL` gives the divergence of the flips; else there is none
  ///   - eventRank: how many trailing axes are one event
  public init(
    logits: Tensor, temperature: Double, hasDiscreteDivergence: Bool = false, eventRank: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      temperature > 0, "RelaxedBernoulli: temperature \(temperature)", file: file, line: line)
    flips = Bernoulli(logits: logits, eventRank: eventRank, file: file, line: line)
    self.temperature = temperature
    self.hasDiscreteDivergence = hasDiscreteDivergence
  }

  public var batchShape: Shape { flips.batchShape }
  public var eventShape: Shape { flips.eventShape }
  public var dtype: DType { flips.dtype }
  /// Log-odds of 1, `[batch, event]`.
  public var logits: Tensor { flips.logits }
  public var support: Support { .unitInterval }
  /// The probability of 1 of the flips that draws relax, `[batch, event]`.
  public var pointEstimate: Tensor? { flips.mean }

  /// Numbers nearer to 0 than 16 times the type's smallest normal one, or to 1 than half its step there, count as
  /// those: draws of low temperature round to 0 and 1, where the density has no value.
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let step = dtype == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
    let y = value.clamped(to: RelaxedCategorical.smallest(dtype)...(1 - step / 2))
    let (logY, logRest) = (log(y), log(onePlus: -y))
    let a = (logY - logRest) * temperature - logits
    let elements = logSigmoid(a) + logSigmoid(-a) - logY - logRest
    return (elements + Foundation.log(temperature)).summedOverEvent(eventShape.rank)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    sigmoid(flips.perturbedLogits(sampleShape, using: &random) * (1 / temperature))
  }

  /// Of the flips, where `hasDiscreteDivergence`.
  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard hasDiscreteDivergence, let q = other as? RelaxedBernoulli else { return nil }
    return flips.closedFormKL(to: q.flips)
  }
}

extension RelaxedBernoulli: DetachableDistribution {
  public var detached: RelaxedBernoulli {
    RelaxedBernoulli(
      logits: logits.detached, temperature: temperature,
      hasDiscreteDivergence: hasDiscreteDivergence, eventRank: eventShape.rank)
  }
}
