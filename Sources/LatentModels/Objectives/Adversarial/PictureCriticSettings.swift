// The critic of data in words: what objectives that show data to a critic have in common.

import LatentLayers
import LatentNumerics

/// The network of a critic of data, in words.
public struct PictureCriticSettings: Sendable, Hashable, CustomStringConvertible {
  /// Channels of the convolutions that pictures go through, as far as they can be halved.
  public var channels: [Int]
  /// Widths of the hidden layers that other data go through.
  public var hidden: [Int]
  /// The critic's learning rate.
  public var learningRate: Double

  /// Half of DCGAN's channels (Radford, Metz and Chintala 2016) unless told otherwise.
  public init(
    channels: [Int] = [64, 128, 256], hidden: [Int] = [512, 512], learningRate: Double = 2e-4
  ) {
    self.channels = channels
    self.hidden = hidden
    self.learningRate = learningRate
  }

  /// `(channels: [64, 128], hidden: [512], learningRate: 0.0002)`.
  public var description: String {
    "(channels: \(channels), hidden: \(hidden), learningRate: \(learningRate))"
  }

  func parts(
    for model: some LatentVariableModel, using random: inout RandomStream
  ) -> CriticParts<PictureCritic> {
    CriticParts(
      critic: PictureCritic(
        InputForm(of: model).shape, channels: channels, hidden: hidden, using: &random))
  }
}

extension ObjectiveDescription {
  /// The numbers of a critic of data.
  func check(_ channels: [Int], _ hidden: [Int], _ learningRate: Double) throws {
    try check(widths: channels, "criticChannels")
    // A kernel of 4 by 4 has sixteen weights where a linear layer has one.
    try check(
      LayerParameters.linear(channels) * 16 <= Double(ModelDescription.maximumParameters),
      "criticChannels", channels, "at most \(ModelDescription.maximumParameters) parameters")
    try check(widths: hidden, "criticHidden")
    try check(learningRate: learningRate, "criticLearningRate")
  }
}
