// The code of the articles about models.

import Foundation
import Latent
import Testing

struct CorrelatedEncoder: Encoder {
  var mean, triangle: Linear
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&mean, "mean")
    visitor.visit(&triangle, "triangle")
  }
  func callAsFunction(_ x: Tensor) -> FullCovarianceNormal {  // x: [batch, 16, 16, 1]
    let pixels = x.flattened(from: 1)
    return FullCovarianceNormal(mean: mean(pixels), unconstrained: triangle(pixels))
  }
}

struct MixturePrior: Prior {
  var logWeights, means, logVariances: Tensor  // [k], [k, latent], [k, latent]
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logWeights, "logWeights")
    visitor.visit(&means, "means")
    visitor.visit(&logVariances, "logVariances")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    Mixture(
      logWeights: logWeights,
      components: DiagonalNormal(mean: means, logVariance: logVariances))
  }
}

struct LabelledDecoder: Decoder {
  var labels: Embedding  // [classes, 8]
  var network: Sequential  // [..., latent + 8] -> [..., 256]
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&labels, "labels")
    visitor.visit(&network, "network")
  }
  func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Bernoulli {
    guard let given = context.fields[Field.labels] else { trap("a batch without labels") }
    let condition = labels(given, &context)  // [batch, 8]
    let seen = Tensor.concatenate(
      [z, condition.broadcast(to: z.shape.replacing(-1, with: 8))], axis: -1)
    return Bernoulli(
      logits: network(seen, &context).reshaped(z.shape.prefix(z.rank - 1) + [16, 16, 1]),
      eventRank: 3)
  }
}

struct ImportanceWeightedBound<Model: LatentVariableModel>: Objective
where Model.Posterior: ReparameterizedDistribution {
  let samples: Int

  var summary: String { "ImportanceWeightedBound(samples: \(samples))" }

  func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let (z, logQ) = q.sampleAndLogProbability([samples], using: &context.random)
    let logP = model.prior(q.dtype, &context).evaluable.logProbability(of: z)
    let likelihood = model.checkedLikelihood(of: z, leading: [samples] + q.batchShape, &context)
    let logLikelihood = likelihood.logProbability(of: x, observedIn: context)
    let weights = logLikelihood + logP - logQ  // [samples, batch]
    let bound = (weights.logSumExp(axes: [0]) - log(Double(samples))).mean()
    return LossTerms(
      total: -bound, terms: [("reconstruction", -(logLikelihood.mean()))])
  }
}

struct NoisyLatents: LensDescription {
  static let name = "noisy-latents"
  static let origin = Origin(
    "a wrapper: latents with noise of one deviation", paper: "arXiv 2510.11690", equation: "-",
    test: "PackageTests/ModelArticles.swift")

  var deviation = 0.1
  var inside = ObjectiveSettings()

  func validate() throws {}

  func lens<Model: LatentVariableModel>(
    _ x: Tensor, of model: Model, _ context: LayerContext, using random: inout RandomStream
  ) -> Lens? {
    guard context.isTraining else { return nil }
    let (stream, deviation) = (random, deviation)
    var lens = Lens(x, context)
    lens.latents = { z, _ in
      var random = stream
      return z + random.normalTensor(z.shape, z.dtype) * deviation
    }
    return lens
  }
}

