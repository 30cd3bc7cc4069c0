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
/// the decoder's turn. Each has a rule of its own, Adam with decays 0.5 and 0.999 (Radford, Metz and Chintala
/// 2016). The encoder and the prior stay as they are. The loss of epochs is the decoder's, which is no measure
/// of quality.
public struct GAN<Model: ExpectedDataModel>: DescribedObjective {
  public let settings: GANDescription

  public init(_ settings: GANDescription) { self.settings = settings }

  public var turns: [Turn] {
    [
      .side("decoder", moves: ["decoder.**"], learningRate: settings.decoderLearningRate),
      .critic(learningRate: settings.criticLearningRate),
    ]
  }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> CriticParts<PictureCritic> {
    CriticParts(critic: settings.critic(for: model, using: &random))
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: CriticParts<PictureCritic>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    model.requireWhole(context, for: Settings.name)
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
public struct GANDescription: PictureCriticDescription {
  public static let name = "gan"
  public static let origin = Origin(
    "the decoder alone against a critic of data", paper: "Goodfellow et al. 2014",
    equation: "1, section 3", test: "LatentModelsTests/GameTests.swift")

  public static let requirement = "a likelihood with a mean"

  public var criticChannels = PictureCritic.standardChannels
  public var criticHidden = PictureCritic.standardWidths
  public var criticLearningRate = 2e-4
  /// The decoder's learning rate.
  public var decoderLearningRate = 2e-4

  public init() {}

  public func validate() throws {
    try checkCritic()
    try check(learningRate: decoderLearningRate, "decoderLearningRate")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    func open<Opened: ExpectedDataModel>(_ model: Opened) -> any TrainingObjective {
      GAN<Opened>(self)
    }
    return cast(open(try requireExpectedData(of: model)), for: model)
  }
}
