// A weighted sum of densities of one family (Pearson 1894): learned priors with several modes,
// likelihoods with several explanations.
//
//   log p(x) = log sum over k of w_k p_k(x)

import LatentAutodiff
import LatentNumerics

/// A mixture over the last batch axis of `components`.
///
/// `components` has the batch shape `[batch, K]`; the mixture has `[batch]`. Weights are given as
/// unnormalised logarithms that broadcast to `[batch, K]`.
public struct Mixture<Component: EvaluableDistribution>: EvaluableDistribution {
  /// Of batch shape `[batch, K]`.
  public let components: Component
  /// Normalised over the components, nats, `[batch, K]` or what broadcasts to it.
  public let logWeights: Tensor
  public let batchShape: Shape

  /// From weights and components, which are the last axis of the components' batch.
  ///
  /// - Parameters:
  ///   - logWeights: `[batch, K]`, or `[K]` for all; normalised here; -infinity switches one off
  ///   - components: of batch shape `[batch, K]`
  public init(
    logWeights: Tensor, components: Component, file: StaticString = #fileID, line: UInt = #line
  ) {
    let full = components.batchShape
    require(
      full.rank >= 1 && logWeights.rank >= 1 && logWeights.shape[-1] == full[-1]
        && logWeights.shape.broadcast(with: full) == full,
      "Mixture: log-weights \(logWeights.shape) do not broadcast to the components' batch shape "
        + "\(full) ([batch, K])", file: file, line: line)
    self.logWeights = logSoftmax(logWeights)
    self.components = components
    batchShape = full.prefix(full.rank - 1)
  }

  public var eventShape: Shape { components.eventShape }
  public var dtype: DType { components.dtype }
  public var support: Support { components.support }
  /// K.
  public var componentCount: Int { components.batchShape[-1] }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    return normalsLogProbability(of: value) ?? logJoint(of: value).logSumExp(axes: [-1])
  }

  /// log w_k p_k(x), nats, `[..., batch, K]`.
  private func logJoint(of value: Tensor) -> Tensor {
    let spread = value.expandingDimension(at: value.rank - eventShape.rank)
    return components.logProbability(of: spread) + logWeights
  }

  /// log-probabilities that a value came from each component, nats, `[..., batch, K]`.
  public func logResponsibilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    return logSoftmax(logJoint(of: value))
  }

  /// Element `index` `[sample, batch]` of the component axis of `values`
  /// `[sample, batch, K, event]`.
  private func chosen(_ index: Tensor, of values: Tensor) -> Tensor {
    let axis = index.rank
    let ones = Shape(Array(repeating: 1, count: eventShape.rank + 1))
    let spread = index.reshaped(index.shape + ones).broadcast(to: index.shape + [1] + eventShape)
    return values.gathering(along: axis, spread).squeezed(axis)
  }

  /// Draws from every component and keeps one of them: K times the random numbers, but always the
  /// same number of draws. Of one mixture of normals only the chosen component is drawn from.
  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    let choice = Categorical(logits: logWeights.broadcast(to: components.batchShape))
      .sample(sampleShape, using: &random)
    if let draws = normalsSample(choice, using: &random) { return draws }
    return chosen(choice, of: components.sample(sampleShape, using: &random))
  }
}

extension Mixture: DistributionWithMean where Component: DistributionWithMean {
  public var mean: Tensor {
    let weights = exp(logWeights).broadcast(to: components.batchShape)
    let means = components.mean
    let ones = Shape(Array(repeating: 1, count: eventShape.rank))
    return (weights.reshaped(weights.shape + ones) * means).sum(axes: [batchShape.rank])
  }
}

extension Mixture: DistributionWithMode where Component: DistributionWithMode {
  /// The best of the components' modes: exact where the components do not overlap, a lower bound
  /// of the highest density elsewhere.
  public var mode: Tensor {
    let axis = batchShape.rank
    let modes = components.mode.detached
    let order = [axis] + (0..<modes.rank).filter { $0 != axis }
    let candidates = modes.permuted(order)
    let best = logProbability(of: candidates).argMax(axis: 0)
    return chosen(best, of: modes)
  }
}
