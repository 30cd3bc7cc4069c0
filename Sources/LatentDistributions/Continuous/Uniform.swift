// The same density everywhere between two bounds: dequantisation noise, priors of bounded factors.

import LatentAutodiff
import LatentNumerics

/// Independent uniform variables on the closed intervals from `low` to `high`, low < high.
///
/// The bounds may broadcast against each other.
public struct Uniform: ReparameterizedDistribution, FactorizedDistribution,
  DistributionWithMean
{
  /// As given: broadcast to `[batch, event]`.
  public let low: Tensor
  /// Broadcasts to `[batch, event]`; greater than `low`.
  public let high: Tensor
  public let batchShape: Shape
  public let eventShape: Shape

  /// Between two bounds, which broadcast against each other.
  ///
  /// - Parameters:
  ///   - low: `[batch, event]` or what broadcasts with `high`
  ///   - high: greater than `low` everywhere
  ///   - eventRank: how many trailing axes are one event
  public init(
    low: Tensor, high: Tensor, eventRank: Int = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "Uniform", [low, high], eventRank: eventRank, file: file, line: line)
    self.low = low
    self.high = high
  }

  public var dtype: DType { low.dtype }
  /// From the lowest of all bounds to the highest.
  public var support: Support {
    guard let lowest = low.doubles.min(), let highest = high.doubles.max(), lowest <= highest
    else { return .reals }
    return .interval(lowest...highest)
  }
  private var shape: Shape { batchShape + eventShape }
  private var logWidth: Tensor { log(high - low) }

  public var mean: Tensor { (low * 0.5 + high * 0.5).broadcast(to: shape) }
  /// Every value of the interval is as probable; its middle is as good as any.
  public var mode: Tensor { mean }
  /// `[batch, event]`
  public var variance: Tensor { (square(high - low) / 12).broadcast(to: shape) }

  public func elementLogProbabilities(of value: Tensor) -> Tensor {
    requireEvent(value)
    let x = value.detached
    let inside = (x .>= low.detached) * (x .<= high.detached)
    return Tensor.where(inside, -logWidth, .scalar(-.infinity, dtype))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let uniform = random.uniformTensor(sampleShape + shape, dtype)
    let value = low + (high - low) * uniform
    // Rounding may step over the upper bound.
    return Tensor.where(value.detached .> high.detached, high, value)
  }

  public var entropy: Tensor? {
    logWidth.summedParameter(over: eventShape).broadcast(to: batchShape)
  }

  /// +infinity where the other interval does not contain this one.
  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? Uniform else { return nil }
    requireSameEvent(as: q)
    let contained = (q.low.detached .<= low.detached) * (q.high.detached .>= high.detached)
    let excess = ((low - q.low) + (q.high - high)) / (high - low)
    let safe = Tensor.where(contained, excess, excess.zerosLike)
    return Tensor.where(contained, log(onePlus: safe), .scalar(.infinity, dtype))
      .broadcast(to: commonBatch(with: q) + eventShape).summedOverEvent(eventShape.rank)
  }
}
