// The doors of the design: custom encoders, decoders and priors work with the objective, the
// density and the tools through the protocols that exist.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct DoorTests {
  static func decoder(_ latentSize: Int) -> MLPDecoder<BernoulliHead> {
    var random = RandomStream(seed: 8)
    return MLPDecoder(
      latentSize: latentSize, hidden: [4], outputShape: [3], head: BernoulliHead(),
      activation: .tanh, using: &random)
  }

  static func encoder() -> MLPEncoder {
    var random = RandomStream(seed: 9)
    return MLPEncoder(
      inputShape: [3], hidden: [4], latentSize: 2, activation: .tanh, using: &random)
  }

  static let mixture = LearnedMixturePrior(
    logWeights: Tensor([0.5, -0.5, 0] as [Double]), means: numbers([3, 2], 1) * 3,
    logVariances: numbers([3, 2], 2))

  /// Gradients of the objective reach every parameter, match differences, and some steps of Adam
  /// lower the loss; the density and the tools work.
  func exercises<E: Encoder, D: Decoder, P: Prior>(_ name: String, _ original: VAE<E, D, P>)
  where E.Posterior: ReparameterizedDistribution {
    var model = original.converted(to: .float64)
    #expect(model.unvisitedTensors == [], "\(name)")
    func loss(_ model: VAE<E, D, P>, _ seed: UInt64 = 3, samples: Int = 2) -> Tensor {
      var context = Tiny.training(seed)
      return ELBO<VAE<E, D, P>>(samples: samples)(model, Tiny.x, &context).total
    }
    let gradients = valueAndGradient(at: model) { loss($0) }.gradients
    for (parameter, gradient) in zip(model.namedParameters, gradients.tensors) {
      let reached = gradient?.doubles.contains { $0 != 0 } ?? false
      #expect(reached, "\(name): no gradient reaches \(parameter.path)")
    }
    let error = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      return loss(copy)
    }
    #expect(error < 1e-6, "\(name): \(error)")
    let before = loss(model, 100, samples: 500).item
    var optimizer = Adam(learningRate: 0.02)
    for step in 0..<60 {
      let step = UInt64(step)
      optimizer.update(&model, along: valueAndGradient(at: model) { loss($0, step) }.gradients)
    }
    let after = loss(model, 100, samples: 500).item
    #expect(after < before - 0.05, "\(name): \(before) to \(after)")

    var random = RandomStream(seed: 5)
    let density = model.logLikelihood(of: Tiny.x, importanceSamples: 10, using: &random)
    #expect(density.shape == [4] && density.doubles.allSatisfy(\.isFinite), "\(name)")
    let drawn = model.generate(6, using: &random)
    #expect(drawn.shape == [6, 3] && drawn.dtype == .float64, "\(name): \(drawn.shape)")
  }

  @Test func learnedMixturePrior() {
    exercises(
      "mixture",
      VAE(encoder: DoorTests.encoder(), decoder: DoorTests.decoder(2), prior: DoorTests.mixture))
  }

  @Test func priorThatAsksTheEncoder() {
    let prior = PosteriorsPrior(inputs: abs(numbers([5, 3], 7)))
    exercises(
      "PosteriorsPrior",
      VAE(encoder: DoorTests.encoder(), decoder: DoorTests.decoder(2), prior: prior))
  }

  @Test func correlatedPosteriorAndLearnedPrior() {
    var random = RandomStream(seed: 10)
    let encoder = FullCovarianceEncoder(
      mean: Linear(3, 2, using: &random), triangle: Linear(3, 3, using: &random))
    let prior = LearnedNormalPrior(mean: numbers([2], 1), logVariance: numbers([2], 2))
    exercises("full covariance", VAE(encoder: encoder, decoder: DoorTests.decoder(2), prior: prior))
  }

  @Test func posteriorWithoutClosedFormAndVampPrior() {
    let encoder = LaplaceEncoder(mean: numbers([4, 2], 1), logScale: numbers([4, 2], 2))
    exercises(
      "Laplace", VAE(encoder: encoder, decoder: DoorTests.decoder(2), prior: DoorTests.mixture))
  }

  /// Encoder and decoder that use the context: training noise, a condition, dropout.
  @Test func networksThatReadTheContext() {
    var random = RandomStream(seed: 11)
    let model = VAE(
      encoder: NoisyConditionalEncoder(layer: Linear(3, 4, using: &random)),
      decoder: DropoutDecoder(
        layers: Sequential(
          Linear(2, 8, activation: .gelu, using: &random), Dropout(rate: 0.2),
          Linear(8, 3, using: &random))),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    exercises("context", model)
    let (first, second) = (model.encode(Tiny.x).mean, model.encoder(Tiny.x).mean)
    #expect(first.array == second.array, "no noise after training")
    var context = LayerContext.inference
    context.fields["condition"] = Tensor.ones([3], .float64)
    let shifted = model.posterior(Tiny.x, &context).mean
    #expect(distance(shifted, model.encode(Tiny.x + 1).mean) < 1e-14)
  }

  /// Integer data: the prior follows the model's precision, not the data's type.
  @Test func tokens() {
    var random = RandomStream(seed: 12)
    let model = VAE(
      encoder: TokenEncoder(table: random.normalTensor([5, 4], .float64)),
      decoder: TokenDecoder(layer: Linear(2, 15, using: &random), length: 3, classes: 5),
      prior: DTypeProbe(size: 2)
    ).converted(to: .float64)
    let x = Tensor([0, 1, 4, 2, 2, 3] as [Int32], shape: [2, 3])
    var context = Tiny.training()
    let terms = ELBO(samples: 2)(model, x, &context)
    #expect(terms.total.item.isFinite && terms.total.dtype == .float64)
    let density = model.logLikelihood(of: x, importanceSamples: 50, using: &random)
    #expect(density.shape == [2] && density.doubles.allSatisfy { $0 < 0 && $0 > -20 })
    #expect(model.samplePrior(3, using: &random).dtype == .float64)
  }
}

@Suite struct MonteCarloKLTests {
  /// KL(Laplace(m, b) || N(0, 1)) = -1 - log 2b + (log 2 pi + m^2 + 2 b^2) / 2.
  @Test func estimateIsUnbiasedAndReported() {
    let encoder = LaplaceEncoder(mean: numbers([4, 2], 1), logScale: numbers([4, 2], 2))
    let model = VAE(encoder: encoder, decoder: DoorTests.decoder(2), prior: .standardNormal(2))
      .converted(to: .float64)
    func element(_ mean: Double, _ logScale: Double) -> Double {
      let second: Double = mean * mean + 2 * exp(2 * logScale)
      return (log(2 * Double.pi) + second) / 2 - 1 - log(2) - logScale
    }
    let elements = zip(encoder.mean.doubles, encoder.logScale.doubles).map(element)
    let exact = elements.reduce(0, +) / 4
    for samples in [1, 8] {
      let runs = 2000 / samples
      let estimates = (0..<runs).map { run -> Double in
        var context = Tiny.training(UInt64(run))
        let terms = ELBO(samples: samples)(model, Tiny.x, &context)
        if run == 0 { #expect(terms.klMethod == .monteCarlo(samples: samples)) }
        return terms["kl"]?.item ?? .nan
      }
      let mean = estimates.reduce(0, +) / Double(runs)
      let variance = estimates.reduce(0) { $0 + pow($1 - mean, 2) } / Double(runs - 1)
      let error = abs(mean - exact) / (variance / Double(runs)).squareRoot()
      #expect(error < 4, "\(samples) samples: \(mean) against \(exact), \(error) standard errors")
    }
  }
}
