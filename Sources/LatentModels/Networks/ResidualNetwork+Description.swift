// The residual network as a description: the sizes that its encoder and decoder are made from are what
// files hold.

import LatentAutodiff
import LatentLayers
import LatentNumerics

extension ResidualNetwork: HeadedNetworkDescription {
  public static let architecture = "resnet"
  public static let presets = [
    NetworkPreset(
      architecture, "residual blocks, latents in their place", likelihood: .normal
    ) { fitting($0) },
    NetworkPreset(
      "resnet64", "the same for sides of 64: latents [16, 16, 4]", likelihood: .unitNormal
    ) { _ in ResidualNetwork() },
  ]

  /// Up to three levels, as long as the smallest image has at least 4 pixels a side.
  public static func fitting(_ inputShape: [Int]) -> ResidualNetwork {
    let levels = ResidualNetwork().channels
    return ResidualNetwork(
      channels: Array(levels.prefix(1 + halvings(of: inputShape, least: 4))))
  }

  public func latentShape(inputShape: [Int]) -> [Int] {
    latentShape(of: Shape(inputShape)).dimensions
  }

  public func validate(inputShape: [Int]) throws {
    try check(widths: channels, "channels")
    try check(!channels.isEmpty, "channels", channels, "at least one level")
    try check(depth: blocks, "blocks")
    try check(size: latentChannels, "latentChannels")
    try check(size: groups, "groups")
    try check(
      channels.allSatisfy { $0 % groups == 0 }, "groups", groups,
      "a number that divides all of channels \(channels)")
    try check(epsilon > 0 && epsilon.isFinite, "epsilon", epsilon, "a positive number")
    try check(inputShape: inputShape, halvings: channels.count - 1)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    func conv(_ channels: Int, _ outputs: Int, kernel: Int = 3) -> Double {
      LayerParameters.convolution(channels, outputs, kernel: kernel)
    }
    func block(_ channels: Int, _ outputs: Int) -> Double {
      2 * Double(channels) + conv(channels, outputs) + 2 * Double(outputs) + conv(outputs, outputs)
        + (channels == outputs ? 0 : conv(channels, outputs, kernel: 1))
    }
    /// The levels in either direction with the block at the smallest image and the last norm.
    func trunk(_ widths: [Int], smallest: Int, last: Int) -> Double {
      let levels = zip([widths[0]] + widths, widths).reduce(0) {
        $0 + block($1.0, $1.1) + Double(blocks - 1) * block($1.1, $1.1)
      }
      let steps = widths.dropLast().reduce(0) { $0 + conv($1, $1) }
      return levels + steps + block(smallest, smallest) + 2 * Double(last)
    }
    let (first, last) = (channels[0], channels[channels.count - 1])
    let encoder =
      conv(inputShape[2], first) + trunk(channels, smallest: last, last: last)
      + conv(last, posteriorOutputs)
    let decoder =
      conv(latentChannels, last)
      + trunk(channels.reversed(), smallest: last, last: first)
      + conv(first, inputShape[2] * outputsPerElement)
    return encoder + decoder
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = ResidualEncoder(
      inputShape: inputShape, network: self, posterior: posterior, using: &random)
    let decoder = ResidualDecoder(
      outputShape: inputShape, head: head, network: self, using: &random)
    return VAE(
      encoder: encoder, decoder: decoder,
      prior: prior)
  }
}
