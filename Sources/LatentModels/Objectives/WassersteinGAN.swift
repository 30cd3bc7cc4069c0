// The generative adversarial network whose critic measures a distance between data and what the decoder makes
// (Arjovsky et al. 2017), kept honest by a penalty on its slope: a derivative of a derivative.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A Wasserstein generative adversarial network with a gradient penalty (Gulrajani et al. 2017, equation 3 and
/// algorithm 1).
///
/// `critic` moves at every step and lowers `E D(fake) - E D(real) + penalty E (|dD/dx| - 1)^2`, the last at
/// random points between data and fakes; `decoder` moves at every `criticSteps`-th, from the first on,
/// and raises E D(fake); both by Adam with decays 0 and 0.9. Fakes are means of the likelihood at draws of the prior. The encoder and the prior
/// stay as they are. The loss of epochs is the decoder's; the critic's term `wasserstein`, `E D(real) -
/// E D(fake)`, estimates the distance, in the units of the data.
public struct WassersteinGAN<Model: ExpectedDataModel>: DescribedObjective {
  public let settings: WassersteinGANDescription

  public init(_ settings: WassersteinGANDescription) { self.settings = settings }

  public var turns: [Turn] {
    [
      .side(
        "decoder", moves: ["decoder.**"], every: settings.criticSteps,
        learningRate: settings.decoderLearningRate, beta1: 0, beta2: 0.9),
      .critic(learningRate: settings.criticLearningRate, beta1: 0, beta2: 0.9),
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
      var terms = LossTerms(total: -(parts.critic(fake).mean()), terms: [])
      terms.handover = [fakeField: fake]
      return terms
    }
    let (real, imagined) = parts.critic.judge(x, fake.detached)
    let distance = real.mean() - imagined.mean()
    let mix = context.random.uniformTensor(
      [x.shape[0]] + Shape(Array(repeating: 1, count: x.rank - 1)), x.dtype)
    let between = x * mix + fake.detached * (1 - mix)
    let slopes = gradientPenalty(of: parts.critic, at: between, isOneSided: settings.isOneSided)
    return LossTerms(
      total: slopes * settings.penalty - distance,
      terms: [("wasserstein", distance), ("gradient penalty", slopes)])
  }
}

/// The mean of (|dD/dx| - 1)^2 over x `[batch, ...]`, with derivatives for the critic's parameters.
func gradientPenalty(of critic: some Critic, at x: Tensor, isOneSided: Bool) -> Tensor {
  let slope = gradient(at: x.detached) { critic($0).sum() }
  let squares = square(slope.flattened(from: 1)).sum(axes: [1])
  // The root has no derivative at 0, where a critic is flat: a dead one would make NaN of its weights.
  let isFlat = squares.detached .== 0
  let norms = Tensor.where(
    isFlat, squares.zerosLike, sqrt(Tensor.where(isFlat, squares.onesLike, squares)))
  let excess = norms - 1
  return square(isOneSided ? relu(excess) : excess).mean()
}

/// What the decoder's turn leaves for the critic's.
private let fakeField = "wgan-gp.fake"

/// A Wasserstein generative adversarial network in words.
public struct WassersteinGANDescription: PictureCriticDescription {
  public static let name = "wgan-gp"
  public static let origin = Origin(
    "the decoder alone against a critic of bounded slope", paper: "Gulrajani et al. 2017",
    equation: "3, algorithm 1", test: "LatentModelsTests/GameTests.swift")

  public static let requirement = "a likelihood with a mean"

  /// The weight of the gradient penalty.
  public var penalty = 10.0
  /// Steps of the critic for each of the decoder.
  public var criticSteps = 5
  /// Whether only slopes above 1 are penalised.
  public var isOneSided = false
  public var criticChannels = PictureCritic.standardChannels
  public var criticHidden = PictureCritic.standardWidths
  public var criticLearningRate = 1e-4
  /// The decoder's learning rate.
  public var decoderLearningRate = 1e-4

  public init() {}

  public func validate() throws {
    try check(weight: penalty, "penalty")
    try check((1...1_000_000).contains(criticSteps), "criticSteps", criticSteps, "1 to 1000000")
    try checkCritic()
    try check(learningRate: decoderLearningRate, "decoderLearningRate")
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    func open<Opened: ExpectedDataModel>(_ model: Opened) -> any TrainingObjective {
      WassersteinGAN<Opened>(self)
    }
    return cast(open(try requireExpectedData(of: model)), for: model)
  }
}
