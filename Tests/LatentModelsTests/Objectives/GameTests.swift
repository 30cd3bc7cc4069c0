// Objectives with several players: what each loss is where the critic knows nothing, that each derivative is
// that of the player's own loss, and when players wait for each other.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

@testable import LatentModels

@Suite struct GameTests {
  typealias Model = Tiny.Model<NormalHead>

  /// A critic of one small hidden layer.
  static func small<Description: PictureCriticDescription>(_ settings: inout Description) {
    (settings.criticChannels, settings.criticHidden) = ([3], [3])
  }

  static let gan = GAN<Model> { small(&$0) }
  static let vaeGAN = VAEGAN<Model> {
    small(&$0)
    $0.gamma = 0.5
  }
  static let ln2 = log(2.0)
  /// -log N(0; 0, 1) of the three features of a critic of zeros.
  static let features = 1.5 * log(2 * Double.pi)

  struct Game: Sendable, CustomTestStringConvertible {
    let rule: any TrainingObjective<Model>
    /// The loss of each player where the critic is all zeros; nil where it depends on the model.
    let ignorant: [Double?]
    var testDescription: String { String(rule.summary.prefix { $0 != "(" }) }
  }

  static let games = [
    Game(rule: FactorVAE<Model> { ($0.gamma, $0.criticHidden) = (3, [4]) }, ignorant: [nil, ln2]),
    Game(rule: WAEGAN<Model> { ($0.lambda, $0.criticHidden) = (3, [4]) }, ignorant: [nil, ln2]),
    Game(rule: AdversarialAutoencoder<Model> { $0.criticHidden = [4] }, ignorant: [nil, ln2, ln2]),
    Game(rule: gan, ignorant: [ln2, ln2]),
    Game(
      rule: WassersteinGAN<Model> {
        small(&$0)
        $0.penalty = 7
      }, ignorant: [0, 7]),
    Game(rule: vaeGAN, ignorant: [nil, 0.5 * features - 2 * ln2, 3 * ln2]),
    Game(rule: LaggingInference<Model> { $0.beta = 3 }, ignorant: [nil, nil]),
  ]

