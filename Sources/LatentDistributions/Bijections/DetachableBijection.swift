// Bijections with constant parameters, for gradient estimators that follow a density through its draws alone
// (`DetachableDistribution`).

import LatentAutodiff

/// An invertible bijection that can be had with constant parameters.
public protocol DetachableBijection: InvertibleBijection {
  /// The same map, whose parameters carry no derivative.
  var detached: Self { get }
}

extension IdentityBijection: DetachableBijection {
  public var detached: IdentityBijection { self }
}

extension PermutationBijection: DetachableBijection {
  public var detached: PermutationBijection { self }
}

extension AffineBijection: DetachableBijection {
  public var detached: AffineBijection {
    AffineBijection(shift: shift.detached, logScale: logScale.detached)
  }
}

extension HouseholderBijection: DetachableBijection {
  public var detached: HouseholderBijection { HouseholderBijection(normal: normal.detached) }
}

extension RationalQuadraticSpline: DetachableBijection {
  public var detached: RationalQuadraticSpline {
    RationalQuadraticSpline(
      inputs: inputs.detached, outputs: outputs.detached, derivatives: derivatives.detached)
  }
}

extension Composition: DetachableBijection
where First: DetachableBijection, Second: DetachableBijection {
  public var detached: Composition { Composition(first.detached, second.detached) }
}

extension BijectionChain: DetachableBijection where Step: DetachableBijection {
  public var detached: BijectionChain { BijectionChain(steps.map(\.detached)) }
}

extension InvertedBijection: DetachableBijection where Base: DetachableBijection {
  public var detached: InvertedBijection { InvertedBijection(base.detached) }
}

extension FlattenedBijection: DetachableBijection where Base: DetachableBijection {
  public var detached: FlattenedBijection {
    FlattenedBijection(base.detached, eventShape: eventShape)
  }
}

extension TransformedDistribution: DetachableDistribution
where Base: DetachableDistribution, Map: DetachableBijection {
  public var detached: TransformedDistribution {
    TransformedDistribution(base.detached, map.detached)
  }
}
