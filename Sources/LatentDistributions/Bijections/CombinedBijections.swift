// Bijections made of bijections. Log-determinants add up; what is made of invertible parts is invertible.

import LatentAutodiff
import LatentNumerics

/// The map x -> x.
public struct IdentityBijection: InvertibleBijection {
  /// The identity of vectors of any size.
  public init() {}
  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    (x, x.withoutChange)
  }
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) { forward(y) }
}

/// One map after another one of a different kind.
public struct Composition<First: Bijection, Second: Bijection>: Bijection {
  /// What sees the input.
  public let first: First
  /// What sees the first one's results.
  public let second: Second

  /// Traps unless both map as many axes together.
  public init(
    _ first: First, _ second: Second, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      first.eventRank == second.eventRank,
      "Composition of maps of \(first.eventRank) and \(second.eventRank) axes", file: file,
      line: line)
    (self.first, self.second) = (first, second)
  }

  public var eventRank: Int { first.eventRank }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let (middle, one) = first.forward(x)
    let (value, two) = second.forward(middle)
    return (value, one + two)
  }
}

extension Composition: InvertibleBijection
where First: InvertibleBijection, Second: InvertibleBijection {
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let (middle, two) = second.inverse(y)
    let (value, one) = first.inverse(middle)
    return (value, one + two)
  }
}

/// Any number of maps of one kind, one after the other; the identity where there are none.
public struct BijectionChain<Step: Bijection>: Bijection {
  /// In the order they are applied.
  public let steps: [Step]

  /// The maps one after the other.
  public init(_ steps: [Step]) { self.steps = steps }

  public var eventRank: Int { steps.first?.eventRank ?? 1 }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    BijectionChain.apply(steps, to: x) { $0.forward($1) }
  }

  /// The results of all, and the sum of their log-determinants.
  private static func apply(
    _ steps: some Sequence<Step>, to x: Tensor,
    _ map: (Step, Tensor) -> (value: Tensor, logDeterminant: Tensor)
  ) -> (value: Tensor, logDeterminant: Tensor) {
    var value = x
    var total: Tensor?
    for step in steps {
      let result = map(step, value)
      value = result.value
      total = total.map { $0 + result.logDeterminant } ?? result.logDeterminant
    }
    return (value, total ?? x.withoutChange)
  }
}

extension BijectionChain: InvertibleBijection where Step: InvertibleBijection {
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    BijectionChain.apply(steps.reversed(), to: y) { $0.inverse($1) }
  }
}

/// A map that goes the other way.
public struct InvertedBijection<Base: InvertibleBijection>: InvertibleBijection {
  /// The map whose inverse this is.
  public let base: Base

  /// The inverse of `base`.
  public init(_ base: Base) { self.base = base }

  public var eventRank: Int { base.eventRank }
  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) { base.inverse(x) }
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) { base.forward(y) }
}

/// A map of vectors for events of several axes, which it sees as one vector.
public struct FlattenedBijection<Base: Bijection>: Bijection {
  /// What maps the vectors.
  public let base: Base
  /// The shape of an event.
  public let eventShape: Shape

  /// Events of this shape through a map of vectors of as many elements.
  public init(_ base: Base, eventShape: Shape) {
    (self.base, self.eventShape) = (base, eventShape)
  }

  public var eventRank: Int { eventShape.rank }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let (value, logDeterminant) = base.forward(x.flatteningEvent(eventShape.rank))
    return (value.reshaped(x.shape), logDeterminant)
  }
}

extension FlattenedBijection: InvertibleBijection where Base: InvertibleBijection {
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let (value, logDeterminant) = base.inverse(y.flatteningEvent(eventShape.rank))
    return (value.reshaped(y.shape), logDeterminant)
  }
}
