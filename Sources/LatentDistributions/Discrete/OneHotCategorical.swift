// Groups of classes as vectors of zeros and ones, which a network can take as latents. What stands in for the
// derivative of a draw is that of the softmax beside it ("straight-through Gumbel-softmax": Jang, Gu and Poole 2017):
//
//   forward one-hot(argmax(l + g)),   backward softmax((l + g) / t),   g = -log(-log u)

import LatentAutodiff
import LatentNumerics

/// Independent groups of classes, each drawn as a one-hot vector; the groups lie one after another on the last axis.
///
/// Log-probabilities are those of the classes, -infinity at what is not one-hot. The derivative of a draw is an
/// estimate with a bias, smaller and noisier as `temperature` falls; use objectives that need none, such as VIMCO,
/// where that matters.
public struct OneHotCategorical: ReparameterizedDistribution, EvaluableDistribution,
  DistributionWithMean, DistributionWithMode
{
  /// The classes of each group: logits `[batch, ..., groups, classes]`.
  let groups: Categorical
  /// The temperature of the softmax that a draw's derivative is that of.
  public let temperature: Double
  public let batchShape: Shape
  public let eventShape: Shape

  /// Groups of `classes` elements of the last axis.
  ///
  /// - Parameters:
  ///   - logits: unnormalised log-probabilities, `[batch, event]`
  ///   - classes: the size of a group, which divides that of the last axis
  ///   - temperature: of the softmax that a draw's derivative is that of
  ///   - eventRank: how many trailing axes are one event, at least 1
  public init(
    logits: Tensor, classes: Int, temperature: Double = 1, eventRank: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "OneHotCategorical", [logits], eventRank: eventRank, file: file, line: line)
    groups = Categorical(
      groupsOf: classes, logits: logits, eventRank: eventRank, "OneHotCategorical", file, line)
    require(
      temperature > 0, "OneHotCategorical: temperature \(temperature)", file: file, line: line)
    self.temperature = temperature
  }

  public var dtype: DType { groups.dtype }
  /// The size of a group.
  public var classes: Int { groups.classCount }
  /// As given, `[batch, event]`.
  public var logits: Tensor { groups.logits.reshaped(batchShape + eventShape) }
  public var support: Support { .binary }
  /// The probabilities of the classes, `[batch, event]`.
  public var mean: Tensor { groups.probabilities.reshaped(batchShape + eventShape) }
  /// The most probable class of each group as one-hot vector, `[batch, event]`.
  public var mode: Tensor {
    Tensor.oneHot(groups.mode, classes: classes, dtype).reshaped(batchShape + eventShape)
  }
  /// The mode: a mixture of classes is no value of the distribution.
  public var pointEstimate: Tensor? { mode }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let parts = value.grouped(by: classes)
    let logP = groups.logProbabilities
    let possible = logP.detached .> -.infinity
    let finite = Tensor.where(possible, logP, logP.zerosLike)
    let result = (parts * finite).summedOverEvent(eventShape.rank + 1)
    let constant = parts.detached
    let isWhole = ((constant .== 0) + (constant .== 1)).min(axes: [-1])
    let isOne = constant.sum(axes: [-1]) .== 1
    let inside = isWhole * isOne * ((constant * possible).sum(axes: [-1]) .== 1)
    let axes = Array(inside.rank - eventShape.rank..<inside.rank)
    return Tensor.where(inside.min(axes: axes), result, result.zerosLike - .infinity)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let noisy = groups.perturbedLogits(sampleShape, using: &random)
    let hard = Tensor.oneHot(noisy.argMax(axis: -1), classes: classes, dtype)
    let shape = sampleShape + batchShape + eventShape
    guard noisy.isRecorded else { return hard.reshaped(shape) }
    let soft = softmax(noisy * (1 / temperature))
    // In this order the value is exactly one-hot.
    return (hard + (soft - soft.detached)).reshaped(shape)
  }

  public var entropy: Tensor? { groups.entropy }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? OneHotCategorical else { return nil }
    requireSameEvent(as: q)
    return groups.closedFormKL(to: q.groups)
  }
}

extension Categorical {
  /// Of logits `[batch, event]` whose last axis is cut into groups of `classes`: one variable for each group. Traps
  /// where the axis cannot be cut so.
  init(
    groupsOf classes: Int, logits: Tensor, eventRank: Int, _ name: StaticString,
    _ file: StaticString, _ line: UInt
  ) {
    require(
      eventRank > 0 && classes > 0 && logits.shape[-1] % classes == 0,
      "\(name): groups of \(classes) classes on the last axis of logits \(logits.shape)",
      file: file,
      line: line)
    self.init(logits: logits.grouped(by: classes), eventRank: eventRank, file: file, line: line)
  }

  /// Logits plus noise whose largest element is a draw (Gumbel 1954): `[sample, batch, event, classes]`.
  func perturbedLogits(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    logits - log(-log(random.uniformTensor(sampleShape + logits.shape, dtype)))
  }
}

extension Tensor {
  /// `[..., groups * size]` as `[..., groups, size]`.
  func grouped(by size: Int) -> Tensor {
    reshaped(shape.replacing(-1, with: shape[-1] / size).appending(size))
  }
}