struct MatchedCodes<Model: LatentVariableModel>: TrainingObjective
where Model.Posterior: ReparameterizedDistribution {
  struct Parts: Module {
    var hidden: MLP
    var logit: Linear

    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
      visitor.visit(&hidden, "hidden")
      visitor.visit(&logit, "logit")
    }

    func callAsFunction(_ codes: Tensor) -> Tensor { logit(hidden(codes)) }
  }

  let weight: Double
  var summary: String { "MatchedCodes(weight: \(weight))" }
  let turns = [
    Turn("model", moves: ["encoder.**", "decoder.**"]),
    Turn("critic", moves: ["objective.**"], optimizer: Adam(learningRate: 1e-4)),
  ]

  func makeParts(for model: Model, using random: inout RandomStream) -> Parts {
    let latents = model.latentShape.count
    return Parts(
      hidden: MLP([latents, 64, 64], activation: .relu, using: &random),
      logit: Linear(64, 1, using: &random))
  }

  func loss(
    of turn: Int, _ model: Model, _ critic: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    if turn == 0 {
      let pass = model.variationalPass(x, &context)
      let reconstruction = -(pass.logLikelihood.mean())
      // 0 where the critic takes codes for draws of the prior.
      let unlike = softplus(-critic(pass.z)).mean()
      var terms = LossTerms(
        total: reconstruction + unlike * weight,
        terms: [("reconstruction", reconstruction), ("unlike", unlike)])
      terms.handover["codes"] = pass.z
      return terms
    }
    guard let codes = context.fields["codes"] else { trap("the critic moves after the model") }
    let wanted = model.prior(codes.dtype, &context).sample(
      [codes.shape[0]], using: &context.random)
    return LossTerms(
      total: (softplus(-critic(wanted)) + softplus(critic(codes))).mean(), terms: [])
  }
}

