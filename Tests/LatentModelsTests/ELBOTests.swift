// The evidence lower bound against hand computation, and each of its knobs.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct ELBOTests {
  @Test func bernoulliTerms() {
    let model = Tiny.model(BernoulliHead())
    var context = Tiny.training()
    let terms = ELBO()(model, Tiny.x, &context)
    let hand = Tiny.byHand(model, Tiny.x, noise: Tiny.noise(), density: Tiny.bernoulli)
    #expect(terms.terms.map(\.name) == ["reconstruction", "kl"])
    #expect(distance([terms["reconstruction"]?.item ?? .nan], [hand.reconstruction]) < 1e-13)
    #expect(distance([terms["kl"]?.item ?? .nan], [hand.kl]) < 1e-13)
    #expect(distance([terms.total.item], [hand.reconstruction + hand.kl]) < 1e-13)
    #expect(terms.klMethod == .closedForm)
    #expect(terms.total.shape == [] && terms["nothing"] == nil)
  }

  @Test(arguments: [0.5, 1, 2]) func normalTerms(deviation: Double) {
    let x = numbers([4, 3], 9)
    let heads = [NormalHead(.fixed(deviation)), NormalHead(.shared(initial: deviation))]
    for head in heads {
      let model = Tiny.model(head)
      var context = Tiny.training()
      let terms = ELBO()(model, x, &context)
      let hand = Tiny.byHand(model, x, noise: Tiny.noise(), density: Tiny.normal(deviation))
      // The shared logarithm starts as float32.
      let error = distance([terms.total.item], [hand.reconstruction + hand.kl])
      #expect(error < 1e-6, "\(head.scale): \(error)")
      #expect(
        model.namedParameters.contains { $0.path == "decoder.head.logVariance" }
          == (head.scale != .fixed(deviation)))
    }
  }

  @Test func givenNoiseReplacesTheStreams() {
    let model = Tiny.model(BernoulliHead())
    let noise = numbers([4, 2], 6)
    let fixed = VAE(
      encoder: FixedNoiseEncoder(base: model.encoder, noise: noise), decoder: model.decoder,
      prior: model.prior)
    var context = Tiny.training()
    let terms = ELBO()(fixed, Tiny.x, &context)
    let hand = Tiny.byHand(model, Tiny.x, noise: noise, density: Tiny.bernoulli)
    #expect(distance([terms.total.item], [hand.reconstruction + hand.kl]) < 1e-13)
    #expect(fixed.namedParameters.map(\.path) == model.namedParameters.map(\.path))
  }

  /// The derivatives of the whole bound, also of the composed form with several samples.
  @Test(arguments: [1, 3]) func derivatives(samples: Int) {
    let model = Tiny.model(NormalHead(.shared(initial: 0.7)))
    let error = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      var context = Tiny.training()
      return ELBO(beta: 1.5, samples: samples)(copy, numbers([4, 3], 9), &context).total
    }
    #expect(error < 1e-7, "\(error)")
  }

  @Test func severalSamplesAreTheMeanOverSingleOnes() {
    let model = Tiny.model(BernoulliHead())
    let noise = Tiny.noise([5])
    var context = Tiny.training()
    let terms = ELBO(samples: 5)(model, Tiny.x, &context)
    let single = (0..<5).map {
      Tiny.byHand(
        model, Tiny.x, noise: noise.selecting($0), density: Tiny.bernoulli)
    }
    let reconstruction = single.map(\.reconstruction).reduce(0, +) / 5
    #expect(distance([terms["reconstruction"]?.item ?? .nan], [reconstruction]) < 1e-13)
    #expect(distance([terms["kl"]?.item ?? .nan], [single[0].kl]) < 1e-13)
  }

  @Test(arguments: [0, 0.5, 1, 4.0]) func betaWeighsTheDivergence(beta: Double) {
    let model = Tiny.model(BernoulliHead())
    var context = Tiny.training()
    let terms = ELBO(beta: .constant(beta))(model, Tiny.x, &context)
    let parts = terms.terms.map(\.value.item)
    #expect(distance([terms.total.item], [parts[0] + beta * parts[1]]) < 1e-14)
  }

  struct Ramp: Sendable, CustomTestStringConvertible {
    let warmup: Warmup
    let factors: [Double]
    var testDescription: String { "\(warmup)" }
  }

  @Test(arguments: [
    Ramp(warmup: .none, factors: [1, 1, 1, 1, 1, 1, 1, 1, 1]),
    Ramp(warmup: .linear(steps: 4), factors: [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1]),
    Ramp(warmup: .linear(steps: 0), factors: [1, 1, 1]),
    Ramp(warmup: .linear(steps: 1), factors: [1, 1, 1]),
    Ramp(warmup: .cyclic(period: 4), factors: [0.5, 1, 1, 1, 0.5, 1, 1, 1, 0.5]),
    Ramp(warmup: .cyclic(period: 8), factors: [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 0.25]),
    Ramp(warmup: .cyclic(period: 0), factors: [1, 1, 1]),
  ]) func warmups(ramp: Ramp) throws {
    #expect(ramp.factors.indices.map(ramp.warmup.factor(step:)) == ramp.factors)
    let data = try JSONEncoder().encode(ramp.warmup)
    #expect(try JSONDecoder().decode(Warmup.self, from: data) == ramp.warmup)
    let model = Tiny.model(BernoulliHead())
    let objective = ELBO<Tiny.Model<BernoulliHead>>(beta: 2, warmup: ramp.warmup)
    for (step, factor) in ramp.factors.enumerated() {
      var context = Tiny.training(step: step)
      let terms = objective(model, Tiny.x, &context)
      let parts = terms.terms.map(\.value.item)
      #expect(
        distance([terms.total.item], [parts[0] + 2 * factor * parts[1]]) < 1e-14, "step \(step)")
      #expect((terms.afterWarmup == nil) == (factor == 1), "step \(step)")
      let settled = (terms.afterWarmup ?? terms.total).item
      context = LayerContext(isTraining: false, random: RandomStream(seed: 3), step: step)
      let after = objective(model, Tiny.x, &context)
      #expect(
        distance([after.total.item], [parts[0] + 2 * parts[1]]) < 1e-14,
        "outside training the warm-up is over")
      #expect(after.afterWarmup == nil && distance([after.total.item], [settled]) < 1e-14)
    }
  }

  /// Hidden entries do not count, whatever they hold, and have no derivative; the encoder sees zeros.
  @Test(arguments: [1, 3]) func masks(samples: Int) {
    let model = Tiny.model(BernoulliHead())
    let mask = Tensor([1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0] as [Double], shape: [4, 3])
    let noise = Tiny.noise(samples == 1 ? [] : [samples])
    var context = Tiny.training()
    context.fields["mask"] = mask
    let terms = ELBO(samples: samples)(model, Tiny.x, &context)
    var expected = 0.0
    for sample in 0..<samples {
      var position = -1
      expected +=
        Tiny.byHand(
          model, Tiny.x * mask, noise: samples == 1 ? noise : noise.selecting(sample),
          density: { raw, x in
            position += 1
            return mask.doubles[position] == 1 ? Tiny.bernoulli(raw, x) : 0
          }
        ).reconstruction / Double(samples)
    }
    #expect(distance([terms["reconstruction"]?.item ?? .nan], [expected]) < 1e-13)
    // All hidden: the decoder learns nothing.
    context = Tiny.training()
    context.fields["mask"] = mask.zerosLike
    let (_, gradients) = valueAndGradient(at: model) { model in
      ELBO(samples: samples)(model, Tiny.x, &context).total
    }
    for index in 2..<4 {
      #expect(gradients.tensors[index]?.doubles.allSatisfy { $0 == 0 } ?? true, "\(index)")
    }
  }

  /// A `Delta` posterior: the plain autoencoder, with one term and no noise.
  @Test func deltaPosteriorIsAnAutoencoder() {
    var random = RandomStream(seed: 1)
    let model = VAE(
      encoder: MLPPointEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [3], head: NormalHead(.fixed(1)), using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    var context = Tiny.training()
    let objective = ELBO<VAE<MLPPointEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>>(
      beta: 3, samples: 4, freeBits: 1, warmup: .linear(steps: 10))
    let terms = objective(model, Tiny.x, &context)
    let difference = (model.reconstruct(Tiny.x) - Tiny.x).doubles
    let squares = difference.reduce(0) { $0 + $1 * $1 } / 4
    #expect(distance([terms.total.item], [squares / 2 + 1.5 * log(2 * .pi)]) < 1e-13)
    #expect(terms.terms.map(\.name) == ["reconstruction"] && terms.klMethod == nil)
    #expect(context.random == RandomStream(seed: 3), "nothing is drawn")
  }

  @Test func summaryNamesTheKnobs() {
    let objective = ELBO<Tiny.Model<BernoulliHead>>(
      beta: 4, samples: 2, freeBits: 0.5, warmup: .cyclic(period: 10))
    #expect(
      objective.summary == "ELBO(beta: 4.0, samples: 2, freeBits: 0.5, warmup: cyclic(period: 10))")
  }
}
