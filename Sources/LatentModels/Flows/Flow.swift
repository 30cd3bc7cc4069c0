// Modules that make bijections: what a normalizing flow is before it is told for which example.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A module that makes a bijection, the same for all or one for each example.
public protocol Flow: Module {
  /// What it makes.
  associatedtype Map: Bijection
  /// The numbers that an encoder brings along for each example, part by part; none where the bijection is the same
  /// for all.
  var conditions: [RawOutputs] { get }
  /// The bijection for conditions `[batch, conditions]`, or for all where there are none.
  func callAsFunction(_ conditions: Tensor?) -> Map
}

extension Flow {
  /// How many conditions there are.
  public var conditionCount: Int { conditions.reduce(0) { $0 + $1.count } }
}

/// A flow of steps of one kind whose parameters an encoder brings along for each example: it has none itself
/// (Rezende and Mohamed 2015).
public protocol AmortizedFlow: Flow where Map == BijectionChain<Step> {
  /// The kind.
  associatedtype Step: Bijection
  /// How many steps.
  var depth: Int { get }
  /// The parameters of one step, part by part.
  var stepOutputs: [RawOutputs] { get }
  /// Step number `index` of the parts `[batch, part]`.
  func step(_ index: Int, _ parts: [Tensor]) -> Step
}

extension AmortizedFlow {
  public var conditions: [RawOutputs] { (0..<depth).flatMap { _ in stepOutputs } }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  /// The steps for raw outputs of an encoder `[batch, ...]`, all of one step's after each other. Traps where there are
  /// none, or not as many as the steps take.
  public func callAsFunction(_ conditions: Tensor?) -> BijectionChain<Step> {
    let sizes = stepOutputs.map(\.count)
    guard let conditions, conditions.shape[-1] == depth * sizes.reduce(0, +) else {
      fatalError(
        "\(Self.self): conditions \(conditions?.shape ?? []), expected [..., \(conditionCount)]")
    }
    var position = 0
    return BijectionChain(
      (0..<depth).map { index in
        let parts = sizes.map { size in
          defer { position += size }
          return conditions.sliced(-1, position..<position + size)
        }
        return step(index, parts)
      })
  }
}

/// A flow that goes the other way.
public struct InvertedFlow<Base: Flow>: Flow where Base.Map: InvertibleBijection {
  /// The flow whose bijections are inverted.
  public var base: Base

  /// The inverse of `base`.
  public init(_ base: Base) { self.base = base }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }
  public var conditions: [RawOutputs] { base.conditions }
  public func callAsFunction(_ conditions: Tensor?) -> InvertedBijection<Base.Map> {
    base(conditions).inverted
  }
}
