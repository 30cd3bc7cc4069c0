// The fully connected networks in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `MLPEncoder` and `MLPDecoder`: the network of Kingma and Welling (2014).
public struct MLPNetwork: HeadedNetworkDescription {
  public static let architecture = "mlp"
  public static let presets = [
    NetworkPreset(architecture, "fully connected") { _ in MLPNetwork() }
  ]

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

  public func parameterCount(inputShape: [Int], outputsPerElement: Int) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear([inputs] + hidden + [2 * latentSize])
      + LayerParameters.linear([latentSize] + hidden.reversed() + [inputs * outputsPerElement])
  }

  public func makeModel(
    inputShape: Shape, head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = MLPEncoder(
      inputShape: inputShape, hidden: hidden, latentSize: latentSize, using: &random)
    let decoder = MLPDecoder(
      latentSize: latentSize, hidden: hidden.reversed(), outputShape: inputShape, head: head,
      using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: .standardNormal(latentSize))
  }
}

/// `MLPPointEncoder` and `MLPDecoder`: a point instead of a posterior, a plain autoencoder.
public struct MLPAutoencoderNetwork: HeadedNetworkDescription {
  public static let architecture = "mlp-autoencoder"
  public static let presets = [
    NetworkPreset(architecture, "the same without a posterior: a plain autoencoder") { _ in
      MLPAutoencoderNetwork()
    }
  ]

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

  public func parameterCount(inputShape: [Int], outputsPerElement: Int) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear([inputs] + hidden + [latentSize])
      + LayerParameters.linear([latentSize] + hidden.reversed() + [inputs * outputsPerElement])
  }

  public func makeModel(
    inputShape: Shape, head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = MLPPointEncoder(
      inputShape: inputShape, hidden: hidden, latentSize: latentSize, using: &random)
    let decoder = MLPDecoder(
      latentSize: latentSize, hidden: hidden.reversed(), outputShape: inputShape, head: head,
      using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: .standardNormal(latentSize))
  }
}
