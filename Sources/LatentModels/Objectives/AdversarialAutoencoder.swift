// The adversarial autoencoder (Makhzani et al. 2015): an autoencoder, then a game about its codes, phase after
// phase.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The adversarial autoencoder (Makhzani et al. 2015, section 2), in nats per example.
///
/// Three turns in each step, each after the one before has moved: `autoencoder` lowers -log p(x | z) at one
/// draw, `critic` learns to tell draws of the prior from codes, and `generator`, the encoder once more by a
/// rule of its own, raises log D(z), which does not saturate. The posterior may be a point. Losses
/// of epochs are reconstructions. A prior with parameters stays as it is.
public struct AdversarialAutoencoder<Model: LatentVariableModel>: DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: AdversarialAutoencoderDescription

  public init(_ settings: AdversarialAutoencoderDescription) { self.settings = settings }

  public var turns: [Turn] {
    [
      Turn("autoencoder", moves: ["encoder.**", "decoder.**"]),
      .critic(learningRate: settings.criticLearningRate),
      .side("generator", moves: ["encoder.**"], learningRate: settings.generatorLearningRate),
    ]
  }

  public var order: TurnOrder { .successive }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> CriticParts<CodeCritic> {
    CriticParts(
      critic: CodeCritic(model.latentShape, hidden: settings.criticHidden, using: &random))
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: CriticParts<CodeCritic>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    switch turn {
    case 0:
      let reconstruction = -(model.variationalPass(x, &context).logLikelihood.mean())
      return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
    case 1:
      let codes = model.draw(of: x, &context)
      return LossTerms(
        total: model.criticLoss(parts.critic, codes: codes, &context), terms: [])
    default:
      return LossTerms(total: unreality(parts.critic(model.draw(of: x, &context))), terms: [])
    }
  }
}

/// The adversarial autoencoder in words.
public struct AdversarialAutoencoderDescription: ReparameterizedObjectiveDescription {
  public static let name = "aae"
  public static let origin = Origin(
    "an autoencoder, then a game that makes its codes look like the prior",
    paper: "Makhzani et al. 2015", equation: "section 2",
    test: "LatentModelsTests/GameTests.swift")

  /// Widths of the critic's hidden layers.
  public var criticHidden = [1000, 1000]
  /// The critic's learning rate.
  public var criticLearningRate = 1e-4
  /// The encoder's learning rate in its turn against the critic.
  public var generatorLearningRate = 1e-4

  public init() {}

  public func validate() throws {
    try check(widths: criticHidden, "criticHidden")
    try check(learningRate: criticLearningRate, "criticLearningRate")
    try check(learningRate: generatorLearningRate, "generatorLearningRate")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) -> any TrainingObjective<Model> { AdversarialAutoencoder<Model>(self) }
}
