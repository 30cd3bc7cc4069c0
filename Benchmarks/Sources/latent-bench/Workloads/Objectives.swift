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
    ObjectiveWorkload(name: "factor", batch: 128) { pool in
      var trainer = Trainer(
        model([400], 10), objective: FactorVAE { $0.gamma = 35 },
        optimizer: Adam(learningRate: 1e-4),
        seed: 1)
      return {
        do {
          try trainer.step(pool[trainer.step % pool.count])
        } catch {
          fatalError("\(error)")
        }
      }
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
