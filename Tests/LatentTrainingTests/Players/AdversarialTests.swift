// Runs of several players: nobody moves what is another's, frozen parts keep their bits, a run that stopped
// within a cycle of turns is the run that never stopped, and a critic that breaks is named.

import Foundation
import Latent
import Testing

@Suite struct AdversarialTests {
  struct Game: Sendable, CustomTestStringConvertible {
    let rule: any TrainingObjective<TinyModel>
    var testDescription: String { String(rule.summary.prefix { $0 != "(" }) }
  }

  /// A small critic that learns fast.
  static func small<Description: PictureCriticDescription>(_ settings: inout Description) {
    (settings.criticChannels, settings.criticHidden) = ([3], [4])
    settings.criticLearningRate = 1e-2
  }

  static func wasserstein(_ criticSteps: Int) -> WassersteinGAN<TinyModel> {
    WassersteinGAN {
      small(&$0)
      ($0.criticSteps, $0.decoderLearningRate) = (criticSteps, 1e-2)
    }
  }

  static let gan = GAN<TinyModel> {
    small(&$0)
    $0.decoderLearningRate = 1e-2
  }

  static func lagging(window: Int, limit: Int, period: Int) -> LaggingInference<TinyModel> {
    LaggingInference { ($0.window, $0.limit, $0.period) = (window, limit, period) }
  }

  static let games = [
    Game(
      rule: FactorVAE<TinyModel> {
        ($0.gamma, $0.criticHidden, $0.criticLearningRate) = (3, [4], 1e-2)
      }),
    Game(rule: WAEGAN<TinyModel> { ($0.lambda, $0.criticHidden) = (3, [4]) }),
    Game(rule: AdversarialAutoencoder<TinyModel> { $0.criticHidden = [4] }),
    Game(rule: gan), Game(rule: wasserstein(5)),
    Game(
      rule: VAEGAN<TinyModel> {
        small(&$0)
        ($0.gamma, $0.gates, $0.equilibrium, $0.margin) = (0.1, true, 0.7, 0.01)
      }),
    Game(rule: lagging(window: 1, limit: 3, period: 2)),
  ]

  static func x(_ step: Int = 0) -> Tensor {
    Tensor(try! tinyData().batch(at: (0..<8).map { ($0 * 5 + step * 7) % 44 }).inputs)
  }

  static func trainer<Rule: TrainingObjective<TinyModel>>(
    _ rule: Rule, optimizer: any Optimizer = Adam(learningRate: 1e-2)
  ) -> Trainer<TinyModel, Rule> {
    Trainer(tinyModel(), objective: rule, optimizer: optimizer, seed: 3)
  }

  /// Stopped after any step of two cycles of five.
  @Test(arguments: games) func resuming(game: Game) throws {
    func check<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws {
      var whole = AdversarialTests.trainer(rule)
      var saved: [[UInt8]] = []
      for step in 0..<11 {
        try whole.step(AdversarialTests.x(step))
        saved.append(try whole.bytes)
      }
      for stop in 0..<10 {
        var resumed = AdversarialTests.trainer(rule)
        try resumed.resume(from: Checkpoint(decoding: saved[stop]))
        for step in (stop + 1)..<11 { try resumed.step(AdversarialTests.x(step)) }
        #expect(try resumed.bytes == saved[10], "stopped after step \(stop)")
      }
    }
    try check(game.rule)
  }

  /// By its own rule, else along the plain gradient at rate 1, the first player moves by the derivative of its
  /// own loss, to the bit; the critic's turn moves nothing of the model.
  @Test(arguments: games.filter { $0.rule.order == .simultaneous })
  func gradientsAreIsolated(game: Game) throws {
    func check<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws {
      var trainer = AdversarialTests.trainer(rule, optimizer: SGD(learningRate: 1))
      let (before, parts) = (trainer.model, trainer.parts)
      let pattern = rule.turns[0].parameters
      var context = LayerContext(
        isTraining: true, random: RandomStream(seed: 3).split("noise").split(0))
      let gradients = valueAndGradient(at: before) {
        rule.loss(of: 0, $0, parts, AdversarialTests.x(), &context).total
      }.gradients
      var expected = before
      var optimizer = rule.turns[0].optimizer ?? SGD(learningRate: 1)
      optimizer.update(&expected, along: gradients)
      let report = try trainer.step(AdversarialTests.x())
      #expect(report.players.count == (rule is LaggingInference<TinyModel> ? 1 : rule.turns.count))
      var own = 0
      for (index, old) in before.namedParameters.enumerated() where pattern.match(old.path) {
        let (found, wanted) = (trainer.model.parameters[index], expected.parameters[index])
        #expect(found.floats == wanted.floats, "\(old.path)")
        own += 1
      }
      #expect(own > 0)
    }
    try check(game.rule)
  }

  /// Every parameter belongs to somebody, or to nobody; a step changes the parameters of those who moved.
  @Test(arguments: games) func whoMovesWhat(game: Game) throws {
    func check<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws {
      var trainer = AdversarialTests.trainer(rule)
      func arrays() -> [String: NDArray] {
        trainer.model.namedArrays.merging(
          trainer.parts.namedParameters.filter(\.isTrained)
            .map { ("objective.\($0.path)", $0.tensor.array) }
        ) { $1 }
      }
      for step in 0..<6 {
        let before = arrays()
        let report = try trainer.step(AdversarialTests.x(step))
        let moved = rule.turns.filter { turn in report.players.contains { $0.name == turn.name } }
        for (path, new) in arrays() {
          let isOwned = moved.contains { $0.parameters.match(path) }
          // Biases cancel in a difference of two means, but for examples on two sides of a kink.
          if isOwned && path.hasPrefix("objective.") && path.hasSuffix("bias") { continue }
          #expect((new == before[path]) == !isOwned, "step \(step), \(path)")
        }
      }
    }
    try check(game.rule)
  }

