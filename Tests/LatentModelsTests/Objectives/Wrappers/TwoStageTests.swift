// A second autoencoder of the codes: what its parts are, who moves what, and cases whose best loss is known.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct TwoStageTests {
  typealias Model = Tiny.Model<NormalHead>

  static func second(_ size: Int = 2) -> SecondStage {
    var random = RandomStream(seed: 5)
    return SecondStage(codes: size, hidden: [6, 5], using: &random).converted(to: .float64)
  }

  /// The slope in log gamma is zero where gamma² is the mean squared error, and nowhere else.
  @Test func bestDeviation() throws {
    var second = TwoStageTests.second()
    let z = numbers([50, 2], 4) * 3
    func slope() -> Double {
      let start = second
      var context = Tiny.training()
      let result = valueAndGradient(at: start) { second in
        ELBO()(second, z, &context).total
      }
      let paths = start.namedParameters.filter(\.isTrained).map(\.path)
      let index = paths.firstIndex(of: "decoder.head.logVariance") ?? 0
      return result.gradients.tensors[index]?.item ?? .nan
    }
    var context = Tiny.training()
    let q = second.encoder(z, &context)
    let u = q.reparameterizedSample(using: &context.random)
    let error = square(second.decoder(u).mean - z).mean().item
    second.decoder.head.logVariance = Tensor([log(error)] as [Double])
    #expect(abs(slope()) < 1e-9)
    second.decoder.head.logVariance = Tensor([log(error) + 0.1] as [Double])
    #expect(slope() > 1e-3)
    second.decoder.head.logVariance = Tensor([log(error) - 0.1] as [Double])
    #expect(slope() < -1e-3)
  }

  /// Codes that are N(0, I) already: with nothing in the second latents the divergence is 0 and the loss the entropy of
  /// the codes, and the loss cannot fall below that.
  @Test func codesThatAreNormal() {
    var second = TwoStageTests.second()
    second.setParameters(second.parameters.map(\.zerosLike))
    var random = RandomStream(seed: 2)
    let z = random.normalTensor([20_000, 2], .float64)
    var context = Tiny.training()
    let terms = ELBO()(second, z, &context)
    #expect((terms["kl"]?.item ?? 1) == 0)
    let entropy = 1 + log(2 * Double.pi)
    #expect(abs(terms.total.item - entropy) < 5 * (1 / 20_000.0).squareRoot())
  }

  /// The loss of the player is the bound of detached draws, that of an evaluation the sum.
  @Test func losses() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = TwoStage(around: ELBO<Model>(beta: 2)) { $0.hidden = [6, 5] }
    var random = RandomStream(seed: 4)
    let parts = rule.makeParts(for: model, using: &random).converted(to: .float64)
    #expect(rule.turns.map(\.name) == ["model", "second"])
    var context = Tiny.training()
    let both = WrapperTests.Pair(model: model, parts: parts)
    let result = valueAndGradient(at: both) { both in
      rule.loss(of: 1, both.model, both.parts, Tiny.x, &context).total
    }
    let paths = both.namedParameters.filter(\.isTrained).map(\.path)
    for (path, gradient) in zip(paths, result.gradients.tensors) {
      let isSecond = path.hasPrefix("objective.second.")
      #expect(isSecond || (gradient?.doubles ?? []).allSatisfy { $0 == 0 }, "\(path)")
      #expect(rule.turns[1].moves(path) == isSecond && rule.turns[0].moves(path) != isSecond)
    }
    var draws = Tiny.training()
    let q = model.encode(Tiny.x)
    let noise = draws.random.normalTensor([4, 2], .float64)
    let z = q.mean + exp(q.logVariance * 0.5) * noise
    let expected = ELBO()(parts.second, z, &draws).total.item
    #expect(abs(result.value.item - expected) < 1e-12)

    var evaluation = LayerContext(isTraining: false, random: RandomStream(seed: 3))
    let sum = rule.loss(of: 0, model, parts, Tiny.x, &evaluation)
    evaluation = LayerContext(isTraining: false, random: RandomStream(seed: 3))
    let first = ELBO(beta: 2)(model, Tiny.x, &evaluation).total.item
    #expect(abs(sum.total.item - first - (sum["second"]?.item ?? 0)) < 1e-12)
  }

  /// A critic inside does not move the second stage, and is where it was.
  @Test func critics() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = TwoStage(around: WAEGAN<Model> { $0.criticHidden = [4] }) { $0.hidden = [3] }
    var random = RandomStream(seed: 4)
    let parts = rule.makeParts(for: model, using: &random)
    let paths = WrapperTests.Pair(model: model, parts: parts).namedParameters.map(\.path)
    for path in paths {
      let movers = rule.turns.filter { $0.moves(path) }.map(\.name)
      let expected =
        path.hasPrefix("objective.second.")
        ? "second" : path.hasPrefix("objective.critic.") ? "critic" : "model"
      #expect(movers == [expected], "\(path)")
    }
    #expect(paths.contains("objective.critic.layers.0.weight"))
  }

  @Test func stages() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    var random = RandomStream(seed: 4)
    for (steps, due) in [
      (0, [[true, true], [true, true], [true, true]]),
      (2, [[true, false], [true, false], [false, true]]),
    ] {
      let rule = TwoStage(around: ELBO<Model>()) { ($0.hidden, $0.stageSteps) = ([3], steps) }
      let parts = rule.makeParts(for: model, using: &random)
      for (step, expected) in due.enumerated() {
        #expect([0, 1].map { rule.isDue($0, step: step, parts) } == expected)
      }
    }
  }

  /// u, then z with the deviation's noise, then x: the moments of z are those of the decoder's parameters.
  @Test func generation() throws {
    let model = try WrapperTests.model("resnet").reparameterized(for: "a second stage")
    try generate(model)
  }

  private func generate<Model: ReparameterizedModel>(_ model: Model) throws {
    let rule = TwoStage(around: ELBO<Model>()) { $0.hidden = [3] }
    var random = RandomStream(seed: 4)
    var parts = rule.makeParts(for: model, using: &random).converted(to: .float64)
    parts.second.setParameters(parts.second.parameters.map(\.zerosLike))
    parts.second.decoder.output.bias = Tensor(repeating: 3, shape: [32], .float64)
    parts.second.decoder.head.logVariance = Tensor([log(0.25)] as [Double])
    let z = parts.codes(500, of: model, using: &random)
    #expect(z.shape == [500, 4, 4, 2])
    let (mean, spread) = (z.mean().item, square(z - 3).mean().item)
    #expect(abs(mean - 3) < 5 * 0.5 / 16_000.0.squareRoot())
    #expect(abs(spread - 0.25) < 5 * 0.25 * (2 / 16_000.0).squareRoot())
    let x = parts.generate(6, with: model, using: &random)
    #expect(x.batchShape == [6] && x.eventShape == [8, 8, 1])
  }
}
