// The other player of adversarial objectives: a network that tells two kinds of things apart. Whether its
// outputs are logits of a classifier or the values of a Wasserstein critic is the objective's affair.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A network that judges examples.
public protocol Critic: Module {
  /// What each hidden layer makes of x `[batch, ...]`, from the first to the last, then the logits
  /// `[batch, outputs]`.
  func activations(_ x: Tensor) -> [Tensor]
}

extension Critic {
  /// Logits of x: `[batch, ...] -> [batch, outputs]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    let values = activations(x)
    return values[values.count - 1]
  }

  /// Logits of both kinds, `[batch, outputs]` each, from one pass.
  func judge(_ first: Tensor, _ second: Tensor) -> (first: Tensor, second: Tensor) {
    let logits = self(Tensor.concatenate([first, second], axis: 0))
    let count = first.shape[0]
    return (logits.sliced(0, 0..<count), logits.sliced(0, count..<logits.shape[0]))
  }
}

/// A critic of latents: fully connected, a leaky ReLU of slope 0.2 after each hidden layer.
public struct CodeCritic: Critic {
  /// The hidden layers, then the one that makes the logits.
  public var layers: [Linear]

  /// For latents of a shape, through hidden layers of these widths.
  public init(
    _ shape: Shape, hidden widths: [Int], outputs: Int = 1, using random: inout RandomStream
  ) {
    let sizes = [shape.count] + widths + [outputs]
    layers = zip(sizes, sizes.dropFirst()).map { Linear($0, $1, using: &random) }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&layers, "layers")
  }

  public func activations(_ z: Tensor) -> [Tensor] {
    layers.dropFirst().reduce(into: [layers[0](z.flattened(from: 1))]) { values, layer in
      values[values.count - 1] = leaky(values[values.count - 1])
      values.append(layer(values[values.count - 1]))
    }
  }
}

/// A critic of data: convolutions of kernel 4 and stride 2 for pictures `[height, width, channels]`, hidden
/// layers for anything else, a leaky ReLU of slope 0.2 after each (Radford, Metz and Chintala 2016).
public struct PictureCritic: Critic {
  /// Half of DCGAN's channels.
  public static let standardChannels = [64, 128, 256]
  /// Widths of the hidden layers that examples go through that are no pictures.
  public static let standardWidths = [512, 512]

  /// Each halves height and width; none where the data are no pictures.
  public var convolutions: [Conv2D]
  /// From what the convolutions leave to the logits.
  public var dense: CodeCritic

  /// For examples of a shape. Pictures go through as many of the convolutions as they can be halved
  /// down to sides of 4; where that is not even once, and where they are no pictures, examples go
  /// through hidden layers of `widths`.
  public init(
    _ shape: Shape, channels: [Int], hidden widths: [Int], outputs: Int = 1,
    using random: inout RandomStream
  ) {
    let channels = PictureCritic.convolutions(of: shape, channels)
    var (left, inputs) = (shape, shape[-1])
    convolutions = []
    for outputs in channels {
      convolutions.append(
        Conv2D(inputs, outputs, kernel: 4, stride: 2, padding: 1, using: &random))
      (left, inputs) = ([left[0] / 2, left[1] / 2, outputs], outputs)
    }
    dense = CodeCritic(
      left, hidden: channels.isEmpty ? widths : [], outputs: outputs, using: &random)
  }

  /// Those of the convolutions that examples of the shape go through.
  static func convolutions(of shape: Shape, _ channels: [Int]) -> [Int] {
    Array(channels.prefix(halvings(of: shape.dimensions, least: 4)))
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&dense, "dense")
  }

  public func activations(_ x: Tensor) -> [Tensor] {
    var values: [Tensor] = []
    for convolution in convolutions { values.append(leaky(convolution(values.last ?? x))) }
    return values + dense.activations(values.last ?? x)
  }
}

private func leaky(_ x: Tensor) -> Tensor { leakyRelu(x, slope: 0.2) }

/// What an objective with a critic brings along.
public struct CriticParts<Judge: Critic>: Module {
  /// The critic, at `objective.critic`.
  public var critic: Judge

  /// Nothing but a critic.
  public init(critic: Judge) { self.critic = critic }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&critic, "critic")
  }
}

/// The cross-entropy, in nats for each thing judged, of logits for being real: log 2 where they know nothing
/// (Goodfellow et al. 2014, equation 1, as a loss and divided by two).
func discrimination(real: Tensor, fake: Tensor) -> Tensor {
  (unreality(real) + softplus(fake).mean()) * 0.5
}

/// -log D in nats, the mean of how little things look real: what fakes minimise who cannot wait for a
/// critic that is sure of itself (the same, section 3).
func unreality(_ logits: Tensor) -> Tensor { softplus(-logits).mean() }