@Suite struct ModelArticles {
  @Test func gettingStarted() throws {
    try withFolder { folder in
      var random = RandomStream(seed: 7)
      let model = VAE(
        encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [200], latentSize: 8, using: &random),
        decoder: MLPDecoder(
          latentSize: 8, hidden: [200], outputShape: [16, 16, 1], head: BernoulliHead(),
          using: &random),
        prior: .standardNormal(8))
      var trainer = Trainer(
        model, objective: ELBO(), optimizer: Adam(learningRate: 2e-3), seed: 7)
      try trainer.fit(
        Sprites(side: 16, count: 1_000), epochs: 2, batchSize: 100,
        events: [.saveEvery(to: folder)])

      let images = trainer.model.generate(16, using: &random)  // [16, 16, 16, 1]
      try PNG.write(ImageGrid.tile(images.array, columns: 4, scale: 4), to: "\(folder)/samples.png")

      let x = Tensor(try Sprites(side: 16).batch(0..<4).inputs)  // [4, 16, 16, 1]
      let codes = trainer.model.codes(of: x)  // [4, 8]
      let again = trainer.model.reconstruct(x)  // [4, 16, 16, 1]

      #expect(images.shape == [16, 16, 16, 1] && codes.shape == [4, 8] && again.shape == x.shape)
      #expect(FileManager.default.fileExists(atPath: "\(folder)/best.h5"))
    }
  }

  @Test func critic() throws {
    var random = RandomStream(seed: 7)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [64], latentSize: 4, using: &random),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [64], outputShape: [16, 16, 1], head: BernoulliHead(), using: &random
      ),
      prior: .standardNormal(4))
    var trainer = Trainer(
      model, objective: MatchedCodes(weight: 10), optimizer: Adam(learningRate: 1e-3), seed: 1)
    trainer[player: "critic"].clipping = .norm(1)

    let x = Tensor(try Sprites(side: 16).batch(0..<64).inputs)
    let first = try trainer.step(x)
    for _ in 0..<30 { try trainer.step(x) }
    let last = try trainer.step(x)
    #expect(last.loss < first.loss && last.players.map(\.name) == ["model", "critic"])
    #expect(last.terms.map(\.name) == ["reconstruction", "unlike", "critic"])
  }

  @Test func wrapping() throws {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [32], latentSize: 4, using: &random),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [32], outputShape: [16, 16, 1], head: BernoulliHead(), using: &random
      ),
      prior: .standardNormal(4))
    var trainer = Trainer(
      model,
      objective: Augmentation(around: NestedDropout(around: ELBO(beta: 4))) { $0.noise = 0.1 },
      optimizer: Adam(learningRate: 1e-3), seed: 1)

    let x = Tensor(try Sprites(side: 16).batch(0..<16).inputs)
    #expect(try trainer.step(x).terms.map(\.name) == ["reconstruction", "kl"])
    var noisy = Trainer(
      model, objective: Wrapped<NoisyLatents, _, _>(around: ELBO()),
      optimizer: Adam(learningRate: 1e-3), seed: 1)
    #expect(try noisy.step(x).loss.isFinite)
  }

  @Test func composing() throws {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: CorrelatedEncoder(
        mean: Linear(256, 2, using: &random), triangle: Linear(256, 3, using: &random)),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [64], outputShape: [16, 16, 1], head: BernoulliHead(),
        using: &random),
      prior: MixturePrior(
        logWeights: .zeros([4]), means: random.normalTensor([4, 2]), logVariances: .zeros([4, 2])))
    let x = Tensor(try Sprites(side: 16).batch(0..<8).inputs)
    var context = LayerContext(isTraining: true, random: random)
    let terms = ELBO()(model, x, &context)

    #expect(terms.klMethod == .monteCarlo(samples: 1) && terms.total.item.isFinite)
    // The bound of one sample has the same terms; of more samples it is tighter on average.
    let bound = ImportanceWeightedBound<
      VAE<CorrelatedEncoder, MLPDecoder<BernoulliHead>, MixturePrior>
    >(
      samples: 1)
    var (first, second) = (
      LayerContext(isTraining: true, random: random), LayerContext(isTraining: true, random: random)
    )
    let difference = bound(model, x, &first).total.item - ELBO()(model, x, &second).total.item
    #expect(abs(difference) < 1e-3, "\(difference)")
    let tight = ImportanceWeightedBound<
      VAE<CorrelatedEncoder, MLPDecoder<BernoulliHead>, MixturePrior>
    >(samples: 64)
    #expect(tight(model, x, &first).total.item < terms.total.item + 5)
  }

  @Test func conditions() throws {
    var random = RandomStream(seed: 3)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [64], latentSize: 4, using: &random),
      decoder: LabelledDecoder(
        labels: Embedding(count: 3, size: 8, using: &random),
        network: Sequential(
          Linear(12, 64, activation: .gelu, using: &random), Linear(64, 256, using: &random))),
      prior: .standardNormal(4))
    var trainer = Trainer(model, objective: ELBO(), optimizer: Adam(), seed: 3)
    try trainer.fit(Sprites(side: 16, count: 200), epochs: 1, batchSize: 50)

    let shapes = Tensor([0, 1, 2] as [Int32])  // square, ellipse, heart
    let images = trainer.model.generate(3, fields: [Field.labels: shapes], using: &random)

    #expect(images.shape == [3, 16, 16, 1])
  }

  @Test func masks() {
    var random = RandomStream(seed: 4)
    let x = Tensor([0, 1, 1, 0, 1, 0], shape: [2, 3])
    let mask = Tensor([1, 1, 0, 1, 0, 1], shape: [2, 3])
    var incomplete = VAE(
      encoder: MLPEncoder(inputShape: [6], hidden: [8], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [8], outputShape: [3], head: BernoulliHead(), using: &random),
      prior: .standardNormal(2))
    incomplete.masking = Masking(filling: 0, showsMask: true)  // the encoder sees [batch, 2 * 3]
    let whole = incomplete.reconstruct(x, fields: [Field.mask: mask])  // [2, 3]

    #expect(whole.shape == [2, 3])
    let hidden = Tensor.where(mask, x, x.zerosLike + .nan)
    #expect(incomplete.reconstruct(hidden, fields: [Field.mask: mask]).array == whole.array)
  }

  @Test func lowPrecision() throws {
    var random = RandomStream(seed: 5)
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [64], latentSize: 4, using: &random),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [64], outputShape: [16, 16, 1], head: BernoulliHead(),
        using: &random),
      prior: .standardNormal(4))
    let typical = Tensor(try Sprites(side: 16, count: 256).batch(0..<256).inputs)
    let small = model.quantized(.int8, calibratedOn: typical)
    let codes = small.codes(of: typical)  // [256, 4], float32

    #expect(codes.shape == [256, 4] && codes.dtype == .float32)
    #expect(small.lowPrecisionPaths.count == 4, "\(small.lowPrecisionPaths)")
  }
}
