// All probability at one point: the posterior of a plain autoencoder, whose encoder is certain.
// It has no density, so by convention its log-probability is 0 at the point (as in Pyro), and its
// divergence from anything with a density is not finite.

import LatentAutodiff
import LatentNumerics

/// A distribution without a density: all probability at one point for each parameter set.
public protocol PointDistribution: ReparameterizedDistribution {}

/// A point mass at `value`.
///
/// `closedFormKL` and `entropy` are nil: a point has neither. An objective for plain autoencoders
/// leaves the divergence out. `klDivergence` then estimates with log-probability 0, which gives
/// `-log q(value)`: the penalty of a maximum-a-posteriori code.
public struct Delta: PointDistribution, EvaluableDistribution, DistributionWithMean,
  DistributionWithMode
{
  /// `[batch, event]`
  public let value: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// All probability at one point.
  ///
  /// - Parameters:
  ///   - value: `[batch, event]`, of any type
  ///   - eventRank: how many trailing axes are one event
  public init(
    _ value: Tensor, eventRank: Int = 1, file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "Delta", [value], eventRank: eventRank, file: file, line: line)
    self.value = value
  }

  public var dtype: DType { value.dtype }
  public var mean: Tensor { value }
  public var mode: Tensor { value }

  /// 0 where the whole event equals `value`, else -infinity; no derivative.
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    // Bytes have no arithmetic, comparisons included.
    func comparable(_ x: Tensor) -> Tensor {
      x.dtype == .uint8 ? x.detached.converted(to: .int32) : x.detached
    }
    let equal = comparable(value) .== comparable(self.value)
    let axes = Array((equal.rank - eventShape.rank)..<equal.rank)
    let type = dtype.isFloatingPoint ? dtype : .float32
    let all = axes.isEmpty ? equal : equal.min(axes: axes)
    return Tensor.where(all.converted(to: type), .zeros([], type), .scalar(-.infinity, type))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    value.broadcast(to: sampleShape + value.shape)
  }

  /// The log-probability of a draw is 0 by construction.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let type = dtype.isFloatingPoint ? dtype : .float32
    return (
      reparameterizedSample(sampleShape, using: &random), .zeros(sampleShape + batchShape, type)
    )
  }
}
