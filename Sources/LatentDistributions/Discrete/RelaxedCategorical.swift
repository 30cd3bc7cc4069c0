// Classes relaxed to points of a simplex (Maddison, Mnih and Teh 2017: "concrete"; Jang, Gu and Poole 2017:
// "Gumbel-softmax"), of C classes with logits l at temperature t:
//
//   y = softmax((l + g) / t),   g = -log(-log u)
//   log p(y) = log (C - 1)! + (C - 1) log t + sum (l_i - (t + 1) log y_i) - C LSE(l_i - t log y_i)

import Foundation
import LatentAutodiff
import LatentNumerics

/// Independent groups of relaxed classes, one after another on the last axis; each group sums to 1.
///
/// The density is by the first C - 1 elements of a group. It is that of the relaxed variable; where
/// `hasDiscreteDivergence`, `closedFormKL` is not the divergence of two such densities, but of the classes that they
/// relax, as is usual in training.
public struct RelaxedCategorical: ReparameterizedDistribution, EvaluableDistribution {
  let groups: Categorical
  /// Towards 0 draws become one-hot.
  public let temperature: Double
  /// Whether the divergence from another one is taken to be that of the classes.
  public let hasDiscreteDivergence: Bool
  public let batchShape: Shape
  public let eventShape: Shape

  /// Groups of `classes` elements of the last axis.
  ///
  /// - Parameters:
  ///   - logits: unnormalised log-probabilities of the classes, `[batch, event]`
  ///   - classes: the size of a group, which divides that of the last axis
  ///   - temperature: positive
  ///   - hasDiscreteDivergence: whether `closedFormKL` gives the divergence of the classes; else there is none
  ///   - eventRank: how many trailing axes are one event, at least 1
  public init(
    logits: Tensor, classes: Int, temperature: Double, hasDiscreteDivergence: Bool = false,
    eventRank: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "RelaxedCategorical", [logits], eventRank: eventRank, file: file, line: line)
    groups = Categorical(
      groupsOf: classes, logits: logits, eventRank: eventRank, "RelaxedCategorical", file, line)
    require(
      temperature > 0, "RelaxedCategorical: temperature \(temperature)", file: file, line: line)
    self.temperature = temperature
    self.hasDiscreteDivergence = hasDiscreteDivergence
  }

  public var dtype: DType { groups.dtype }
  /// The size of a group.
  public var classes: Int { groups.classCount }
  /// As given, `[batch, event]`.
  public var logits: Tensor { groups.logits.reshaped(batchShape + eventShape) }
  public var support: Support { .unitInterval }
  /// The probabilities of the classes, `[batch, event]`: the mean of what draws relax, in the simplex.
  public var pointEstimate: Tensor? { groups.probabilities.reshaped(batchShape + eventShape) }

  /// Elements below 16 times the type's smallest normal number count as that: draws of low temperature round to 0, where
  /// the density has no value.
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let parts = value.grouped(by: classes)
    let logY = log(maximum(parts, parts.zerosLike + RelaxedCategorical.smallest(dtype)))
    let (count, logits) = (Double(classes), groups.logits)
    let sums = (logits - logY * (temperature + 1)).sum(axes: [-1])
    let scale = (logits - logY * temperature).logSumExp(axes: [-1]) * count
    let constant = lgamma(count) + (count - 1) * Foundation.log(temperature)
    return (sums - scale + constant).summedOverEvent(eventShape.rank)
  }

  /// The smallest element of a type that is told from 0: its reciprocal, a derivative, is far from infinite.
  static func smallest(_ dtype: DType) -> Double {
    16 * (dtype == .float64 ? .leastNormalMagnitude : Double(Float.leastNormalMagnitude))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    softmax(groups.perturbedLogits(sampleShape, using: &random) * (1 / temperature))
      .reshaped(sampleShape + batchShape + eventShape)
  }

  /// Of the classes, where `hasDiscreteDivergence`: nats of `sum p (log p - log q)`.
  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard hasDiscreteDivergence, let q = other as? RelaxedCategorical else { return nil }
    requireSameEvent(as: q)
    return groups.closedFormKL(to: q.groups)
  }
}

extension RelaxedCategorical: DetachableDistribution {
  public var detached: RelaxedCategorical {
    RelaxedCategorical(
      logits: logits.detached, classes: classes, temperature: temperature,
      hasDiscreteDivergence: hasDiscreteDivergence, eventRank: eventShape.rank)
  }
}
