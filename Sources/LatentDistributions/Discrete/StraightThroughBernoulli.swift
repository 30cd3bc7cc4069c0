// Coin flips with a derivative: that of the logistic function beside the flip (Bengio, Leonard and Courville 2013, with
// the noise of Maddison, Mnih and Teh 2017):
//
//   forward [l + n > 0],   backward sigmoid((l + n) / t),   n = log u - log(1 - u)

import LatentAutodiff
import LatentNumerics

/// Independent coin flips whose draws have an estimate of a derivative, with a bias.
public struct StraightThroughBernoulli: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  let flips: Bernoulli
  /// The temperature of the logistic function that a draw's derivative is that of.
  public let temperature: Double

  /// One flip for each logit.
  ///
  /// - Parameters:
  ///   - logits: log-odds of 1, `[batch, event]`
  ///   - temperature: positive
  ///   - eventRank: how many trailing axes are one event
  public init(
    logits: Tensor, temperature: Double = 1, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      temperature > 0, "StraightThroughBernoulli: temperature \(temperature)", file: file,
      line: line)
    flips = Bernoulli(logits: logits, eventRank: eventRank, file: file, line: line)
    self.temperature = temperature
  }

  public var batchShape: Shape { flips.batchShape }
  public var eventShape: Shape { flips.eventShape }
  public var dtype: DType { flips.dtype }
  /// Log-odds of 1, `[batch, event]`.
  public var logits: Tensor { flips.logits }
  public var support: Support { .binary }
  /// The probability of 1, `[batch, event]`.
  public var mean: Tensor { flips.mean }
  public var mode: Tensor { flips.mode }
  /// The mode: a probability is no flip.
  public var pointEstimate: Tensor? { mode }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    flips.elementLogProbabilities(of: value)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let noisy = flips.perturbedLogits(sampleShape, using: &random)
    let hard = noisy.detached .> 0
    guard noisy.isRecorded else { return hard }
    let soft = sigmoid(noisy * (1 / temperature))
    // In this order the value is exactly 0 or 1.
    return hard + (soft - soft.detached)
  }

  public var entropy: Tensor? { flips.entropy }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    flips.closedFormKL(to: (other as? StraightThroughBernoulli)?.flips ?? other)
  }
  public func closedFormKL(from other: any Distribution) -> Tensor? {
    (other as? Bernoulli)?.closedFormKL(to: flips)
  }
}

extension Bernoulli {
  /// Logits plus logistic noise, which is above 0 where a flip is 1: `[sample, batch, event]`.
  func perturbedLogits(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    let uniform = random.uniformTensor(sampleShape + logits.shape, dtype)
    return logits + (log(uniform) - log(onePlus: -uniform))
  }
}
