// An autoencoder that is told by a critic what matters in a picture (Larsen et al. 2016): reconstructions are
// compared in one of the critic's layers.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// VAE-GAN (Larsen et al. 2016, algorithm 1), in nats per example.
///
/// With `F`, one of the critic's hidden layers, and `r = -log N(F(x); F(x'), 1)` for a reconstruction x', the
/// mean of the likelihood at a draw z:
/// - `encoder` minimises `r + KL(q(z | x) || p(z))`;
/// - `decoder` minimises `gamma r - adversarial`;
/// - `critic` minimises `adversarial = -log D(x) - log (1 - D(x')) - log (1 - D(x''))`, where x'' is the mean
///   of the likelihood at a draw of the prior.
///
/// All move along losses of the same parameters; each of x' and x'' is what the players before have made. With
/// `gates` a player that is too far ahead waits: the critic while `-log D(x)` or `-log (1 - D(x'))` of the
/// step before lies below `equilibrium - margin`, the decoder while one of them lies above `equilibrium +
/// margin`, nobody where both would. A prior with parameters stays as it is.
public struct VAEGAN<Model: ExpectedDataModel & ReparameterizedModel>: DescribedObjective {
  public let settings: VAEGANDescription

  public init(_ settings: VAEGANDescription) { self.settings = settings }

  public func makeParts(for model: Model, using random: inout RandomStream) -> GatedCritic {
    GatedCritic(
      critic: settings.critic(for: model, using: &random),
      losses: Tensor(repeating: settings.equilibrium, shape: [2]))
  }

  public var turns: [Turn] {
    [
      Turn("encoder", moves: ["encoder.**"]), Turn("decoder", moves: ["decoder.**"]),
      .critic(learningRate: settings.criticLearningRate),
    ]
  }

  public func isDue(_ turn: Int, step: Int, _ parts: GatedCritic) -> Bool {
    if turn == 0 || !settings.gates { return true }
    let open = Gates(equilibrium: settings.equilibrium, margin: settings.margin)
      .open(after: parts.losses)
    return turn == 1 ? open.decoder : open.critic
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: GatedCritic, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    model.requireWhole(context, for: Settings.name)
    switch turn {
    case 0: return encoderLoss(model, parts, x, &context)
    case 1:
      let judge = layer(of: parts)
      let (rebuilt, imagined) = made(by: model, x, &context)
      let (features, logits) = judge(rebuilt)
      let target = context.fields[Handed.features] ?? judge(x).features
      let reconstruction = CriticLayer.distance(features, from: target.detached)
      let adversarial = softplus(logits).mean() + softplus(parts.critic(imagined)).mean()
      var terms = LossTerms(total: reconstruction * settings.gamma - adversarial, terms: [])
      terms.handover = [Handed.rebuilt: rebuilt, Handed.imagined: imagined]
      return terms
    default:
      let (rebuilt, imagined) = made(by: model, x, &context)
      let fakes = Tensor.concatenate([rebuilt, imagined], axis: 0).detached
      let (real, fake) = parts.critic.judge(x, fakes)
      return LossTerms(total: unreality(real) + softplus(fake).mean() * 2, terms: [])
    }
  }

  /// x' and x'', from the players before where they have moved.
  private func made(
    by model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> (rebuilt: Tensor, imagined: Tensor) {
    let fields = context.fields
    if let rebuilt = fields[Handed.rebuilt], let imagined = fields[Handed.imagined] {
      return (rebuilt, imagined)
    }
    let z = fields[Handed.codes] ?? model.draw(of: x, &context).detached
    return (model.expectedData(at: z, &context), model.imagined(x.shape[0], &context))
  }

  private func layer(of parts: GatedCritic) -> CriticLayer {
    CriticLayer(critic: parts.critic, layer: settings.featureLayer)
  }

  private func encoderLoss(
    _ model: Model, _ parts: GatedCritic, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let posterior = model.checkedPosterior(of: x, &context)
    let z = posterior.reparameterizedSample(using: &context.random)
    let divergence = klDivergence(
      from: posterior, to: model.prior(posterior.dtype, &context).evaluable, using: &context.random)
    let kl = divergence.value.mean()
    let judge = layer(of: parts)
    let target = judge(x)
    let rebuilt = judge(model.expectedData(at: z, &context))
    if settings.gates && context.isTraining {
      context.update(parts.losses) { _ in
        Tensor.stack([unreality(target.logits), softplus(rebuilt.logits).mean()]).detached
      }
    }
    let reconstruction = CriticLayer.distance(rebuilt.features, from: target.features)
    var terms = LossTerms(
      total: reconstruction + kl, terms: [("reconstruction", reconstruction), ("kl", kl)],
      klMethod: divergence.method)
    terms.handover = [Handed.codes: z, Handed.features: target.features]
    return terms
  }
}

/// What players leave for those after them.
private enum Handed {
  static let codes = "vae-gan.codes"
  static let features = "vae-gan.features"
  static let rebuilt = "vae-gan.rebuilt"
  static let imagined = "vae-gan.imagined"
}

/// VAE-GAN in words.
public struct VAEGANDescription: PictureCriticDescription {
  public static let name = "vae-gan"
  public static let origin = Origin(
    "an autoencoder whose reconstructions are compared in a layer of a critic",
    paper: "Larsen et al. 2016", equation: "algorithm 1", test: "LatentModelsTests/GameTests.swift")

  public static let requirement =
    "a reparameterised posterior with a density, a likelihood with a mean"

  /// The weight of the reconstruction in the decoder's loss.
  public var gamma = 1e-6
  /// Which of the critic's hidden layers compares, counted back from the logits.
  public var featureLayer = 1
  /// Whether a player that is too far ahead waits.
  public var gates = false
  /// The loss, in nats, at which neither is ahead.
  public var equilibrium = 0.68
  /// How far losses may be from there.
  public var margin = 0.4
  public var criticChannels = PictureCritic.standardChannels
  public var criticHidden = PictureCritic.standardWidths
  public var criticLearningRate = 2e-4

  public init() {}

  public func validate() throws {
    try check(weight: gamma, "gamma")
    try check(weight: equilibrium, "equilibrium")
    try check(weight: margin, "margin")
    try checkCritic()
    let layers = max(criticChannels.count, criticHidden.count)
    try check(
      layers > 0 && (1...layers).contains(featureLayer), "featureLayer", featureLayer,
      "1 to the number of the critic's hidden layers")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireDivergence(of: model)
    let shown = try requireExpectedData(of: model)
    guard let both = shown as? any ExpectedDataModel & ReparameterizedModel else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.Posterior.self)",
        expected: "a reparameterised posterior")
    }
    let layers = hiddenLayers(ofCriticOf: facts.inputShape)
    try check(
      featureLayer <= layers, "featureLayer", featureLayer,
      "1 to \(layers), the hidden layers of a critic of \(facts.inputShape)")
    func open<Opened: ExpectedDataModel & ReparameterizedModel>(
      _ model: Opened
    ) -> any TrainingObjective { VAEGAN<Opened>(self) }
    return cast(open(both), for: model)
  }
}
