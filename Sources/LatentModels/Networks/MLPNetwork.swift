// The fully connected networks in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `MLPEncoder` and `MLPDecoder`: the network of Kingma and Welling (2014).
public struct MLPNetwork: HeadedNetworkDescription {
  public static let architecture = "mlp"
  public static let presets = [
    NetworkPreset(architecture, "fully connected") { _ in MLPNetwork() },
    NetworkPreset(
      autoencoder, "the same with a point as posterior: a plain autoencoder",
      posterior: PointPosterior()
    ) { _ in MLPNetwork() },
  ]

  /// The name of the plain autoencoder; it was an architecture in files of the first versions.
  static let autoencoder = "mlp-autoencoder"

  /// Widths of the encoder's hidden layers; the decoder has them in reverse.
  public var hidden: [Int]
  /// Latents of an example.
  public var latentSize: Int

  /// `hidden` are the widths of the encoder's layers; the decoder has them in reverse.
  public init(hidden: [Int] = [400], latentSize: Int = 20) {
    self.hidden = hidden
    self.latentSize = latentSize
  }

  public func validate(inputShape: [Int]) throws {
    try check(size: latentSize, "latentSize")
    try check(widths: hidden, "hidden")
  }

  public func parameterCount(
    inputShape: [Int], outputsPerLatent: Int, outputsPerElement: Int
  ) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear([inputs] + hidden + [outputsPerLatent * latentSize])
      + LayerParameters.linear([latentSize] + hidden.reversed() + [inputs * outputsPerElement])
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = DenseEncoder<MLP, _>(
      inputShape: inputShape, hidden: hidden, latentSize: latentSize, posterior: posterior,
      using: &random)
    let decoder = MLPDecoder(
      latentSize: latentSize, hidden: hidden.reversed(), outputShape: inputShape, head: head,
      using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: .standardNormal(latentSize))
  }
}
