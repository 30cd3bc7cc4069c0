// Loops of one's own: with the trainer's events, with a part that is frozen, with two players whose
// checkpoints are two lines.

import Foundation
import Latent
import Testing

@Suite struct OwnLoopTests {
  /// The trainer's events in another loop: best and newest checkpoints, the table of epochs, a stop.
  @Test func eventsWithoutATrainer() throws {
    try withTemporaryFolder { folder in
      var model = tinyModel()
      var optimizer = Adam(learningRate: 1e-2)
      let (data, objective) = (tinyData(), ELBO<TinyModel>())
      let order = BatchOrder(count: data.count, batchSize: 11, seed: 5)
      let kept = Kept()
      var events: [any TrainingEvent] = [
        MetricsLog(to: folder), SaveCheckpoints(to: folder, keeping: 2), EarlyStopping(patience: 9),
        Recorder(keep: kept),
      ]
      var step = 0
      func state(_ epoch: Int, _ batch: Int) -> TrainingState {
        TrainingState(
          epoch: epoch, batch: batch, batchesPerEpoch: order.batchesPerEpoch, epochs: 3, step: step
        ) { [model] in
          var checkpoint = Checkpoint()
          checkpoint.store(model, as: "model")
          return checkpoint
        }
      }
      for index in events.indices { try events[index].runBegan(state(0, 0)) }
      for epoch in 0..<3 {
        var average = TermAverage()
        for (batch, indices) in order.batches(epoch: epoch).enumerated() {
          let x = Tensor(try data.batch(at: indices).inputs)
          var context = LayerContext(
            isTraining: true, random: RandomStream(seed: 5).split(UInt64(step)), step: step)
          let (loss, gradients) = valueAndGradient(at: model) {
            objective($0, x, &context).total
          }
          optimizer.update(&model, along: gradients)
          step += 1
          average.add(loss.item, examples: indices.count)
          let report = StepReport(
            step: step - 1, examples: indices.count, loss: loss.item,
            gradientNorm: gradients.norm, learningRate: optimizer.learningRate)
          for index in events.indices {
            try events[index].stepEnded(state(epoch, batch + 1), report)
          }
        }
        let metrics = EpochMetrics(
          epoch: epoch + 1, step: step, training: average,
          learningRate: optimizer.learningRate, seconds: 1)
        for index in events.indices {
          #expect(try events[index].epochEnded(state(epoch + 1, 0), metrics) == .goOn)
        }
        for index in events.indices { try events[index].epochSettled(state(epoch + 1, 0), metrics) }
      }
      for index in events.indices { try events[index].runEnded(state(3, 0)) }
      #expect(kept.epochs.map(\.epoch) == [1, 2, 3] && step == 12)
      #expect(kept.epochs[2].training.loss < kept.epochs[0].training.loss)
      #expect(MetricsLog.epochs(in: folder).map(\.step) == [4, 8, 12])
      let newest = try RunFolder.newest(in: folder)
      #expect(newest.path.hasSuffix(RunFolder.checkpointName(step: 12)))
      var other = tinyModel(seed: 77)
      try newest.checkpoint.load(&other, from: "model")
      #expect(other.namedArrays == model.namedArrays)
    }
  }

  /// Two modules in one file, each by its name.
  @Test func checkpointsOfSeveralModules() throws {
    var random = RandomStream(seed: 1)
    let generator = MLP([2, 4, 3], activation: .tanh, using: &random)
    let critic = MLP([3, 4, 1], activation: .tanh, using: &random)
    var checkpoint = Checkpoint()
    checkpoint.store(generator, as: "generator")
    checkpoint.store(critic, as: "critic")
    let read = try Checkpoint(decoding: checkpoint.encoded())
    var (a, b) = (MLP([2, 4, 3], activation: .tanh, using: &random), critic)
    #expect(a.namedArrays != generator.namedArrays)
    try read.load(&a, from: "generator")
    try read.load(&b, from: "critic")
    #expect(a.namedArrays == generator.namedArrays && b.namedArrays == critic.namedArrays)
    #expect(throws: ParameterMismatch.self) { try read.load(&a, from: "critic") }
    // What was stored under a name is replaced as a whole.
    checkpoint.store(MLP([2, 3], activation: .tanh, using: &random), as: "generator")
    #expect(checkpoint.arrays(under: "generator/").count == 2)
  }

  /// Freezing in a loop of one's own: derivatives are taken at the part that is trained.
  @Test func aFrozenPartKeepsItsBits() throws {
    var model = tinyModel()
    let encoder = model.encoder
    var optimizer = Adam(learningRate: 1e-2)
    let x = Tensor(try tinyData().batch(0..<44).inputs)
    func loss(_ decoder: MLPDecoder<BernoulliHead>, _ step: Int) -> Tensor {
      var whole = model
      whole.decoder = decoder
      var context = LayerContext(
        isTraining: true, random: RandomStream(seed: 2).split(UInt64(step)))
      return ELBO<TinyModel>()(whole, x, &context).total
    }
    let before = loss(model.decoder, 0).item
    for step in 0..<20 {
      let gradients = valueAndGradient(at: model.decoder) { loss($0, step) }.gradients
      #expect(gradients.tensors.count == model.decoder.parameters.count)
      optimizer.update(&model.decoder, along: gradients)
    }
    #expect(model.encoder.namedArrays == encoder.namedArrays)
    #expect(loss(model.decoder, 0).item < before)
  }

  /// A generator and a critic (Goodfellow et al. 2014), each moved by its own optimiser along its own
  /// loss: the generator's samples come to lie where the data do.
  @Test func twoPlayers() {
    var random = RandomStream(seed: 3)
    var generator = MLP([2, 16, 1], activation: .tanh, using: &random)
    generator.layers[1] = Linear(16, 1, using: &random)
    var critic = Sequential(
      Linear(1, 32, activation: .relu, using: &random), Linear(32, 1, using: &random))
    var moves = (
      generator: Adam(learningRate: 2e-3, beta1: 0.5), critic: Adam(learningRate: 2e-3, beta1: 0.5)
    )
    /// Data around 3.
    func data() -> Tensor { random.normalTensor([64, 1]) * 0.5 + 3 }
    func drawn() -> Tensor { generator(random.normalTensor([64, 2])) }
    #expect(abs(drawn().mean().item) < 1)
    for _ in 0..<400 {
      let (real, fake) = (data(), drawn())
      let judged = valueAndGradient(at: critic) { critic in
        (softplus(-critic(real)) + softplus(critic(fake))).mean()
      }
      let bits = generator.namedArrays
      moves.critic.update(&critic, along: judged.gradients)
      #expect(generator.namedArrays == bits)
      let noise = random.normalTensor([64, 2])
      let made = valueAndGradient(at: generator) { generator in
        softplus(-critic(generator(noise))).mean()
      }
      moves.generator.update(&generator, along: made.gradients)
    }
    let found = generator(random.normalTensor([4_000, 2])).mean().item
    #expect(abs(found - 3) < 0.5, "samples around \(found)")
  }
}
