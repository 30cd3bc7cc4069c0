// The network of convolutions alone, in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `ConvMapEncoder` and `ConvMapDecoder`.
public struct ConvMapNetwork: HeadedNetworkDescription {
  public static let architecture = "conv-map"
  public static let presets = [
    NetworkPreset(architecture, "convolutions alone, latents in their place") { fitting($0) },
    NetworkPreset(
      "vq28", "the same for sides of 28, with codes: 7 by 7 of 512", likelihood: .unitNormal,
      posterior: CodesPosterior()
    ) { _ in ConvMapNetwork(channels: [32, 64], latentChannels: 64) },
  ]

  /// Channels of the encoder's convolutions, each of which halves the image; the decoder has them in reverse.
  public var channels: [Int]
  /// Channels of the latents, which keep their place in the image.
  public var latentChannels: Int

  /// `channels` has one number for each halving of the image.
  public init(channels: [Int], latentChannels: Int = 16) {
    self.channels = channels
    self.latentChannels = latentChannels
  }

  /// Two convolutions, or one where sides can be halved once only.
  public static func fitting(_ inputShape: [Int]) -> ConvMapNetwork {
    ConvMapNetwork(channels: halvings(of: inputShape, least: 2) < 2 ? [32] : [32, 64])
  }

  public func latentShape(inputShape: [Int]) -> [Int] {
    let factor = 1 << channels.count
    return [inputShape[0] / factor, inputShape[1] / factor, latentChannels]
  }

  public func validate(inputShape: [Int]) throws {
    try check(size: latentChannels, "latentChannels")
    try check(widths: channels, "channels")
    try check(!channels.isEmpty, "channels", channels, "at least one convolution")
    try check(inputShape: inputShape, halvings: channels.count)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let last = channels[channels.count - 1]
    let up = Array(channels.reversed()) + [inputShape[2] * outputsPerElement]
    return LayerParameters.convolutions([inputShape[2]] + channels)
      + LayerParameters.convolution(last, posteriorOutputs, kernel: 1)
      + LayerParameters.convolution(latentChannels, last, kernel: 1)
      + LayerParameters.convolutions(up)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = ConvMapEncoder(
      inputShape: inputShape, channels: channels, latentChannels: latentChannels,
      posterior: posterior, using: &random)
    let decoder = ConvMapDecoder(
      latentChannels: latentChannels, channels: channels, outputShape: inputShape, head: head,
      using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
