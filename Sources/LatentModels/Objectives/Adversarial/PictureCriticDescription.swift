// The critic of data in words: what objectives that show data to a critic have in common.

import LatentLayers
import LatentNumerics

/// An objective that shows data to a critic.
public protocol PictureCriticDescription: ObjectiveDescription {
  /// Channels of the convolutions that pictures go through, as far as they can be halved.
  var criticChannels: [Int] { get set }
  /// Widths of the hidden layers that other data go through.
  var criticHidden: [Int] { get set }
  /// The critic's learning rate.
  var criticLearningRate: Double { get set }
}

extension PictureCriticDescription {
  /// The critic, as it starts, of the data of a model.
  func critic(
    for model: some LatentVariableModel, using random: inout RandomStream
  ) -> PictureCritic {
    PictureCritic(
      InputForm(of: model).shape, channels: criticChannels, hidden: criticHidden, using: &random)
  }

  /// How many hidden layers the critic of examples of this shape has.
  func hiddenLayers(ofCriticOf shape: Shape) -> Int {
    let convolutions = PictureCritic.convolutions(of: shape, criticChannels).count
    return convolutions > 0 ? convolutions : criticHidden.count
  }

  func checkCritic() throws {
    try check(widths: criticChannels, "criticChannels")
    // A kernel of 4 by 4 has sixteen weights where a linear layer has one.
    try check(
      LayerParameters.linear(criticChannels) * 16 <= Double(ModelDescription.maximumParameters),
      "criticChannels", criticChannels,
      "at most \(ModelDescription.maximumParameters) parameters")
    try check(widths: criticHidden, "criticHidden")
    try check(learningRate: criticLearningRate, "criticLearningRate")
  }
}
