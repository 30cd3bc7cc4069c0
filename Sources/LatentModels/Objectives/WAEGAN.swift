// The Wasserstein autoencoder whose divergence is a game (Tolstikhin et al. 2018): the aggregate of the codes is
// made to look like the prior to a critic.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// WAE-GAN (Tolstikhin et al. 2018, algorithm 1): `total = reconstruction + lambda * penalty`, in nats per
/// example.
///
/// The cost is -log p(x | z) at one draw: for a normal likelihood of fixed deviation s the squared error over
/// 2 s^2, and a constant. `penalty` is -log D(z), where the critic D tells draws of the prior from
/// codes. The posterior may be a point. Both players move along losses of the same parameters; the critic
/// judges the very codes of the model's turn. A prior with parameters stays as it is.
public struct WAEGAN<Model: LatentVariableModel>: DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: WAEGANDescription

  public init(_ settings: WAEGANDescription) { self.settings = settings }

  public var turns: [Turn] {
    [
      Turn("model", moves: ["encoder.**", "decoder.**"]),
      .critic(learningRate: settings.criticLearningRate),
    ]
  }

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
    if turn == 1 {
      return LossTerms(
        total: model.criticLoss(
          parts.critic, codes: context.fields[codesField] ?? model.draw(of: x, &context), &context),
        terms: [])
    }
    let pass = model.variationalPass(x, &context)
    let reconstruction = -(pass.logLikelihood.mean())
    let penalty = unreality(parts.critic(pass.z))
    var terms = LossTerms(
      context, weights: [settings.lambda],
      terms: [("reconstruction", reconstruction), ("penalty", penalty)]
    ) { reconstruction + penalty.weighted($0[0]) }
    terms.handover = [codesField: pass.z]
    return terms
  }
}

private let codesField = "wae-gan.codes"

extension LatentVariableModel {
  /// What a critic that tells as many draws of the prior from codes `[batch, latent]` minimises.
  func criticLoss(
    _ critic: CodeCritic, codes: Tensor, _ context: inout LayerContext
  ) -> Tensor {
    let draws = samplePrior(codes.shape[0], fields: context.fields, using: &context.random)
    let (real, fake) = critic.judge(draws.detached, codes.detached)
    return discrimination(real: real, fake: fake)
  }
}

/// WAE-GAN in words.
public struct WAEGANDescription: ReparameterizedObjectiveDescription {
  public static let name = "wae-gan"
  public static let origin = Origin(
    "a Wasserstein autoencoder whose codes look like the prior to a critic",
    paper: "Tolstikhin et al. 2018", equation: "algorithm 1",
    test: "LatentModelsTests/GameTests.swift")

  /// The weight of the penalty.
  public var lambda: WeightSchedule = 10
  /// Widths of the critic's hidden layers.
  public var criticHidden = [512, 512, 512, 512]
  /// The critic's learning rate.
  public var criticLearningRate = 5e-4

  public init() {}

  public func validate() throws {
    try check(weight: lambda, "lambda")
    try check(widths: criticHidden, "criticHidden")
    try check(learningRate: criticLearningRate, "criticLearningRate")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) -> any TrainingObjective<Model> { WAEGAN<Model>(self) }
}
