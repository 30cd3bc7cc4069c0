// The code of the articles about training and serving.

import Foundation
import Latent
import Testing

private typealias Model = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

private func makeTrainer() -> Trainer<Model, ELBO<Model>> {
  var random = RandomStream(seed: 5).split("weights")
  let model = VAE(
    encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [32], latentSize: 4, using: &random),
    decoder: MLPDecoder(
      latentSize: 4, hidden: [32], outputShape: [16, 16, 1], head: BernoulliHead(),
      using: &random),
    prior: .standardNormal(4))
  return Trainer(
    model, objective: ELBO(warmup: .linear(steps: 50)), optimizer: Adam(learningRate: 2e-3),
    schedule: CosineSchedule(warmup: 10, total: 200), clipping: .norm(50), seed: 5)
}

struct StopAtLoss: TrainingEvent {
  let target: Double  // nats per example
  mutating func epochEnded(
    _ state: TrainingState, _ metrics: EpochMetrics
  ) throws -> TrainingVerdict {
    metrics.selectionLoss < target ? .stop(reason: "loss below \(target)") : .goOn
  }
}

@Suite struct TrainingArticles {
  @Test func trainingAndResuming() throws {
    try withFolder { folder in
      let parts = try Sprites(side: 16, count: 500).split(validation: 0.2, seed: 1)
      var trainer = makeTrainer()
      let history = try trainer.fit(
        parts.training, epochs: 2, batchSize: 50, validation: parts.validation,
        events: [.logMetrics(to: folder), .saveEvery(to: folder), .stopEarly(patience: 5)])
      #expect(history.count == 2)

      var fresh = makeTrainer().model
      try fresh.initialize(on: parts.training)
      #expect(fresh.namedArrays != makeTrainer().model.namedArrays)

      var resumed = makeTrainer()
      for difference in try resumed.resume(fromFolder: folder) { print("written by \(difference)") }
      try resumed.fit(
        parts.training, epochs: 3, batchSize: 50, validation: parts.validation,
        events: [.logMetrics(to: folder), .saveEvery(to: folder), .stopEarly(patience: 5)])
      #expect(resumed.epoch == 3 && resumed.step == 24)

      var stopped = makeTrainer()
      try stopped.fit(
        parts.training, epochs: 3, batchSize: 50, events: [StopAtLoss(target: .infinity)])
      #expect(stopped.epoch == 1 && stopped.stopReason == "loss below inf")

      var model = makeTrainer().model
      var optimizer = Adam(learningRate: 1e-3)
      let x = Tensor(try parts.training.batch(0..<50).inputs)
      var context = LayerContext(isTraining: true, random: RandomStream(seed: 1).split(0), step: 0)
      var (loss, gradients) = valueAndGradient(at: model) { ELBO()($0, x, &context).total }
      let (norm, scale) = gradients.clip(.norm(50))
      if loss.item.isFinite && norm.isFinite {
        optimizer.update(&model, along: gradients, scale: scale)
      }
      #expect(model.namedArrays != makeTrainer().model.namedArrays)
    }
  }

  @Test func adapting() throws {
    try withFolder { folder in
      let model = makeTrainer().model
      let data = Sprites(side: 16, count: 200)

      var random = RandomStream(seed: 2)
      let adapted = try Adapted(model, weights: ["decoder.**"], rank: 4, using: &random)
      var trainer = Trainer(
        adapted, objective: try AdaptedObjective(ELBO(), of: adapted),
        optimizer: Adam(learningRate: 5e-3), seed: 2)
      try trainer.fit(data, epochs: 2, batchSize: 50)
      let tuned = trainer.model.merged  // of the type of `model`

      try SavedAdapters(of: trainer.model).write(to: "\(folder)/digits.h5")
      let again = try SavedAdapters(contentsOf: "\(folder)/digits.h5").adapting(model)

      #expect(again.merged.namedArrays == tuned.namedArrays)
      #expect(tuned.encoder.namedArrays == model.encoder.namedArrays)
      #expect(tuned.decoder.namedArrays != model.decoder.namedArrays)
    }
  }

  @Test func serving() throws {
    try withFolder { folder in
      // What latent-train leaves in a folder.
      var trainer = makeTrainer()
      var configuration = RunConfiguration(
        data: "sprites:16",
        model: ModelDescription(MLPNetwork(hidden: [32], latentSize: 4), inputShape: [16, 16, 1]))
      configuration.epochs = 1
      trainer.descriptions[RunConfiguration.textName] = try configuration.encoded()
      try trainer.fit(
        Sprites(side: 16, count: 100), epochs: 1, batchSize: 50, events: [.saveEvery(to: folder)])

      let run = try Run(path: folder)
      let form = run.input  // the shape and type of one example, and of one latent

      func codes(of request: Tensor) throws -> [Float] {
        let x = try form.checked(request)  // throws InputError: shape, type, NaN
        return run.model.codes(of: x).floats
      }

      #expect(try codes(of: .zeros([16, 16, 1])).count == 4)
      #expect(throws: InputError.self) { try codes(of: .zeros([28, 28, 1])) }
    }
  }
}
