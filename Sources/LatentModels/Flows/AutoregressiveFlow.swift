// Flows whose elements depend on those before: one way all at once, the other way one after the other. Inverse
// autoregressive flows draw all at once (Kingma et al. 2016, equations 10 to 14), masked autoregressive flows know
// the density of any value all at once (Papamakarios, Pavlakou and Murray 2017, equations 3 to 5); they are each
// other's inverse.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// What becomes of the two numbers m and s that the network has for an element.
public enum AutoregressiveScaling: Sendable, Hashable {
  /// `y = x e^s + m`.
  case exponential
  /// `y = g x + (1 - g) m` with g = sigmoid(s + bias): the numerically tame form, which forgets at most what g
  /// lets it. Zeros are not the identity: g = sigmoid(bias).
  case gated(bias: Double)
  /// `y = (x - m) e^-s`: the direction of densities of a masked autoregressive flow.
  case standardizing

  /// The affine map of m and s, `[..., size]` each.
  func map(_ m: Tensor, _ s: Tensor) -> AffineBijection {
    switch self {
    case .exponential: AffineBijection(shift: m, logScale: s)
    case .gated(let bias):
      AffineBijection(shift: sigmoid(-(s + bias)) * m, logScale: logSigmoid(s + bias))
    case .standardizing: AffineBijection(shift: -(m * exp(-s)), logScale: -s)
    }
  }
}

/// An affine map of each element whose numbers depend on the elements before it.
public struct AutoregressiveBijection: DetachableBijection {
  /// Gives m, then s, `[..., 2 size]`, each element's from those before it.
  public let network: BoundNetwork
  /// What they do.
  public let scaling: AutoregressiveScaling

  /// A map of this network, which must be autoregressive with two numbers for each element.
  public init(_ network: BoundNetwork, _ scaling: AutoregressiveScaling) {
    (self.network, self.scaling) = (network, scaling)
  }

  public var detached: AutoregressiveBijection {
    AutoregressiveBijection(network.detached, scaling)
  }

  private func map(at x: Tensor) -> AffineBijection {
    let halves = network(x).split(into: 2, axis: -1)
    return scaling.map(halves[0], halves[1])
  }

  /// All elements at once.
  public func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    map(at: x).forward(x)
  }

  /// One element after the other: as many passes of the network as there are elements.
  public func inverse(_ y: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let size = y.shape[-1]
    var (x, logScale) = (y.zerosLike, y.zerosLike)
    for element in 0..<size {
      let map = map(at: x)
      // Elements that are not known yet stay 0: what a network makes of them counts nowhere, but infinity
      // times a mask's zero would.
      let isNow = Tensor.oneHot(Tensor([Int32(element)], shape: []), classes: size, y.dtype)
      x = Tensor.where(isNow, map.inverse(y).value, x)
      logScale = Tensor.where(isNow, map.logScale, logScale)
    }
    return (x, -(logScale.sum(axes: [-1])))
  }
}

/// Autoregressive steps, before each but the first of which the elements are reversed.
public struct AutoregressiveFlow: Flow {
  /// A step: the order, then the map.
  public typealias Step = Composition<PermutationBijection, AutoregressiveBijection>

  /// The network of each step.
  public var steps: [ConditionalNetwork]
  /// What their numbers do.
  public let scaling: AutoregressiveScaling
  /// How many elements.
  public let size: Int
  /// How many numbers of context for each example.
  public let context: Int

  /// `depth` steps of networks with `hidden` widths; their outputs start at 0 unless `output` says otherwise.
  public init(
    size: Int, depth: Int, hidden: [Int], context: Int = 0, scaling: AutoregressiveScaling,
    output: Initializer = .constant(0), using random: inout RandomStream
  ) {
    steps = (0..<depth).map { _ in
      ConditionalNetwork(
        autoregressive: size, numbers: 2, hidden: hidden, context: context, output: output,
        using: &random)
    }
    (self.scaling, self.size, self.context) = (scaling, size, context)
  }

  /// Weights and biases of such a flow, in double.
  static func parameterCount(size: Int, depth: Int, hidden: [Int], context: Int) -> Double {
    Double(depth)
      * ConditionalNetwork.parameterCount(
        inputs: size, outputs: 2 * size, hidden: hidden, context: context)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&steps, "steps")
  }

  public var conditions: [RawOutputs] { context > 0 ? [RawOutputs(context)] : [] }

  public func callAsFunction(_ conditions: Tensor?) -> BijectionChain<Step> {
    BijectionChain(
      steps.enumerated().map { index, network in
        (index == 0 ? PermutationBijection.identity(size) : .reversal(size))
          .then(AutoregressiveBijection(network.bound(to: conditions), scaling))
      })
  }
}
