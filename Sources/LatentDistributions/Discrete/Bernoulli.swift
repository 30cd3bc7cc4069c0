// Coin flips, parameterised by log-odds: the usual likelihood of binary images.
//
//   log p(x) = sum x l - log(1 + e^l),   l = log(p / (1 - p))
//
// Evaluated as (x - [l > 0]) l - log(1 + e^-|l|), which keeps the relative precision of a
// confident and right prediction.

import LatentAutodiff
import LatentNumerics

/// Independent Bernoulli variables from logits; any finite logits are safe.
///
/// Values between 0 and 1 are accepted as soft targets: the result is then the negative binary
/// cross-entropy (what PyTorch's `binary_cross_entropy` computes), not a normalised density; the
/// normalised one for such data is `ContinuousBernoulli`.
public struct Bernoulli: FactorizedDistribution, DistributionWithMean {
  /// `[batch, event]`
  public let logits: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// One variable for each logit.
  ///
  /// - Parameters:
  ///   - logits: log-odds of 1, `[batch, event]`
  ///   - eventRank: how many trailing axes are one event
  public init(
    logits: Tensor, eventRank: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "Bernoulli", [logits], eventRank: eventRank, file: file, line: line)
    self.logits = logits
  }

  public var dtype: DType { logits.dtype }
  /// 0 and 1; what lies between counts as soft targets.
  public var support: Support { .binary.soft }
  /// The probability of 1, `[batch, event]`.
  public var mean: Tensor { sigmoid(logits) }
  public var mode: Tensor { logits.detached .> 0 }
  /// `[batch, event]`
  public var variance: Tensor { sigmoid(logits) * sigmoid(-logits) }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    let positive = logits.detached .> 0
    return (value - positive) * logits - softplus(logits.negativeMagnitude)
  }

  /// Fused over the flattened event where the value is data (not itself differentiated).
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let fits = value.shape.broadcast(with: logits.shape) == logits.shape
    if eventShape.rank == 0 || value.isRecorded || !fits {
      return elementLogProbabilities(of: value).summedOverEvent(eventShape.rank)
    }
    let targets = value.broadcast(to: logits.shape)
    return bernoulliLogProbability(
      logits: logits.flatteningEvent(eventShape.rank),
      targets: targets.flatteningEvent(eventShape.rank))
  }

  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    random.uniformTensor(sampleShape + logits.shape, dtype) .< mean.detached
  }

  /// log(1 + e^-|l|) + |l| / (1 + e^|l|), summed over the event.
  public var entropy: Tensor? {
    let l = logits.negativeMagnitude
    return (softplus(l) - l * sigmoid(l)).summedOverEvent(eventShape.rank)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? Bernoulli else { return nil }
    requireSameEvent(as: q)
    // KL does not change when 0 and 1 are exchanged; with p's logit negative nothing cancels.
    let flip = logits.negatingSign
    let (lp, lq) = (logits * flip, q.logits * flip)
    let difference = lp - lq
    let expected = sigmoid(lp) * difference
    let apart = softplus(lq) - softplus(lp)
    // log (1 + e^lp) / (1 + e^lq) for close logits, where the difference of the logarithms cancels.
    let near = abs(difference.detached) .< 1
    let safe = Tensor.where(near, difference, difference.zerosLike)
    let close = log(onePlus: sigmoid(lq) * expMinusOne(safe))
    return (expected + Tensor.where(near, -close, apart)).summedOverEvent(eventShape.rank)
  }
}