  /// The model and what the objective brings along, under the paths of a trainer.
  struct Both<Parts: Module>: Module {
    var model: Model
    var parts: Parts
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      model.visitParameters(&visitor)
      visitor.visit(&parts, Turn.partsName)
    }
  }

  static func start<Rule: TrainingObjective<Model>>(_ rule: Rule) -> Both<Rule.Parts> {
    var random = RandomStream(seed: 2)
    let model = Tiny.model(NormalHead(.shared(initial: 0.7)))
    return Both(
      model: model,
      parts: rule.makeParts(for: model, using: &random).converted(to: .float64))
  }

  static func loss<Rule: TrainingObjective<Model>>(
    _ rule: Rule, of turn: Int, _ both: Both<Rule.Parts>
  ) -> LossTerms {
    var context = Tiny.training()
    return rule.loss(of: turn, both.model, both.parts, Tiny.x, &context)
  }

  @Test(arguments: games) func criticsOfZeros(game: Game) {
    func check<Rule: TrainingObjective<Model>>(_ rule: Rule) {
      var both = GameTests.start(rule)
      both.parts.setParameters(both.parts.parameters.map(\.zerosLike))
      #expect(rule.turns.count == game.ignorant.count)
      for (turn, expected) in game.ignorant.enumerated() {
        guard let expected else { continue }
        let found = GameTests.loss(rule, of: turn, both).total.item
        #expect(abs(found - expected) < 1e-12, "\(rule.turns[turn].name)")
      }
    }
    check(game.rule)
  }

  /// Each player's derivative is that of its loss, and the players' parameters are those of the model and of
  /// the parts.
  @Test(arguments: games) func derivativesAreOfTheOwnLoss(game: Game) {
    func check<Rule: TrainingObjective<Model>>(_ rule: Rule) {
      let both = GameTests.start(rule)
      let paths = both.namedParameters.filter(\.isTrained).map(\.path)
      let all = both.parameters
      for (turn, player) in rule.turns.enumerated() {
        let own = paths.indices.filter { player.parameters.match(paths[$0]) }
        #expect(!own.isEmpty)
        let error = gradientError(at: own.map { all[$0] }) { parameters in
          var (moved, values) = (both, all)
          for (index, value) in zip(own, parameters) { values[index] = value }
          moved.setParameters(values)
          return GameTests.loss(rule, of: turn, moved).total
        }
        #expect(error < 1e-7, "\(player.name)")
      }
    }
    check(game.rule)
  }

  /// Both sides of a game have rules of little momentum of their own; an autoencoder's is the trainer's.
  @Test func rulesOfTheirOwn() {
    func rules(_ rule: any TrainingObjective<Model>) -> [String] {
      rule.turns.map { turn in
        guard let adam = turn.optimizer as? Adam else { return "-" }
        return "\(adam.learningRate) \(adam.beta1) \(adam.beta2)"
      }
    }
    #expect(rules(GAN<Model>()) == ["0.0002 0.5 0.999", "0.0002 0.5 0.999"])
    #expect(rules(WassersteinGAN<Model>()) == ["0.0001 0.0 0.9", "0.0001 0.0 0.9"])
    #expect(
      rules(AdversarialAutoencoder<Model>()) == ["-", "0.0001 0.5 0.999", "0.0001 0.5 0.999"])
  }

  /// What earlier players hand over is what later ones would have computed: same draws, same losses.
  @Test func handedOverFakes() {
    let rule = GameTests.gan
    let both = GameTests.start(rule)
    var context = Tiny.training()
    let first = rule.loss(of: 0, both.model, both.parts, Tiny.x, &context)
    context.fields.merge(first.handover) { $1 }
    let second = rule.loss(of: 1, both.model, both.parts, Tiny.x, &context)
    #expect(second.total.item == GameTests.loss(rule, of: 1, both).total.item)
  }

  @Test func learnedReconstruction() throws {
    let rule = GameTests.vaeGAN
    let both = GameTests.start(rule)
    let terms = GameTests.loss(rule, of: 0, both)
    var context = Tiny.training()
    let z = both.model.draw(of: Tiny.x, &context)
    let rebuilt = both.model.decode(z).mean
    func features(_ x: Tensor) -> [Double] { both.parts.critic.activations(x)[0].doubles }
    var expected = GameTests.features
    for (found, wanted) in zip(features(rebuilt), features(Tiny.x)) {
      let shift: Double = found - wanted
      expected += shift * shift / 8
    }
    #expect(abs((terms["reconstruction"]?.item ?? 0) - expected) < 1e-12)
    let q = both.model.encode(Tiny.x)
    var kl = 0.0
    for (mean, logVariance) in zip(q.mean.doubles, q.logVariance.doubles) {
      kl += normalKL(mean, logVariance) / 4
    }
    #expect(abs((terms["kl"]?.item ?? 0) - kl) < 1e-12)
    #expect(abs(terms.total.item - expected - kl) < 1e-12)
  }

  @Test(arguments: [
    (0.68, 0.68, true, true), (0.2, 0.68, true, false), (0.68, 0.2, true, false),
    (1.2, 0.68, false, true), (0.68, 1.2, false, true), (1.2, 0.2, true, true),
  ]) func gates(real: Double, fake: Double, decoder: Bool, critic: Bool) {
    let open = Gates(equilibrium: 0.68, margin: 0.4).open(real: real, fake: fake)
    #expect(open.decoder == decoder && open.critic == critic)
  }

  // MARK: Encoders that go ahead

  /// Losses of the encoder, and after which of them the decoder is due.
  @Test(arguments: [
    // Two windows, the second no lower.
    ([3.0, 1, 2, 2], [4]),
    // Lower, lower, then higher.
    ([4.0, 4, 3, 3, 2, 2, 2, 3], [8]),
    // The limit ends what would go on.
    ([9.0, 9, 8, 8, 7, 7, 6, 6, 5], [9]),
    // One step at which the decoder moves lies between two rounds.
    ([1.0, 1, 1, 1, 0, 5, 5, 4, 4, 4, 4], [4, 11]),
  ]) func theDecoderWaits(losses: [Double], due: [Int]) {
    let policy = LaggingPolicy(window: 2, limit: 9, period: 100)
    var state = LaggingPolicy.State()
    var found: [Int] = []
    for (index, loss) in losses.enumerated() {
      policy.advance(&state, loss: loss, information: state.isDue ? 1 : nil)
      #expect(LaggingPolicy.State(state.numbers) == state)
      if state.isDue { found.append(index + 1) }
    }
    #expect(found == due)
  }

  /// Aggressive until an average of the information falls below the best.
  @Test func theEndOfAggression() {
    let policy = LaggingPolicy(window: 1, limit: 1, period: 2)
    var state = LaggingPolicy.State()
    var phases: [Bool] = []
    for information in [0.5, 0.7, 0.6, 0.8, 0.9, 0.3] {
      state.isDue = true
      policy.advance(&state, loss: 1, information: information)
      phases.append(state.isAggressive)
    }
    #expect(phases == [true, true, true, true, true, false] && state.decoderMoves)
  }

  /// Posteriors far apart tell everything there is, log B; equal ones nothing.
  @Test func information() {
    func posterior(_ spacing: Double) -> DiagonalNormal {
      DiagonalNormal(
        mean: Tensor.range(4, .float64).reshaped([4, 1]) * spacing,
        logVariance: .zeros([4, 1], .float64))
    }
    var random = RandomStream(seed: 1)
    let far = posterior(100)
    let z = far.sample(using: &random)
    #expect(abs(mutualInformation(far, z) - log(4)) < 1e-12)
    #expect(abs(mutualInformation(posterior(0), z - far.mean)) < 1e-12)
    let near = posterior(0.7)
    let draws = near.sample(using: &random).doubles
    var expected = 0.0
    for (own, z) in draws.enumerated() {
      let densities = (0..<4).map { index -> Double in
        let shift: Double = z - 0.7 * Double(index)
        return exp(-0.5 * shift * shift)
      }
      let mixture: Double = densities.reduce(0, +) / 4
      expected += log(densities[own] / mixture) / 4
    }
    let found = mutualInformation(near, Tensor(draws, shape: [4, 1]))
    #expect(abs(found - expected) < 1e-12)
  }
}
