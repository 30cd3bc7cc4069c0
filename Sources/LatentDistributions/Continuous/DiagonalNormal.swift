// The normal distribution with independent elements: posterior and, with a fixed or learned
// variance, likelihood of most variational autoencoders (Kingma and Welling 2014, appendix C.2).
//
//   log p(x) = -1/2 sum ((x - mean)^2 e^-v + v + log 2 pi),   v = log variance

import LatentAutodiff
import LatentNumerics

/// Independent normals, parameterised by mean and log-variance.
///
/// `logVariance` may broadcast against `mean`: one learned number (shape `[]`), one a channel, or
/// a full tensor. Log-variances from -170 to 170 are safe in float32 (-1400 to 1400 in float64).
public struct DiagonalNormal: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  private let location: Tensor
  /// Nats, as given: broadcasts to `[batch, event]`.
  public let logVariance: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// From mean and log-variance, which broadcast against each other.
  ///
  /// - Parameters:
  ///   - mean: `[batch, event]`
  ///   - logVariance: `[batch, event]` or what broadcasts with it
  ///   - eventRank: how many trailing axes are one event: 1 for vectors, 3 for images
  ///     `[batch, height, width, channels]`
  public init(
    mean: Tensor, logVariance: Tensor, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "DiagonalNormal", [mean, logVariance], eventRank: eventRank, file: file, line: line)
    location = mean
    self.logVariance = logVariance
  }

  /// `standardDeviation` is positive and may broadcast against `mean`.
  public init(
    mean: Tensor, standardDeviation: Tensor, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.init(
      mean: mean, logVariance: log(standardDeviation) * 2, eventRank: eventRank, file: file,
      line: line)
  }

  /// One fixed standard deviation for every element.
  public init(
    mean: Tensor, standardDeviation: Double, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.init(
      mean: mean, standardDeviation: .scalar(standardDeviation, mean.dtype), eventRank: eventRank,
      file: file, line: line)
  }

  /// Mean 0 and variance 1 at every element of `shape`, which is `[batch, event]`.
  public static func standard(
    shape: Shape, dtype: DType = .float32, eventRank: Int = 1
  ) -> DiagonalNormal {
    DiagonalNormal(
      mean: .zeros(shape, dtype), logVariance: .zeros([], dtype), eventRank: eventRank)
  }

  public var dtype: DType { location.dtype }
  var shape: Shape { batchShape + eventShape }

  public var mean: Tensor { location.broadcast(to: shape) }
  public var mode: Tensor { mean }
  /// `[batch, event]`
  public var variance: Tensor { exp(logVariance).broadcast(to: shape) }
  /// `[batch, event]`
  public var standardDeviation: Tensor { exp(logVariance * 0.5).broadcast(to: shape) }

  /// The squared distance from the mean in standard deviations.
  private func squaredScore(of value: Tensor) -> Tensor {
    requireEvent(value)
    return square((value - location) * exp(logVariance * -0.5))
  }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    (squaredScore(of: value) + logVariance) * -0.5 - logTwoPi / 2
  }

  public func logProbability(of value: Tensor) -> Tensor {
    normalized(squaredScore(of: value).summedOverEvent(eventShape.rank))
  }

  /// The log-density from the event's sum of squared scores.
  private func normalized(_ squares: Tensor) -> Tensor {
    (squares + logVariance.summedParameter(over: eventShape)) * -0.5
      - Double(eventShape.count) * logTwoPi / 2
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let noise = random.normalTensor(sampleShape + shape, dtype)
    return reparameterized(mean: location, logVariance: logVariance, noise: noise)
  }

  /// The density comes from the noise, so that nothing is subtracted and divided back.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let noise = random.normalTensor(sampleShape + shape, dtype)
    let value = reparameterized(mean: location, logVariance: logVariance, noise: noise)
    return (value, normalized(square(noise).summedOverEvent(eventShape.rank)))
  }

  public var entropy: Tensor? {
    (logVariance.summedParameter(over: eventShape) * 0.5
      + Double(eventShape.count) * (1 + logTwoPi) / 2).broadcast(to: batchShape)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    switch other {
    case let prior as StandardNormal:
      requireSameEvent(as: prior)
      let rank = eventShape.rank
      return standardNormalKL(
        mean: mean.flatteningEvent(rank),
        logVariance: logVariance.broadcast(to: shape).flatteningEvent(rank)
      ).broadcast(to: commonBatch(with: prior))
    case let q as DiagonalNormal:
      requireSameEvent(as: q)
      let difference = logVariance - q.logVariance
      let shift = square((location - q.location) * exp(q.logVariance * -0.5))
      let terms = expMinusOne(difference) - difference + shift
      return terms.broadcast(to: commonBatch(with: q) + eventShape)
        .summedOverEvent(eventShape.rank) * 0.5
    default:
      return nil
    }
  }
}

extension DiagonalNormal: DetachableDistribution {
  public var detached: DiagonalNormal {
    DiagonalNormal(
      mean: location.detached, logVariance: logVariance.detached, eventRank: eventShape.rank)
  }
}
