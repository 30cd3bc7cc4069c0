// Two variational autoencoders, the second one of the codes of the first (Dai and Wipf 2019, "Diagnosing and enhancing
// VAE models", section 4): codes never look quite like the prior, and where a generator draws from is better learned than
// hoped for.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers

/// Any objective, and a second variational autoencoder of the codes.
///
/// The player `second` moves `objective.second` along the evidence lower bound of draws z of q(z | x), in nats per
/// example: `log gamma + log(2 pi) / 2 + (z - z')^2 / (2 gamma^2)` for each number, and the divergence of its own
/// latents. Derivatives end at z. Both are trained together, or the second from step `stageSteps` on, when the players of
/// the objective inside stop. Outside of training the loss is the sum of both.
public struct TwoStage<
  Model: LatentVariableModel, Inner: TrainingObjective
>: WrapperObjective
where Inner.Model == Model, Model.Posterior: ReparameterizedDistribution {
  public let settings: TwoStageDescription
  public let inside: Inner

  /// The standard settings, but for what `change` changes. Traps where one is out of its range.
  public init(
    around inside: Inner, file: StaticString = #fileID, line: UInt = #line,
    _ change: (inout TwoStageDescription) -> Void = { _ in }
  ) {
    self.init(TwoStageDescription.standard(file: file, line: line, change), around: inside)
  }

  /// The rule with these settings, which are valid.
  init(_ settings: TwoStageDescription, around inside: Inner) {
    self.settings = settings
    self.inside = inside
  }

  public var turns: [Turn] {
    let own = [PathPattern("\(Turn.partsName).\(secondName).**")]
    return inside.turns.map { $0.sparing(own) } + [
      Turn(secondName, moves: own, optimizer: Adam(learningRate: settings.learningRate))
    ]
  }

  public func makeParts(
    for model: Model, using random: inout RandomStream
  ) -> TwoStageParts<Inner.Parts> {
    let parts = inside.makeParts(for: model, using: &random)
    var random = random.split(secondName)
    return TwoStageParts(
      inside: parts,
      second: SecondStage(codes: model.latentShape.count, hidden: settings.hidden, using: &random))
  }

  public func isDue(_ turn: Int, step: Int, _ parts: TwoStageParts<Inner.Parts>) -> Bool {
    if turn == inside.turns.count { return step >= settings.stageSteps }
    return (settings.stageSteps == 0 || step < settings.stageSteps)
      && inside.isDue(turn, step: step, parts.inside)
  }

  public func settle(
    _ model: inout Model, _ parts: TwoStageParts<Inner.Parts>, except frozen: [PathPattern]
  ) { inside.settle(&model, parts.inside, except: frozen) }

  public func loss(
    of turn: Int, _ model: Model, _ parts: TwoStageParts<Inner.Parts>, _ x: Tensor,
    _ context: inout LayerContext
  ) -> LossTerms {
    if turn == inside.turns.count {
      return LossTerms(total: secondLoss(model, parts.second, x, &context).total, terms: [])
    }
    var terms = inside.loss(of: turn, model, parts.inside, x, &context)
    if turn > 0 || context.isTraining { return terms }
    let second = secondLoss(model, parts.second, x, &context)
    terms.total = terms.total + second.total
    terms.terms.append((secondName, second.total))
    return terms
  }

  /// The bound of the codes of x, which are constants. The first stage is evaluated as after training, so that its
  /// layers take no notice.
  private func secondLoss(
    _ model: Model, _ second: SecondStage, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    var plain = context
    plain.isTraining = false
    let z = model.draw(of: x, &plain).detached
    plain.isTraining = context.isTraining
    plain.fields = [:]
    defer { context.random = plain.random }
    return ELBO()(second, z.flattened(from: 1), &plain)
  }
}

/// The name of the second stage, among players and among parts.
private let secondName = "second"

/// What the objective of the first stage brings along, under the paths that it has there, and the second stage.
public struct TwoStageParts<Inner: Module>: Module {
  /// The parts of the objective inside.
  public var inside: Inner
  /// The second stage, at `objective.second`.
  public var second: SecondStage

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    inside.visitParameters(&visitor)
    visitor.visit(&second, secondName)
  }

  /// Codes as the second stage draws them: u from N(0, I), then z from p(z | u), `[count, latent...]`.
  public func codes(
    _ count: Int, of model: some LatentVariableModel, using random: inout RandomStream
  ) -> Tensor {
    let u = second.samplePrior(count, using: &random)
    return second.decode(u).sample(using: &random).reshaped([count] + model.latentShape)
  }

  /// p(x | z) of the model at so many codes that the second stage draws.
  public func generate<Model: LatentVariableModel>(
    _ count: Int, with model: Model, using random: inout RandomStream
  ) -> Model.Likelihood {
    model.decode(codes(count, of: model, using: &random))
  }
}

/// Any objective and a second stage, in words.
public struct TwoStageDescription: WrapperDescription {
  public static let name = "two-stage"
  public static let origin = Origin(
    "a wrapper: a second autoencoder learns how the codes are spread",
    paper: "Dai and Wipf 2019", equation: "section 4",
    test: "LatentModelsTests/TwoStageTests.swift")

  public static let requirement =
    "a reparameterised posterior, and what the objective inside needs"

  /// The step from which on the second stage is trained and the first one rests; 0: both from the beginning to the end.
  public var stageSteps = 0
  /// Widths of the hidden layers of the second stage.
  public var hidden = [1024, 1024, 1024]
  /// The learning rate of the second stage.
  public var learningRate = 1e-4
  /// The objective of the first stage.
  public var inside = ObjectiveSettings()

  public init() {}

  public func validate() throws {
    try check(
      (0...1_000_000_000).contains(stageSteps), "stageSteps", stageSteps, "0 to 1000000000")
    try check(widths: hidden, "hidden")
    try check(learningRate: learningRate, "learningRate")
    try check(
      !inside.chain.contains(Self.name), "inside.name", "'\(inside.name)'",
      "no second '\(Self.name)' inside of one")
    try validateInside()
  }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    func open<Opened: ReparameterizedModel>(_ model: Opened) throws -> any TrainingObjective {
      func open<Inner: TrainingObjective<Opened>>(_ inner: Inner) -> any TrainingObjective {
        TwoStage(self, around: inner)
      }
      return open(try inside.description.make(for: model, facts))
    }
    return try cast(open(try model.reparameterized(for: Self.purpose)), for: model)
  }
}
