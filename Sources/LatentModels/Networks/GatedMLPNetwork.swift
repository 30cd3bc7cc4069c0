// The gated fully connected network in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `GatedMLPEncoder` and `GatedMLPDecoder`, by default as Tomczak and Welling (2018) have them.
public struct GatedMLPNetwork: HeadedNetworkDescription {
  public static let architecture = "gated-mlp"
  public static let presets = [
    NetworkPreset(architecture, "fully connected with gates, as of the VampPrior") { _ in
      GatedMLPNetwork()
    }
  ]

  /// Widths of the encoder's hidden layers; the decoder has them in reverse.
  public var hidden: [Int]
  /// Latents of an example.
  public var latentSize: Int

  /// `hidden` are the widths of the encoder's layers; the decoder has them in reverse.
  public init(hidden: [Int] = [300, 300], latentSize: Int = 40) {
    self.hidden = hidden
    self.latentSize = latentSize
  }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws {
    try check(size: latentSize, "latentSize")
    try check(widths: hidden, "hidden")
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let inputs = inputShape.reduce(1, *)
    let up = Array(hidden.reversed())
    return 2 * LayerParameters.linear([inputs] + hidden)
      + LayerParameters.linear(hidden.last ?? inputs, posteriorOutputs)
      + 2 * LayerParameters.linear([latentSize] + up)
      + LayerParameters.linear(up.last ?? latentSize, inputs * outputsPerElement)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = DenseEncoder<GatedMLP, _>(
      inputShape: inputShape, hidden: hidden, latentSize: latentSize, posterior: posterior,
      using: &random)
    let decoder = GatedMLPDecoder(
      latentSize: latentSize, hidden: hidden.reversed(), outputShape: inputShape, head: head,
      using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
