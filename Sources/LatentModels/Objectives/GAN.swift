// Generative adversarial networks on the decoder of a model alone: the encoder stays as it is.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A generative adversarial network (Goodfellow et al. 2014, equation 1 and section 3), in nats for each thing
/// judged.
///
/// `decoder` makes means of the likelihood at draws of the prior and minimises -log D of them; `critic` tells
/// them from data. Both move along losses of the same parameters, and the critic judges the very data of
/// the decoder's turn. The encoder and the prior stay as they are. The loss of epochs is the decoder's, which
/// is no measure of quality.
public struct GAN<Model: ExpectedDataModel>: TrainingObjective {
  /// The network of the critic.
  public let critic: PictureCriticSettings

  /// A critic as of DCGAN, halved down to sides of 4, unless told otherwise.
  public init(critic: PictureCriticSettings = PictureCriticSettings()) { self.critic = critic }

  public var summary: String { "GAN(critic: \(critic))" }

  public var turns: [Turn] {
    [
      Turn("decoder", moves: ["decoder.**"]),
      .critic(learningRate: critic.learningRate, beta2: 0.999),
    ]
  }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> CriticParts<PictureCritic> { critic.parts(for: model, using: &random) }

  public func loss(
    of turn: Int, _ model: Model, _ parts: CriticParts<PictureCritic>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    model.requireWhole(context, for: GANDescription.name)
    let fake = context.fields[fakeField] ?? model.imagined(x.shape[0], &context)
    if turn == 0 {
      var terms = LossTerms(total: unreality(parts.critic(fake)), terms: [])
      terms.handover = [fakeField: fake]
      return terms
    }
    let (real, imagined) = parts.critic.judge(x, fake.detached)
    return LossTerms(total: discrimination(real: real, fake: imagined), terms: [])
  }
}

/// What the decoder's turn leaves for the critic's.
private let fakeField = "gan.fake"

/// A generative adversarial network in words.
public struct GANDescription: ObjectiveDescription {
  public static let name = "gan"
  public static let origin = Origin(
    "the decoder alone against a critic of data", paper: "Goodfellow et al. 2014",
    equation: "1, section 3")

  public static let requirement = "a likelihood with a mean"

  /// Channels of the critic of pictures.
  public var criticChannels = PictureCriticSettings().channels
  /// Widths of the critic of other data.
  public var criticHidden = PictureCriticSettings().hidden
  /// The critic's learning rate.
  public var criticLearningRate = PictureCriticSettings().learningRate

  public init() {}

  public func validate() throws {
    try check(criticChannels, criticHidden, criticLearningRate)
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    let critic = PictureCriticSettings(
      channels: criticChannels, hidden: criticHidden, learningRate: criticLearningRate)
    func open<Opened: ExpectedDataModel>(_ model: Opened) -> any TrainingObjective {
      GAN<Opened>(critic: critic)
    }
    return cast(open(try requireExpectedData(of: model)), for: model)
  }
}
