// The convolutional network in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `ConvEncoder` and `ConvDecoder`.
public struct ConvNetwork: HeadedNetworkDescription {
  public static let architecture = "conv"
  public static let presets = [
    NetworkPreset(architecture, "convolutions down to a side of 4 to 7") { fitting($0) },
    NetworkPreset("conv28", "the same for sides of 28: channels 32, 64") { _ in
      ConvNetwork(channels: [32, 64])
    },
    NetworkPreset("conv64", "the same for sides of 64: channels 32, 32, 64, 64") { _ in
      ConvNetwork(channels: [32, 32, 64, 64], latentSize: 10)
    },
  ]

  /// Channels of the encoder's convolutions, each of which halves the image; the decoder has them in
  /// reverse.
  public var channels: [Int]
  /// Width of the fully connected layer between image and latents.
  public var hidden: Int
  /// Latents of an example.
  public var latentSize: Int

  /// `channels` has one number for each halving of the image.
  public init(channels: [Int], hidden: Int = 256, latentSize: Int = 16) {
    self.channels = channels
    self.hidden = hidden
    self.latentSize = latentSize
  }

  /// As many convolutions as leave at least 4 pixels a side, 32 channels in the first half of them and
  /// 64 in the second.
  public static func fitting(_ inputShape: [Int]) -> ConvNetwork {
    let count = max(1, halvings(of: inputShape, least: 4))
    return ConvNetwork(channels: (0..<count).map { $0 < count / 2 ? 32 : 64 })
  }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws {
    try check(size: latentSize, "latentSize")
    try check(size: hidden, "hidden")
    try check(widths: channels, "channels")
    try check(!channels.isEmpty, "channels", channels, "at least one convolution")
    try check(inputShape: inputShape, halvings: channels.count)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let factor = 1 << channels.count
    let last = channels[channels.count - 1]
    // In double: an image of many channels may overflow.
    let flat = Double(inputShape[0] / factor) * Double(inputShape[1] / factor) * Double(last)
    let (width, down) = (Double(hidden), [inputShape[2]] + channels)
    let up = Array(channels.reversed()) + [inputShape[2] * outputsPerElement]
    return LayerParameters.convolutions(down) + (flat + 1) * width
      + LayerParameters.linear(hidden, posteriorOutputs)
      + LayerParameters.linear(latentSize, hidden) + (width + 1) * flat
      + LayerParameters.convolutions(up)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = ConvEncoder(
      inputShape: inputShape, channels: channels, hidden: hidden, latentSize: latentSize,
      posterior: posterior, using: &random)
    let decoder = ConvDecoder(
      latentSize: latentSize, hidden: hidden, channels: channels, outputShape: inputShape,
      head: head, using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