  @Test(arguments: games.filter { $0.rule.turns[0].parameters.count > 1 })
  func frozenPartsStay(game: Game) throws {
    func check<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws {
      var trainer = AdversarialTests.trainer(rule)
      let frozen: PathPattern = "encoder.hidden.**"
      trainer.frozen = [frozen]
      let before = trainer.model.namedArrays
      for step in 0..<6 { try trainer.step(AdversarialTests.x(step)) }
      for (path, array) in trainer.model.namedArrays {
        if frozen.matches(path) { #expect(array == before[path]) }
        if path.hasPrefix("decoder.output") { #expect(array != before[path]) }
      }
    }
    try check(game.rule)
  }

  /// The decoder moves with every fifth step of the critic only.
  @Test func cyclesOfTurns() throws {
    var trainer = AdversarialTests.trainer(AdversarialTests.wasserstein(5))
    let names = try (0..<11).map { step in
      try trainer.step(AdversarialTests.x(step)).players.map(\.name)
    }
    for (step, moved) in names.enumerated() {
      #expect(moved == (step % 5 == 0 ? ["decoder", "critic"] : ["critic"]))
    }
  }

  /// Epochs in which the first player does not move are compared by its loss all the same.
  @Test func epochsWithoutAMove() throws {
    var trainer = AdversarialTests.trainer(AdversarialTests.wasserstein(20))
    let history = try trainer.fit(tinyData(), epochs: 3, batchSize: 16, handlesSignals: false)
    #expect(history.map { $0.training["loss"] == nil } == [false, true, true])
    #expect(history.allSatisfy { $0.selectionLoss.isFinite })
    #expect(history[2].selectionLoss == (try trainer.evaluate(tinyData(), batchSize: 16).loss))
  }

  /// What only the critic sees is not finite: the critic is named, and nothing has moved.
  @Test func aCriticThatBreaks() throws {
    var trainer = AdversarialTests.trainer(FactorVAE<TinyModel> { $0.criticHidden = [4] })
    try trainer.step(AdversarialTests.x())
    let before = try trainer.bytes
    var numbers = AdversarialTests.x().floats
    numbers[7 * 6] = .nan  // in the second half
    let error = #expect(throws: TrainingError.self) {
      try trainer.step(Tensor(numbers, shape: [8, 6]))
    }
    guard case .nonFinite(1, let term, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(term.hasPrefix("critic: "))
    #expect(try trainer.bytes == before)
  }

  /// Once nobody goes ahead, encoder and decoder are trained as by the bound: to the bit.
  @Test func laggingNoMoreIsTheBound() throws {
    var plain = Trainer(
      tinyModel(), objective: ELBO<TinyModel>(), optimizer: Adam(learningRate: 1e-2), seed: 3)
    var trainer = AdversarialTests.trainer(LaggingInference<TinyModel>())
    trainer.parts.state = Tensor([0, 0, 0, 0, 0, 0, 0, 0] as [Float])
    for step in 0..<5 {
      let expected = try plain.step(AdversarialTests.x(step))
      #expect(try trainer.step(AdversarialTests.x(step)).loss == expected.loss)
    }
    #expect(trainer.model.namedArrays == plain.model.namedArrays)
  }

  @Test func theDecoderWaits() throws {
    var trainer = AdversarialTests.trainer(
      AdversarialTests.lagging(window: 100, limit: 3, period: 100))
    let moved = try (0..<12).map { step in
      try trainer.step(AdversarialTests.x(step)).players.count == 2
    }
    #expect(moved == (0..<12).map { $0 % 4 == 3 })
  }

  /// A linear critic that starts at nothing can but point from what the decoder makes to the data, which are
  /// all the same: as long as they are far away, they come nearer all the time.
  @Test(arguments: [true, false]) func theGameIsPlayed(isWasserstein: Bool) throws {
    func check<Rule: TrainingObjective<TinyModel>>(_ rule: Rule) throws
    where Rule.Parts == CriticParts<PictureCritic> {
      var trainer = AdversarialTests.trainer(rule)
      trainer.parts.setParameters(trainer.parts.parameters.map(\.zerosLike))
      func distance() -> Float {
        var random = RandomStream(seed: 5)
        let means = trainer.model.generate(64, using: &random).mean(axes: [0]).floats
        return means.reduce(0) { $0 + abs($1 - 0.9) } / 6
      }
      var distances = [distance()]
      for _ in 0..<4 {
        for _ in 0..<50 { try trainer.step(Tensor(repeating: 0.9, shape: [16, 6])) }
        distances.append(distance())
      }
      for (earlier, later) in zip(distances, distances.dropFirst()) {
        #expect(later < earlier, "\(distances)")
      }
    }
    if isWasserstein {
      try check(
        WassersteinGAN<TinyModel> {
          ($0.criticHidden, $0.criticSteps) = ([], 2)
          ($0.criticLearningRate, $0.decoderLearningRate) = (1e-2, 1e-3)
        })
    } else {
      try check(
        GAN<TinyModel> {
          $0.criticHidden = []
          ($0.criticLearningRate, $0.decoderLearningRate) = (1e-2, 1e-3)
        })
    }
  }
}
