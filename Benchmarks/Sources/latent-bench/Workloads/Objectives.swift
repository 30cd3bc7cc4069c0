// Training steps of other objectives than the bound: the peers' ZOO-WORKLOADS.md. Networks and data are
// those of the page, noise is drawn anew in every step.

import ArgumentParser
import Latent

/// An objective that is timed in training.
struct ObjectiveWorkload: Sendable {
  let name: String
  /// Examples of a training step.
  let batch: Int
  /// Makes the call that is timed, for batches that are cycled through.
  fileprivate let makeStep: @Sendable (_ pool: [Tensor]) -> () -> Void

  /// One training step of so many examples at each call.
  func step(batch: Int) -> () -> Void {
    makeStep(
      (0..<8).map {
        Rules.blockyImages(batch, side: 28, channels: 1, stream: 1000 + $0).reshaped([batch, 784])
      })
  }

  static let all = [
    ObjectiveWorkload(name: "iwae50", batch: 20) {
      step(model([200, 200], 50, .tanh), IWAE { $0.samples = 50 }, $0)
    },
    ObjectiveWorkload(name: "vamp500", batch: 100) { pool in
      let plain = model([300, 300], 40)
      var random = RandomStream(seed: 0)
      var prior = VampPrior(inputShape: [784], components: 500, using: &random)
      // It is parameter number 14.
      prior.inputs = Rules.blockyImages(500, side: 28, channels: 1, stream: 14)
        .reshaped([500, 784])
      return step(
        VAE(encoder: plain.encoder, decoder: plain.decoder, prior: prior), ELBO(), pool)
    },
    ObjectiveWorkload(name: "iaf2", batch: 128) { pool in
      var random = RandomStream(seed: 0)
      let flow = AutoregressiveFlow(
        size: 20, depth: 2, hidden: [320], context: 64, scaling: .gated(bias: 1.5),
        output: .pyTorch, using: &random)
      let model = VAE(
        encoder: DenseEncoder(
          inputShape: [784], hidden: [400], latentSize: 20, posterior: FlowHead(flow),
          using: &random),
        decoder: MLPDecoder(
          latentSize: 20, hidden: [400], outputShape: [784], head: BernoulliHead(),
          using: &random),
        prior: .standardNormal(20))
      return step(model, ELBO(), pool)
    },
    ObjectiveWorkload(name: "btcvae", batch: 256) {
      step(model([400], 20), TotalCorrelation { ($0.beta, $0.examples) = (6, 60_000) }, $0)
    },
    ObjectiveWorkload(name: "factor", batch: 128) {
      steps(model([400], 10), FactorVAE { $0.gamma = 35 }, $0, learningRate: 1e-4)
    },
    ObjectiveWorkload(name: "vq28", batch: 64) { codes($0) },
    ObjectiveWorkload(name: "hvae4", batch: 100) {
      step(
        HamiltonianModel(model([300], 64, .softplus), flow: HamiltonianFlow(latents: 64)), ELBO(),
        $0)
    },
    ObjectiveWorkload(name: "waemmd", batch: 128) { pool in
      var random = RandomStream(seed: 0)
      let model = VAE(
        encoder: MLPPointEncoder(
          inputShape: [784], hidden: [400], latentSize: 8, using: &random),
        decoder: MLPDecoder(
          latentSize: 8, hidden: [400], outputShape: [784], head: NormalHead(.fixed(1)),
          using: &random),
        prior: .standardNormal(8))
      return step(
        model,
        WassersteinAutoencoder<_, WassersteinMMDDescription> { $0.lambda = 10 }, pool)
    },
  ]

  /// Convolutions to 7 by 7 vectors of 64, a code book of moving averages, and back, a normal of variance 1.
  private static func codes(_ pool: [Tensor]) -> () -> Void {
    var random = RandomStream(seed: 0)
    var settings = VectorCodes()
    settings.kmeans = 0
    var book = VectorQuantizer(settings, dimension: 64, using: &random)
    var model = VAE(
      encoder: ConvMapEncoder(
        inputShape: [28, 28, 1], channels: [32, 64], latentChannels: 64,
        posterior: CodesHead(book), initializer: .pyTorch, using: &random),
      decoder: ConvMapDecoder(
        latentChannels: 64, channels: [32, 64], outputShape: [28, 28, 1],
        head: NormalHead(.fixed(1)), initializer: .pyTorch, using: &random),
      prior: UniformPriorOverCodes([7, 7, 64]))
    // Codes start at vectors of the untrained encoder.
    let first = Rules.blockyImages(11, side: 28, channels: 1, stream: 999)
    let vectors = model.encoder.head(model.encoder.convolutions.reduce(first) { $1($0) })
    book.book = vectors.reshaped([11 * 49, 64]).sliced(0, 0..<settings.codes)
    book.sums = book.book
    model.encoder.posterior = CodesHead(book)
    return steps(
      model, VectorQuantization(VectorQuantizationDescription()),
      pool.map {
        $0.reshaped([$0.shape[0], 28, 28, 1])
      })
  }

  /// As the training steps of the other workloads, by a trainer, which also sees to players and buffers.
  private static func steps<Rule: TrainingObjective>(
    _ model: Rule.Model, _ objective: Rule, _ pool: [Tensor], learningRate: Double = 1e-3
  ) -> () -> Void {
    var trainer = Trainer(
      model, objective: objective, optimizer: Adam(learningRate: learningRate), seed: 1)
    return {
      do {
        try trainer.step(pool[trainer.step % pool.count])
      } catch {
        fatalError("\(error)")
      }
    }
  }

  /// 784 inputs, hidden layers, latents, and back, Bernoulli.
  private static func model(
    _ hidden: [Int], _ latentSize: Int, _ activation: Activation = .relu
  ) -> VAE<MLPEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior> {
    var random = RandomStream(seed: 0)
    return VAE(
      encoder: MLPEncoder(
        inputShape: [784], hidden: hidden, latentSize: latentSize, activation: activation,
        using: &random),
      decoder: MLPDecoder(
        latentSize: latentSize, hidden: hidden.reversed(), outputShape: [784],
        head: BernoulliHead(), activation: activation, using: &random),
      prior: .standardNormal(latentSize))
  }

  /// As the training steps of the other workloads: noise, forward, loss, backward, Adam.
  private static func step<Rule: TrainingObjective>(
    _ model: Rule.Model, _ objective: Rule, _ pool: [Tensor]
  ) -> () -> Void where Rule.Parts == NoParts {
    var model = model
    var optimizer = Adam(learningRate: 1e-3)
    let root = RandomStream(seed: 1)
    var step = 0
    return {
      var context = LayerContext(isTraining: true, random: root.split(UInt64(step)), step: step)
      let (_, gradients) = valueAndGradient(at: model) { model in
        objective.loss(of: 0, model, NoParts(), pool[step % pool.count], &context).total
      }
      optimizer.update(&model, along: gradients)
      step += 1
    }
  }
}
