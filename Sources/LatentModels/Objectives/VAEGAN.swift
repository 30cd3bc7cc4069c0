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
public struct VAEGAN<Model: ExpectedDataModel & ReparameterizedModel>: TrainingObjective {
  /// The weight of the reconstruction in the decoder's loss.
  public let gamma: Double
  /// Which of the critic's hidden layers compares: 1 is the one before the logits, 2 the one before that.
  public let featureLayer: Int
  /// Whether players wait for each other, and for how large a difference; nil: they do not.
  public let gates: Gates?
  /// The network of the critic.
  public let critic: PictureCriticSettings

  /// When players wait for each other.
  public struct Gates: Sendable, Hashable {
    /// The loss, in nats, at which neither is ahead.
    public var equilibrium = 0.68
    /// How far the losses may be from there.
    public var margin = 0.4

    /// The numbers of the authors' program unless told otherwise.
    public init(equilibrium: Double = 0.68, margin: Double = 0.4) {
      self.equilibrium = equilibrium
      self.margin = margin
    }

    /// Whether decoder and critic move after such losses of real and made-up data.
    func open(real: Double, fake: Double) -> (decoder: Bool, critic: Bool) {
      let decoder = max(real, fake) <= equilibrium + margin
      let critic = min(real, fake) >= equilibrium - margin
      return decoder || critic ? (decoder, critic) : (true, true)
    }
  }

