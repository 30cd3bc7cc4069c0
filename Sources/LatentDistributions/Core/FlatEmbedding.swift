// Families of distributions as points in flat space: distances between near points there are those of the information
// metric, so that lengths and metrics of families that a decoder moves through come from ordinary derivatives.

import LatentAutodiff
import LatentNumerics

/// A family whose parameters lie in flat space in such a way that short lengths there measure how far two members are
/// apart.
public protocol FlatlyEmbeddedDistribution: Distribution {
  /// The place of each member, `[batch, any]`.
  var flatEmbedding: Tensor { get }
}

extension FlatlyEmbeddedDistribution {
  /// `[batch, event]` to `[batch, elements]`.
  fileprivate func vectors(_ x: Tensor) -> Tensor {
    x.reshaped(batchShape.appending(x.count / max(1, batchShape.count)))
  }
}

extension DiagonalNormal: FlatlyEmbeddedDistribution {
  /// With a standard deviation that is the same for the whole batch the means in units of it, whose metric is the
  /// Fisher information; with one for each member means and standard deviations side by side (Arvanitidis, Hansen
  /// and Hauberg 2018, equation 7), as their Fisher information is not flat.
  public var flatEmbedding: Tensor {
    if logVariance.rank <= eventShape.rank { return vectors(mean * exp(logVariance * -0.5)) }
    let deviation = exp(logVariance * 0.5).broadcast(to: mean.shape)
    return Tensor.concatenate([vectors(mean), vectors(deviation)], axis: -1)
  }
}

extension Laplace: FlatlyEmbeddedDistribution {
  /// As of `DiagonalNormal`, with scales in place of deviations.
  public var flatEmbedding: Tensor {
    if logScale.rank <= eventShape.rank { return vectors(mean * exp(-logScale)) }
    return Tensor.concatenate(
      [vectors(mean), vectors(exp(logScale).broadcast(to: mean.shape))], axis: -1)
  }
}

extension Bernoulli: FlatlyEmbeddedDistribution {
  /// `2 (sqrt p, sqrt(1 - p))`: the circle on which the Fisher information `1 / (p (1 - p))` is the arc.
  public var flatEmbedding: Tensor {
    Tensor.concatenate(
      [vectors(exp(logSigmoid(logits) * 0.5)), vectors(exp(logSigmoid(-logits) * 0.5))], axis: -1)
      * 2
  }
}

extension Categorical: FlatlyEmbeddedDistribution {
  /// `2 sqrt p`: the sphere on which the Fisher information is the arc (Rao 1945).
  public var flatEmbedding: Tensor { vectors(exp(logProbabilities * 0.5)) * 2 }
}
