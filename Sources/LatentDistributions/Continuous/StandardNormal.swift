// The normal distribution with mean 0 and variance 1 in every element: the prior of the first
// variational autoencoders (Kingma and Welling 2014). A type of its own, so that a divergence to
// it needs no parameters in memory.
//
//   log p(x) = -1/2 sum (x^2 + log 2 pi)

import LatentAutodiff
import LatentNumerics

/// Independent standard normals over an event of any shape; no parameters.
public struct StandardNormal: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  public let batchShape: Shape
  public let eventShape: Shape
  public let dtype: DType

  /// N(0, I) over events of `eventShape`, the same for every element of `batchShape`.
  public init(eventShape: Shape, batchShape: Shape = [], dtype: DType = .float32) {
    self.eventShape = eventShape
    self.batchShape = batchShape
    self.dtype = dtype
  }

  public var mean: Tensor { .zeros(batchShape + eventShape, dtype) }
  public var mode: Tensor { mean }
  /// Ones, `[batch, event]`.
  public var variance: Tensor { .ones(batchShape + eventShape, dtype) }

  /// The same distribution with parameters, for formulas that want them.
  var diagonal: DiagonalNormal {
    .standard(shape: batchShape + eventShape, dtype: dtype, eventRank: eventShape.rank)
  }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    return square(value) * -0.5 - logTwoPi / 2
  }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let squares = square(value).summedOverEvent(eventShape.rank)
    let result = squares * -0.5 - Double(eventShape.count) * logTwoPi / 2
    return result.shape.broadcast(with: batchShape).map { result.broadcast(to: $0) } ?? result
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    random.normalTensor(sampleShape + batchShape + eventShape, dtype)
  }

  public var entropy: Tensor? {
    Tensor(repeating: Double(eventShape.count) * (1 + logTwoPi) / 2, shape: batchShape, dtype)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    switch other {
    case let q as StandardNormal:
      requireSameEvent(as: q)
      return .zeros(commonBatch(with: q), dtype)
    case let q as DiagonalNormal:
      return diagonal.closedFormKL(to: q)
    default:
      return nil
    }
  }
}

extension StandardNormal: DetachableDistribution {
  public var detached: StandardNormal {
    self
  }
}
