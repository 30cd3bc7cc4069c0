// A simple distribution seen through a bijection: normalizing flows (Rezende and Mohamed 2015, equation 5).
//
//   z = f(u),   log q(z) = log p(u) - log |det df/du|

import LatentAutodiff
import LatentNumerics

/// The distribution of f(u), where u is of a base distribution.
///
/// The density of its own draws is always known. That of any value is where the bijection is invertible. There is
/// neither a mean nor a mode with a formula: the image of the base's point stands for the whole in reconstructions.
public struct TransformedDistribution<Base: Distribution, Map: Bijection>: Distribution {
  /// Where u is from.
  public let base: Base
  /// f, whose parameters broadcast to the base's batch. Events of more axes than it maps together are mapped at
  /// each place.
  public let map: Map

  /// Traps unless the base's events have the axes that the map wants.
  public init(
    _ base: Base, _ map: Map, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      base.eventShape.rank >= map.eventRank,
      "TransformedDistribution: events \(base.eventShape) have fewer axes than the map wants, "
        + "\(map.eventRank)", file: file, line: line)
    (self.base, self.map) = (base, map)
  }

  public var batchShape: Shape { base.batchShape }
  public var eventShape: Shape { base.eventShape }
  public var dtype: DType { base.dtype }
  public var support: Support { .reals }

  /// The log-determinants of all places of an event, added up.
  private func total(_ logDeterminant: Tensor) -> Tensor {
    logDeterminant.summedOverEvent(eventShape.rank - map.eventRank)
  }

  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (u, density) = base.sampleAndLogProbability(sampleShape, using: &random)
    let (z, logDeterminant) = map.forward(u)
    return (z, density - total(logDeterminant))
  }

  public func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    map.forward(base.sample(sampleShape, using: &random)).value.detached
  }

  /// f of the base's point.
  public var pointEstimate: Tensor? { base.pointEstimate.map { map.forward($0).value } }
}

extension TransformedDistribution: ReparameterizedDistribution
where Base: ReparameterizedDistribution {
  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    map.forward(base.reparameterizedSample(sampleShape, using: &random)).value
  }
}

extension TransformedDistribution: EvaluableDistribution
where Base: EvaluableDistribution, Map: InvertibleBijection {
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let (u, logDeterminant) = map.inverse(value)
    return base.logProbability(of: u) + total(logDeterminant)
  }
}
