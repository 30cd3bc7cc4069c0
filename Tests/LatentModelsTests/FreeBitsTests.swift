// Free bits (Kingma et al. 2016, equation 15): value and derivative against loops.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct FreeBitsTests {
  typealias Model = VAE<FreeEncoder, MLPDecoder<BernoulliHead>, StandardNormalPrior>

  /// Two examples, three latents: divergences of about 1.1, 0.05 and 0.4 nats on the mean.
  static let model: Model = {
    var random = RandomStream(seed: 1)
    return VAE(
      encoder: FreeEncoder(
        mean: Tensor([1.5, 0.25, -0.5, -1, 0.125, 0.25] as [Double], shape: [2, 3]),
        logVariance: Tensor([-0.5, 0.25, -1.25, 0.5, -0.25, -1] as [Double], shape: [2, 3])),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [], outputShape: [2], head: BernoulliHead(), using: &random),
      prior: .standardNormal(3)
    ).converted(to: .float64)
  }()

  /// The batch mean of each latent's divergence.
  static let each: [Double] = {
    let (mean, logVariance) = (model.encoder.mean.doubles, model.encoder.logVariance.doubles)
    let elements: [Double] = zip(mean, logVariance).map { normalKL($0, $1) }
    return (0..<3).map { (elements[$0] + elements[$0 + 3]) / 2 }
  }()

  @Test(arguments: [0, 0.01, 0.2, 0.6, 3], [0.5, 1]) func valueAndDerivative(
    bits: Double, beta: Double
  ) {
    let x = Tensor.zeros([2, 2], .float64)
    func run(_ model: Model, _ bits: Double) -> LossTerms {
      var context = Tiny.training()
      return ELBO(beta: .constant(beta), freeBits: bits)(model, x, &context)
    }
    let terms = run(FreeBitsTests.model, bits)
    let charged = FreeBitsTests.each.reduce(0) { $0 + max($1, bits) }
    #expect(
      distance(
        [terms["kl"]?.item ?? .nan], [FreeBitsTests.each.reduce(0, +)]) < 1e-14, "uncharged")
    let reconstruction = terms["reconstruction"]?.item ?? .nan
    #expect(distance([terms.total.item], [reconstruction + beta * charged]) < 1e-14)

    // d/dmean of the charge is mean / batch where the latent is charged, else 0.
    let whole = valueAndGradient(at: FreeBitsTests.model) { run($0, bits).total }.gradients
    let rest = valueAndGradient(at: FreeBitsTests.model) { model in
      run(model, bits).terms[0].value
    }.gradients
    let parameters = FreeBitsTests.model.parameters.map(\.doubles)
    for index in 0..<2 {
      let found = zip(whole.tensors[index]?.doubles ?? [], rest.tensors[index]?.doubles ?? [])
        .map { $0 - $1 }
      let expected = (0..<6).map { position -> Double in
        if FreeBitsTests.each[position % 3] < bits { return 0 }
        let value = parameters[index][position]
        return beta * (index == 0 ? value : (exp(value) - 1) / 2) / 2
      }
      #expect(distance(found, expected) < 1e-13, "\(index == 0 ? "mean" : "log-variance")")
    }
  }

  /// Without a closed form by element the samples give it.
  @Test func byMonteCarlo() {
    let posterior = Laplace(
      mean: numbers([2, 3], 1), logScale: numbers([2, 3], 2) * 0.5)
    let model = VAE(
      encoder: LaplaceEncoder(mean: posterior.mean, logScale: posterior.logScale),
      decoder: FreeBitsTests.model.decoder, prior: .standardNormal(3))
    var (context, random) = (Tiny.training(), RandomStream(seed: 3))
    let x = Tensor.zeros([2, 2], .float64)
    let terms = ELBO(samples: 50, freeBits: 0.2)(model, x, &context)
    let z = posterior.reparameterizedSample([50], using: &random)
    let prior = StandardNormal(eventShape: [3], dtype: .float64)
    let elements =
      posterior.elementLogProbabilities(of: z) - prior.elementLogProbabilities(of: z)
    let each = elements.mean(axes: [0, 1]).doubles
    let total = (terms["reconstruction"]?.item ?? .nan) + each.reduce(0) { $0 + max($1, 0.2) }
    #expect(distance([terms.total.item], [total]) < 1e-13)
    #expect(terms.klMethod == .monteCarlo(samples: 50))
  }

  /// With a prior that has parameters of its own.
  @Test func againstALearnedPrior() {
    let prior = LearnedNormalPrior(mean: numbers([3], 5), logVariance: numbers([3], 6))
    let model = VAE(
      encoder: FreeBitsTests.model.encoder, decoder: FreeBitsTests.model.decoder, prior: prior)
    let (m, v) = (model.encoder.mean.doubles, model.encoder.logVariance.doubles)
    let (pm, pv) = (prior.mean.doubles, prior.logVariance.doubles)
    let elements: [Double] = (0..<6).map { normalKL(m[$0], v[$0], pm[$0 % 3], pv[$0 % 3]) }
    let each: [Double] = (0..<3).map { (elements[$0] + elements[$0 + 3]) / 2 }
    // Between the smallest and the largest.
    let bits = ((each.min() ?? 0) + (each.max() ?? 0)) / 2
    let charged = each.reduce(0) { $0 + max($1, bits) }
    var context = Tiny.training()
    let terms = ELBO(freeBits: bits)(model, .zeros([2, 2], .float64), &context)
    #expect(distance([terms["kl"]?.item ?? .nan], [each.reduce(0, +)]) < 1e-13)
    #expect(
      distance([terms.total.item - (terms["reconstruction"]?.item ?? .nan)], [charged]) < 1e-13)
  }
}
