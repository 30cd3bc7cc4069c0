// The convolutional hierarchy in words: convolutions between pictures and the lowest level, dense levels above.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Levels of latents above the convolutions of `ConvNetwork`.
public struct LadderConvNetwork: LadderNetwork {
  public static let architecture = "ladder-conv"
  public static let presets = [
    NetworkPreset(architecture, "several levels of latents above convolutions") {
      LadderConvNetwork(channels: ConvNetwork.fitting($0).channels)
    }
  ]

  /// Channels of the encoder's convolutions, each of which halves the image; the decoder has them in
  /// reverse.
  public var channels: [Int]
  /// Width of the fully connected layer between the smallest image and the features of the lowest level.
  public var hidden: Int
  /// Widths of the levels' features and states, from the data up.
  public var widths: [Int]
  /// Latents of each level.
  public var latents: [Int]
  /// What levels depend on.
  public var path: HierarchyPath
  /// How the posterior is put together.
  public var merging: HierarchyMerging

  /// `channels` has one number for each halving of the image, `widths` and `latents` one for each level.
  public init(
    channels: [Int], hidden: Int = 256, widths: [Int] = [200, 100], latents: [Int] = [16, 8],
    path: HierarchyPath = .topDown, merging: HierarchyMerging = .precision
  ) {
    self.channels = channels
    self.hidden = hidden
    self.widths = widths
    self.latents = latents
    self.path = path
    self.merging = merging
  }

  /// The convolutions, with features of the lowest level in the place of latents.
  private var convolutions: ConvNetwork {
    ConvNetwork(channels: channels, hidden: hidden, latentSize: widths[0])
  }

  public func validate(inputShape: [Int]) throws {
    try checkLevels()
    try convolutions.validate(inputShape: inputShape)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    levelParameterCount
      + convolutions.parameterCount(
        inputShape: inputShape, posteriorOutputs: widths[0], outputsPerElement: outputsPerElement)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel {
    let bottom = ConvEncoder(
      inputShape: inputShape, channels: channels, hidden: hidden, latentSize: widths[0],
      posterior: PointHead(), using: &random)
    let output = ConvDecoder(
      latentSize: widths[0], hidden: hidden, channels: channels, outputShape: inputShape,
      head: head, using: &random)
    return makeModel(bottom: bottom, output: output, activation: .relu, using: &random)
  }

  // MARK: Files

  private enum CodingKeys: String, CodingKey {
    case channels, hidden, widths, latents, path, merging
  }

  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    channels = try values.decode([Int].self, forKey: .channels)
    hidden = try values.decode(Int.self, forKey: .hidden)
    widths = try values.decode([Int].self, forKey: .widths)
    latents = try values.decode([Int].self, forKey: .latents)
    path = try values.decodeWord(forKey: .path)
    merging = try values.decodeWord(forKey: .merging)
  }
}
