// Coupling flows: one half of the elements stays and says how the other half is changed, so that both ways are computed
// at once (Dinh, Sohl-Dickstein and Bengio 2017, equations 4 and 5). How elements are changed is a choice: affinely, or
// by splines (Durkan et al. 2019).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A family of maps of single elements.
public protocol ElementMaps: Sendable {
  /// Of elements `[..., size]`.
  associatedtype Map: InvertibleBijection
  /// The numbers that say which map an element has.
  var numbersPerElement: Int { get }
  /// The maps of numbers `[..., size * numbersPerElement]`, that may be anything; zeros are the identity.
  func callAsFunction(_ numbers: Tensor) -> Map
}

/// `y = x e^s + t`, with log-scales s that are kept within bounds.
public struct AffineElements: ElementMaps {
  /// s = 2 tanh(raw / 2): a factor of 7.4 either way, so that no step of training overflows.
  public static let largestLogScale = 2.0

  /// The family.
  public init() {}
  public var numbersPerElement: Int { 2 }

  /// All t first, then all raw s.
  public func callAsFunction(_ numbers: Tensor) -> AffineBijection {
    let halves = numbers.split(into: 2, axis: -1)
    let most = AffineElements.largestLogScale
    return AffineBijection(shift: halves[0], logScale: tanh(halves[1] / most) * most)
  }
}

/// Rational-quadratic splines, the identity outside of `[-bound, bound]`.
public struct SplineElements: ElementMaps {
  /// How many bins there can be: more would have no room for the least width.
  static let possibleBins = 2...Int(1 / RationalQuadraticSpline.least) - 1

  /// The bins of each spline.
  public let bins: Int
  /// Where the identity starts.
  public let bound: Double

  /// Splines of so many bins.
  public init(bins: Int = 8, bound: Double = 3) { (self.bins, self.bound) = (bins, bound) }

  public var numbersPerElement: Int { RationalQuadraticSpline.parameterCount(bins: bins) }

  /// Element by element: widths, heights, derivatives.
  public func callAsFunction(_ numbers: Tensor) -> RationalQuadraticSpline {
    let count = numbersPerElement
    return RationalQuadraticSpline(
      unconstrained: numbers.reshaped(
        numbers.shape.prefix(numbers.rank - 1) + [numbers.shape[-1] / count, count]),
      bound: bound)
  }
}

/// Elements of one half changed by maps that depend on the other half.
public struct CouplingBijection<Elements: ElementMaps>: DetachableBijection {
  /// From the half that stays to the numbers of the maps.
  public let network: BoundNetwork
  /// The kind of maps.
  public let elements: Elements
  /// The elements that are changed: the first ones or the last ones.
  public let changed: Range<Int>

  /// A map of the elements `changed`, which must lie at one end.
  public init(_ network: BoundNetwork, _ elements: Elements, changed: Range<Int>) {
    (self.network, self.elements, self.changed) = (network, elements, changed)
  }

  public var detached: CouplingBijection {
    CouplingBijection(network.detached, elements, changed: changed)
  }

  private func apply(
    _ x: Tensor, _ map: (Elements.Map, Tensor) -> (value: Tensor, logDeterminant: Tensor)
  ) -> (value: Tensor, logDeterminant: Tensor) {
    let isFirst = changed.lowerBound == 0
    let kept = x.sliced(-1, isFirst ? changed.upperBound..<x.shape[-1] : 0..<changed.lowerBound)
    let (value, logDeterminant) = map(elements(network(kept)), x.sliced(-1, changed))
    // Conditions may have more examples than the elements: a mixture asks all components about one value.
    let same = kept.broadcast(to: value.shape.replacing(-1, with: kept.shape[-1]))
    return (
      Tensor.concatenate(isFirst ? [value, same] : [same, value], axis: -1), logDeterminant
    )
  }

  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    apply(x) { $0.forward($1) }
  }

  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    apply(y) { $0.inverse($1) }
  }
}

/// Coupling steps that change the last half of the elements and the first half in turn.
public struct CouplingFlow<Elements: ElementMaps>: Flow {
  /// The network of each step.
  public var steps: [ConditionalNetwork]
  /// How elements are changed.
  public let elements: Elements
  /// How many elements.
  public let size: Int
  /// How many numbers of context for each example.
  public let context: Int

  /// `depth` steps of networks with `hidden` widths, whose outputs start at 0: the identity. Traps unless there are
  /// two elements or more: one has no other half.
  public init(
    size: Int, depth: Int, hidden: [Int], context: Int = 0, elements: Elements,
    output: Initializer = .constant(0), using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      size > 1, "CouplingFlow of \(size) elements: expected 2 or more", file: file, line: line)
    steps = (0..<depth).map { index in
      let changed = CouplingFlow.changed(index, size).count
      return ConditionalNetwork(
        inputs: size - changed, outputs: changed * elements.numbersPerElement, hidden: hidden,
        context: context, output: output, using: &random)
    }
    (self.elements, self.size, self.context) = (elements, size, context)
  }

  /// The elements that step `index` changes.
  private static func changed(_ index: Int, _ size: Int) -> Range<Int> {
    index % 2 == 0 ? size / 2..<size : 0..<size / 2
  }

  /// Weights and biases of such a flow, in double.
  static func parameterCount(
    size: Int, depth: Int, hidden: [Int], context: Int, elements: Elements
  ) -> Double {
    func step(_ index: Int) -> Double {
      let changed = changed(index, size).count
      return ConditionalNetwork.parameterCount(
        inputs: size - changed, outputs: changed * elements.numbersPerElement, hidden: hidden,
        context: context)
    }
    return Double((depth + 1) / 2) * step(0) + Double(depth / 2) * step(1)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&steps, "steps")
  }

  public var conditions: [RawOutputs] { context > 0 ? [RawOutputs(context)] : [] }

  public func callAsFunction(
    _ conditions: Tensor?
  ) -> BijectionChain<CouplingBijection<Elements>> {
    BijectionChain(
      steps.enumerated().map { index, network in
        CouplingBijection(
          network.bound(to: conditions), elements, changed: CouplingFlow.changed(index, size))
      })
  }
}
