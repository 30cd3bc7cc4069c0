// The second of two variational autoencoders (Dai and Wipf 2019): its data are the codes of the first, as many numbers as
// it has latents of its own, so that it has nothing to leave out and can make its codes look like a normal.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Hidden layers with a ReLU each, and the input once more beside what they make of it.
public struct ShortcutMLP: Layer {
  /// The hidden layers.
  public var hidden: MLP

  /// Hidden layers of these widths, for so many inputs.
  public init(_ inputs: Int, hidden widths: [Int], using random: inout RandomStream) {
    hidden = MLP([inputs] + widths, activation: .relu, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&hidden, "hidden")
  }

  /// `[..., inputs] -> [..., width of the last layer + inputs]`.
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor {
    Tensor.concatenate([hidden(x, &context), x], axis: -1)
  }
}

/// A variational autoencoder of codes `[batch, size]`, whose likelihood is a normal with one learned deviation.
public typealias SecondStage = VAE<
  DenseEncoder<ShortcutMLP, DiagonalHead>, DenseDecoder<ShortcutMLP, NormalHead>,
  StandardNormalPrior
>

extension VAE
where
  E == DenseEncoder<ShortcutMLP, DiagonalHead>, D == DenseDecoder<ShortcutMLP, NormalHead>,
  P == StandardNormalPrior
{
  /// As many latents as a code has numbers; the deviation starts at 1.
  public init(codes size: Int, hidden widths: [Int], using random: inout RandomStream) {
    let width = size + (widths.last ?? size)
    func shortcut() -> ShortcutMLP { ShortcutMLP(size, hidden: widths, using: &random) }
    let encoder = DenseEncoder(
      hidden: shortcut(), width: width, latentSize: size, posterior: DiagonalHead(), using: &random)
    let decoder = DenseDecoder(
      hidden: shortcut(), width: width, outputShape: [size], head: NormalHead(.shared()),
      using: &random)
    self.init(encoder: encoder, decoder: decoder, prior: .standardNormal(size))
  }
}
