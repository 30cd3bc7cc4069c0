// A module whose `visitParameters` forgets a part would train without it; the trainer refuses it.

import Latent
import Testing

@Suite struct ForgottenParameterTests {
  struct Forgetful: Module {
    var weight = Tensor.ones([3])
    var shift: Tensor? = .ones([3])
    var steps = Tensor([1, 2] as [Int32])

    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&weight, "weight")
    }
  }

  struct Outer: Module {
    var parts = [Forgetful()]
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&parts, "parts")
    }
  }

  struct Loss<Model: Module>: Objective {
    var summary: String { "Loss" }
    func callAsFunction(_ model: Model, _ x: Tensor, _ context: inout LayerContext) -> LossTerms {
      LossTerms(total: model.parameters[0].sum(), terms: [])
    }
  }

  @Test func traps() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Trainer(
        Forgetful(), objective: Loss<Forgetful>(), optimizer: SGD(learningRate: 1), seed: 0)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(
      text.contains("visitParameters of Forgetful does not visit shift"), "\(text.prefix(300))")
    #expect(text.contains("ForgottenParameterTests.swift"), "the caller's line")
    #expect(!text.contains("steps"), "integers are not trained")
  }

  @Test func parts() async throws {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = Trainer(Outer(), objective: Loss<Outer>(), optimizer: SGD(learningRate: 1), seed: 0)
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains("visitParameters of Outer does not visit parts.0.shift"))
  }

  @Test func nothingForgotten() throws {
    var trainer = tinyTrainer(average: 0.9)
    try trainer.step(try NonFiniteTests.x())
    // Trained parameters are views of one buffer: a new trainer must still find them.
    _ = Trainer(
      trainer.model, objective: ELBO<TinyModel>(), optimizer: SGD(learningRate: 1), seed: 0)
  }
}
