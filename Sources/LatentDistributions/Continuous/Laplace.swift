// The double exponential distribution (Laplace 1774): a likelihood whose reconstruction error is
// the absolute difference, robust against outliers; and a prior that favours sparse codes.
//
//   log p(x) = -sum |x - mean| e^-s + s + log 2,   s = log scale

import LatentAutodiff
import LatentNumerics

/// Independent Laplace variables, parameterised by mean and log-scale.
///
/// `logScale` may broadcast against `mean`. Log-scales from -85 to 85 are safe in float32 (-700 to
/// 700 in float64).
public struct Laplace: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  private let location: Tensor
  /// The logarithm of the mean absolute deviation; broadcasts to `[batch, event]`.
  public let logScale: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// From mean and log-scale, which broadcast against each other.
  ///
  /// - Parameters:
  ///   - mean: `[batch, event]`
  ///   - logScale: `[batch, event]` or what broadcasts with it
  ///   - eventRank: how many trailing axes are one event
  public init(
    mean: Tensor, logScale: Tensor, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "Laplace", [mean, logScale], eventRank: eventRank, file: file, line: line)
    location = mean
    self.logScale = logScale
  }

  public var dtype: DType { location.dtype }
  private var shape: Shape { batchShape + eventShape }

  public var mean: Tensor { location.broadcast(to: shape) }
  public var mode: Tensor { mean }
  /// `[batch, event]`
  public var variance: Tensor { (exp(logScale * 2) * 2).broadcast(to: shape) }

  private func distance(of value: Tensor) -> Tensor {
    requireEvent(value)
    return abs(value - location) * exp(-logScale)
  }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    -(distance(of: value) + logScale) - logTwo
  }

  public func logProbability(of value: Tensor) -> Tensor {
    -(distance(of: value).summedOverEvent(eventShape.rank)
      + logScale.summedParameter(over: eventShape)) - Double(eventShape.count) * logTwo
  }

  /// Inverse distribution function of one uniform number an element.
  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let centered = random.uniformTensor(sampleShape + shape, dtype) * 2 - 1
    let noise = -(sign(centered) * log(onePlus: -abs(centered)))
    return location + exp(logScale) * noise
  }

  public var entropy: Tensor? {
    (logScale.summedParameter(over: eventShape) + Double(eventShape.count) * (1 + logTwo))
      .broadcast(to: batchShape)
  }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? Laplace else { return nil }
    requireSameEvent(as: q)
    // With d = s_p - s_q, t = |shift| e^-s_p, r = |shift| e^-s_q:
    // KL = e^(d - t) - 1 - d + r = (e^(d - t) - 1 - (d - t)) + (r - t); the second form for near
    // ones, the first where r and t are large.
    let shift = abs(location - q.location)
    let difference = logScale - q.logScale + shift.zerosLike
    let (t, r) = (shift * exp(-logScale), shift * exp(-q.logScale))
    let exponent = difference - t
    let near = (abs(difference.detached) .< 1) * (t.detached .< 1)
    let terms = expMinusOne(exponent) - exponent + (r - t)
    let apart = expMinusOne(exponent) - difference + r
    return Tensor.where(near, terms, apart)
      .broadcast(to: commonBatch(with: q) + eventShape).summedOverEvent(eventShape.rank)
  }
}

extension Laplace: DetachableDistribution {
  public var detached: Laplace {
    Laplace(mean: location.detached, logScale: logScale.detached, eventRank: eventShape.rank)
  }
}