  /// No gates, and the authors' weight, unless told otherwise. Traps unless `featureLayer` is positive.
  public init(
    gamma: Double = 1e-6, featureLayer: Int = 1, gates: Gates? = nil,
    critic: PictureCriticSettings = PictureCriticSettings(), file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      featureLayer > 0 && gamma >= 0, "VAEGAN: layer \(featureLayer), gamma \(gamma)", file: file,
      line: line)
    self.gamma = gamma
    self.featureLayer = featureLayer
    self.gates = gates
    self.critic = critic
  }

  public var summary: String {
    let gates = gates.map { "(equilibrium: \($0.equilibrium), margin: \($0.margin))" } ?? "none"
    return "VAEGAN(gamma: \(gamma), featureLayer: \(featureLayer), gates: \(gates), "
      + "critic: \(critic))"
  }

  /// The critic, and how the last step went for it.
  public struct Parts: Module {
    /// The critic, at `objective.critic`.
    public var critic: PictureCritic
    /// `-log D(x)` and `-log (1 - D(x'))` of the step before, nats, `[2]`.
    public var losses: Tensor

    public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&critic, "critic")
      visitor.visitBuffer(&losses, "losses")
    }
  }

  public func makeParts(for model: Model, using random: inout RandomStream) -> Parts {
    let start = gates?.equilibrium ?? 0
    return Parts(
      critic: critic.parts(for: model, using: &random).critic,
      losses: Tensor(repeating: start, shape: [2]))
  }

  public var turns: [Turn] {
    [
      Turn("encoder", moves: ["encoder.**"]), Turn("decoder", moves: ["decoder.**"]),
      .critic(learningRate: critic.learningRate, beta2: 0.999),
    ]
  }

  public func isDue(_ turn: Int, step: Int, _ parts: Parts) -> Bool {
    guard let gates, turn > 0 else { return true }
    let losses = parts.losses.doubles
    let open = gates.open(real: losses[0], fake: losses[1])
    return turn == 1 ? open.decoder : open.critic
  }

  public func loss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    model.requireWhole(context, for: VAEGANDescription.name)
    switch turn {
    case 0: return encoderLoss(model, parts, x, &context)
    case 1:
      let z = context.fields[Handed.codes] ?? model.draw(of: x, &context).detached
      let (rebuilt, imagined) = (
        model.expectedData(at: z, &context), model.imagined(x.shape[0], &context)
      )
      let target = context.fields[Handed.features] ?? judge(parts.critic, x).features
      let (features, logits) = judge(parts.critic, rebuilt)
      let reconstruction = featureLoss(features, target.detached)
      let adversarial = softplus(logits).mean() + softplus(parts.critic(imagined)).mean()
      var terms = LossTerms(total: reconstruction * gamma - adversarial, terms: [])
      terms.handover = [Handed.rebuilt: rebuilt, Handed.imagined: imagined]
      return terms
    default:
      let rebuilt = context.fields[Handed.rebuilt] ?? rebuild(model, x, &context)
      let imagined = context.fields[Handed.imagined] ?? model.imagined(x.shape[0], &context)
      let fakes = Tensor.concatenate([rebuilt, imagined], axis: 0).detached
      let (real, fake) = parts.critic.judge(x, fakes)
      return LossTerms(total: unreality(real) + softplus(fake).mean() * 2, terms: [])
    }
  }

  private func encoderLoss(
    _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let posterior = model.checkedPosterior(of: x, &context)
    let z = posterior.reparameterizedSample(using: &context.random)
    let divergence = klDivergence(
      from: posterior, to: model.prior(posterior.dtype, &context).evaluable, using: &context.random)
    let kl = divergence.value.mean()
    let target = judge(parts.critic, x)
    let rebuilt = judge(parts.critic, model.expectedData(at: z, &context))
    if gates != nil && context.isTraining {
      context.update(parts.losses) { _ in
        Tensor.stack([unreality(target.logits), softplus(rebuilt.logits).mean()]).detached
      }
    }
    let reconstruction = featureLoss(rebuilt.features, target.features)
    var terms = LossTerms(
      total: reconstruction + kl, terms: [("reconstruction", reconstruction), ("kl", kl)],
      klMethod: divergence.method)
    terms.handover = [Handed.codes: z, Handed.features: target.features]
    return terms
  }

  private func rebuild(_ model: Model, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let z = context.fields[Handed.codes] ?? model.draw(of: x, &context)
    return model.expectedData(at: z, &context)
  }

  private func judge(
    _ critic: PictureCritic, _ x: Tensor
  ) -> (features: Tensor, logits: Tensor) {
    let values = critic.activations(x)
    require(
      featureLayer < values.count,
      "VAEGAN: layer \(featureLayer) before the logits of a critic of \(values.count - 1) layers")
    return (values[values.count - 1 - featureLayer].flattened(from: 1), values[values.count - 1])
  }

  /// -log N(target; features, 1), the mean over the batch.
  private func featureLoss(_ features: Tensor, _ target: Tensor) -> Tensor {
    -(DiagonalNormal(mean: features, standardDeviation: 1).logProbability(of: target).mean())
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
public struct VAEGANDescription: ObjectiveDescription {
  public static let name = "vae-gan"
  public static let origin = Origin(
    "an autoencoder whose reconstructions are compared in a layer of a critic",
    paper: "Larsen et al. 2016", equation: "algorithm 1")

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
  /// Channels of the critic of pictures.
  public var criticChannels = PictureCriticSettings().channels
  /// Widths of the critic of other data.
  public var criticHidden = PictureCriticSettings().hidden
  /// The critic's learning rate.
  public var criticLearningRate = PictureCriticSettings().learningRate

  public init() {}

  public func validate() throws {
    try check(weight: gamma, "gamma")
    try check(weight: equilibrium, "equilibrium")
    try check(weight: margin, "margin")
    try check(criticChannels, criticHidden, criticLearningRate)
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
    let channels = PictureCritic.convolutions(of: facts.inputShape, criticChannels)
    let layers = channels.isEmpty ? criticHidden.count : channels.count
    try check(
      featureLayer <= layers, "featureLayer", featureLayer,
      "1 to \(layers), the hidden layers of a critic of \(facts.inputShape)")
    let rule = PictureCriticSettings(
      channels: criticChannels, hidden: criticHidden, learningRate: criticLearningRate)
    func open<Opened: ExpectedDataModel & ReparameterizedModel>(
      _ model: Opened
    ) -> any TrainingObjective {
      VAEGAN<Opened>(
        gamma: gamma, featureLayer: featureLayer,
        gates: gates ? .init(equilibrium: equilibrium, margin: margin) : nil, critic: rule)
    }
    return cast(open(both), for: model)
  }
}
