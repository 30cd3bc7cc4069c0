// The networks inside of flows: dense layers to which a context is added at the first one, and whose connections may be
// masked so that each output sees earlier inputs only (Germain, Gregor, Murray and Larochelle 2015: MADE).
//
// Input i, from 1, has degree i; hidden unit j, from 0, degree 1 + j mod (size - 1). A hidden unit is connected to what
// has at most its degree, an output to what has less than its own: it depends on inputs 1 to i - 1. Of one input hidden
// units have degree 0: connected to the context only.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A linear layer, some of whose connections may be missing: `[..., inputs] -> [..., outputs]`.
public struct MaskedLinear: Module {
  /// `[outputs, inputs]`, of which only what the mask leaves counts.
  public var weight: Tensor
  /// `[outputs]`.
  public var bias: Tensor
  /// 1 where there is a connection, `[outputs, inputs]`; nil where all are.
  public let mask: NDArray?

  /// First weights by `initializer`, as those of a whole layer; the bias starts at 0, but with `.pyTorch`.
  public init(
    _ inputs: Int, _ outputs: Int, mask: NDArray? = nil, initializer: Initializer = .pyTorch,
    using random: inout RandomStream
  ) {
    require(
      mask.map { $0.shape == [outputs, inputs] } ?? true,
      "MaskedLinear: a mask \(mask?.shape ?? []) for weights [\(outputs), \(inputs)]")
    weight = initializer([outputs, inputs], using: &random)
    let biasRule = initializer == .pyTorch ? initializer : .constant(0)
    bias = biasRule([outputs], fanIn: inputs, using: &random)
    self.mask = mask
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.enterArithmetic()
    visitor.visit(&weight, "weight")
    visitor.leaveArithmetic()
    visitor.visit(&bias, "bias")
  }

  /// The outputs, with `context` `[batch, outputs]` added before the activation.
  public func callAsFunction(
    _ x: Tensor, adding context: Tensor? = nil, _ activation: Activation
  ) -> Tensor {
    let connected = mask.map { weight * Tensor($0).converted(to: weight.dtype) } ?? weight
    guard let context else {
      return linear(x, weight: connected, bias: bias, activation: activation)
    }
    return activation(linear(x, weight: connected, bias: bias) + context)
  }
}

/// Dense layers of a vector and, where there is one, a context.
public struct ConditionalNetwork: Module {
  /// From inputs to outputs, an activation after each but the last.
  public var layers: [MaskedLinear]
  /// From the context to what is added in the first layer, without a bias; nil where there is no context.
  public var context: Linear?
  /// After each layer but the last.
  public let activation: Activation

  private init(
    widths: [Int], masks: [NDArray?], context: Int, activation: Activation, output: Initializer,
    using random: inout RandomStream
  ) {
    let last = widths.count - 2
    layers = (0...last).map { index in
      MaskedLinear(
        widths[index], widths[index + 1], mask: masks[index],
        initializer: index == last ? output : .pyTorch, using: &random)
    }
    self.context =
      context > 0 ? Linear(context, widths[1], bias: false, using: &random) : nil
    self.activation = activation
  }

  /// Every output sees every input. Outputs start at 0 unless `output` says otherwise.
  public init(
    inputs: Int, outputs: Int, hidden: [Int], context: Int = 0, activation: Activation = .relu,
    output: Initializer = .constant(0), using random: inout RandomStream
  ) {
    self.init(
      widths: [inputs] + hidden + [outputs], masks: [nil] + hidden.map { _ in nil },
      context: context, activation: activation, output: output, using: &random)
  }

  /// The outputs of element i, `numbers` of them at i, size + i, 2 size + i and so on, see elements before i and
  /// the context. They start at 0 unless `output` says otherwise.
  public init(
    autoregressive size: Int, numbers: Int, hidden: [Int], context: Int = 0,
    activation: Activation = .relu, output: Initializer = .constant(0),
    using random: inout RandomStream
  ) {
    self.init(
      widths: [size] + hidden + [numbers * size],
      masks: ConditionalNetwork.masks(size: size, numbers: numbers, hidden: hidden),
      context: context, activation: activation, output: output, using: &random)
  }

  /// The masks of an autoregressive network, layer by layer.
  static func masks(size: Int, numbers: Int, hidden: [Int]) -> [NDArray] {
    let degrees =
      [Array(1...size)]
      + hidden.map { width in (0..<width).map { size > 1 ? 1 + $0 % (size - 1) : 0 } }
    let outputs = (0..<numbers * size).map { 1 + $0 % size }
    func mask(_ from: [Int], _ to: [Int], _ isConnected: (Int, Int) -> Bool) -> NDArray {
      Tensor(
        to.flatMap { to in from.map { isConnected($0, to) ? Float(1) : 0 } },
        shape: [to.count, from.count]
      ).array
    }
    return zip(degrees, degrees.dropFirst()).map { mask($0, $1, <=) }
      + [mask(degrees[degrees.count - 1], outputs, <)]
  }

  /// Weights and biases, in double.
  static func parameterCount(
    inputs: Int, outputs: Int, hidden: [Int], context: Int
  ) -> Double {
    let widths = [inputs] + hidden + [outputs]
    return LayerParameters.linear(widths) + Double(context) * Double(widths[1])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
    visitor.visit(&context, "context")
  }

  /// The network for one context `[batch, context]`, or for none.
  public func bound(to context: Tensor?) -> BoundNetwork {
    require(
      (context == nil) == (self.context == nil),
      "ConditionalNetwork: \(context == nil ? "no" : "a") context, expected "
        + (self.context == nil ? "none" : "one"))
    return BoundNetwork(network: self, addition: context.flatMap { given in self.context?(given) })
  }
}

/// A network that has been told its context.
public struct BoundNetwork: Sendable {
  let network: ConditionalNetwork
  /// What the context adds to the first layer, `[batch, width]`.
  let addition: Tensor?

  /// The same network, whose parameters and context carry no derivative.
  var detached: BoundNetwork {
    BoundNetwork(
      network: network.mapParameters { $0.detached }, addition: addition?.detached)
  }

  /// `[..., inputs] -> [..., outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let last = network.layers.count - 1
    var value = x
    for (index, layer) in network.layers.enumerated() {
      value = layer(
        value, adding: index == 0 ? addition : nil, index == last ? .none : network.activation)
    }
    return value
  }
}
