// One of several classes, from unnormalised log-probabilities: labels, tokens, codebook entries,
// and pixels with a few gray levels.

import LatentAutodiff
import LatentNumerics

/// Categorical variables from logits over the last axis.
///
/// Values are class indices, int32, of shape `[..., batch, event]`: the logits' shape without the
/// class axis. A logit of -infinity forbids a class; an index outside the classes has
/// log-probability -infinity.
public struct Categorical: FactorizedDistribution, DistributionWithMean {
  /// As given, `[batch, event, classes]`.
  public let logits: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// One variable for each vector of logits.
  ///
  /// - Parameters:
  ///   - logits: `[batch, event, classes]`
  ///   - eventRank: how many axes before the class axis are one event: 0 for a label, 1 for a
  ///     sequence of tokens
  public init(
    logits: Tensor, eventRank: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    let shapes = parameterShapes(
      "Categorical", [logits], eventRank: eventRank + 1, file: file, line: line)
    require(
      logits.shape[-1] > 0, "Categorical: logits of shape \(logits.shape) have no classes",
      file: file, line: line)
    self.logits = logits
    batchShape = shapes.batch
    eventShape = shapes.event.prefix(eventRank)
  }

  /// The type of probabilities; values are int32.
  public var dtype: DType { logits.dtype }
  /// The size of the class axis.
  public var classCount: Int { logits.shape[-1] }
  public var support: Support { .classes(classCount) }
  /// Normalised, nats, `[batch, event, classes]`; computed at each use.
  public var logProbabilities: Tensor { logSoftmax(logits) }
  /// `[batch, event, classes]`
  public var probabilities: Tensor { softmax(logits) }
  /// The expected class index, in the parameters' type, `[batch, event]`.
  public var mean: Tensor { (probabilities * .range(classCount, dtype)).sum(axes: [-1]) }
  /// int32, `[batch, event]`
  public var mode: Tensor { logits.argMax(axis: -1) }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    require(value.dtype == .int32, "Categorical: values are int32, found \(value.dtype)")
    guard let shape = value.shape.broadcast(with: batchShape + eventShape) else {
      fatalError(
        "Categorical: values \(value.shape) do not broadcast with \(batchShape + eventShape)")
    }
    return categoricalLogProbability(
      logits: logits.broadcast(to: shape.appending(classCount)), targets: value.broadcast(to: shape)
    )
  }

  /// By the largest of the logits plus Gumbel noise (Gumbel 1954): classes of probability zero
  /// are never drawn, whatever the rounding.
  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    perturbedLogits(sampleShape, using: &random).argMax(axis: -1)
  }

  public var entropy: Tensor? {
    let logProbabilities = logProbabilities
    let possible = logProbabilities.detached .> -.infinity
    let finite = Tensor.where(possible, logProbabilities, logProbabilities.zerosLike)
    return -(probabilities * finite).summedOverEvent(eventShape.rank + 1)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? Categorical else { return nil }
    requireSameEvent(as: q)
    require(
      classCount == q.classCount,
      "KL(Categorical || Categorical): \(classCount) and \(q.classCount) classes")
    // sum p d = sum p d + q - p, d = log p - log q: no term is negative, and for close
    // probabilities p (d + e^-d - 1) does not cancel.
    let (logP, logQ) = (logProbabilities, q.logProbabilities)
    let (p, other) = (exp(logP), exp(logQ))
    let possible = (logP.detached .> -.infinity) * other.onesLike
    let difference = Tensor.where(possible, logP - logQ, other.zerosLike)
    let near = abs(difference.detached) .< 1
    let small = Tensor.where(near, difference, difference.zerosLike)
    let terms = Tensor.where(
      near * possible, p * (small + expMinusOne(-small)), p * difference + other - p)
    return terms.summedOverEvent(eventShape.rank + 1)
  }
}
