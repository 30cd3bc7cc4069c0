// A cost of narrow posteriors: its value in loops, its derivative, and which player pays it.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct VarianceFloorTests {
  typealias Model = Tiny.Model<NormalHead>

  static func term(_ model: Model, _ deviation: Double) -> Double {
    let rows = model.encode(Tiny.x).logVariance.doubles
    return rows.map { max(0, 2 * log(deviation) - $0) }.reduce(0, +) / 4
  }

  @Test(arguments: [0.1, 0.7, 1, 3]) func value(deviation: Double) {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = VarianceFloor<Model, _>(around: ELBO(beta: 2)) {
      ($0.deviation, $0.weight) = (deviation, 3)
    }
    for isTraining in [true, false] {
      func context() -> LayerContext {
        LayerContext(isTraining: isTraining, random: RandomStream(seed: 3))
      }
      var (first, second) = (context(), context())
      let found = rule.loss(of: 0, model, NoParts(), Tiny.x, &first)
      let plain = ELBO(beta: 2)(model, Tiny.x, &second)
      let expected = VarianceFloorTests.term(model, deviation)
      #expect(abs(found.total.item - plain.total.item - 3 * expected) < 1e-12)
      #expect(abs((found["variance floor"]?.item ?? -1) - expected) < 1e-12)
      #expect(found.terms.map(\.name) == plain.terms.map(\.name) + ["variance floor"])
    }
  }

  /// A weight that rises: the loss of its final value is known all along.
  @Test func warmup() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = VarianceFloor<Model, _>(around: ELBO(warmup: .linear(steps: 4))) {
      ($0.deviation, $0.weight) = (3, .linear(from: 0, to: 2, steps: 4))
    }
    var (first, second) = (Tiny.training(step: 1), Tiny.training(step: 1))
    let found = rule.loss(of: 0, model, NoParts(), Tiny.x, &first)
    let plain = ELBO(warmup: .linear(steps: 4))(model, Tiny.x, &second)
    let expected = VarianceFloorTests.term(model, 3)
    #expect(abs(found.total.item - plain.total.item - expected) < 1e-12)
    let after = (found.afterWarmup?.item ?? 0) - (plain.afterWarmup?.item ?? 0)
    #expect(abs(after - 2 * expected) < 1e-12)
  }

  @Test func derivative() {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = VarianceFloor<Model, _>(around: ELBO()) { $0.deviation = 1.1 }
    let error = gradientError(at: model.parameters) { parameters in
      var moved = model
      moved.setParameters(parameters)
      var context = Tiny.training()
      return rule.loss(of: 0, moved, NoParts(), Tiny.x, &context).total
    }
    #expect(error < 1e-7)
  }

  /// The term is of the whole batch, for the first player that moves the encoder, also where that one asks for the
  /// posterior of a half of it, or for none at all.
  @Test(arguments: [("rws", 1), ("factor", 0), ("aae", 0), ("gan", 0), ("vae-gan", 0)])
  func whoPays(name: String, payer: Int) throws {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let facts = TrainingFacts(examples: 4, inputShape: [3])
    func losses(_ chain: [String]) throws -> [Double] {
      WrapperTests.step(
        try ObjectiveSettings(chain: chain).description.make(for: model, facts), model, Tiny.x
      ).map { $0[0] }
    }
    var settings = try ObjectiveSettings(chain: ["variance-floor", name])
    var floor = try #require(settings.description as? VarianceFloorDescription)
    floor.deviation = 2
    settings = ObjectiveSettings(floor)
    let rule = try settings.description.make(for: model, facts)
    let (with, without) = (
      WrapperTests.step(rule, model, Tiny.x).map { $0[0] }, try losses([name])
    )
    let rows = model.encode(Tiny.x).logVariance.doubles
    let expected = rows.map { max(0, 2 * log(2) - $0) }.reduce(0, +) / 4
    for turn in with.indices {
      let difference = with[turn] - without[turn]
      #expect(abs(difference - (turn == payer ? expected : 0)) < 1e-9, "\(turn)")
    }
  }
}
