// The importance-sampled density against models whose marginal is known.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct LogLikelihoodTests {
  typealias Model = VAE<LinearEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>
  static let deviation = 0.6

  /// x = W z + mu + noise with orthogonal columns W, and its exact posterior: precision
  /// W'W / sigma^2 + 1 is diagonal. `excess` widens the posterior beyond the exact one.
  static func linear(excess: Double = 0) -> Model {
    var random = RandomStream(seed: 1)
    let weight =
      Initializer.orthogonal()([5, 2], .float64, using: &random) * Tensor([1.5, 0.75] as [Double])
    let variance = deviation * deviation
    let spread = [1.5 * 1.5 + variance, 0.75 * 0.75 + variance]
    let offset = numbers([5], 2)
    var model = VAE(
      encoder: LinearEncoder(
        mean: Linear(5, 2, using: &random),
        logVariance: Tensor(spread.map { log(variance / $0) + excess })),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [5], head: NormalHead(.fixed(deviation)),
        using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
    let gain = weight.transposed / Tensor(spread, shape: [2, 1])
    model.encoder.mean.weight = gain
    model.encoder.mean.bias = -matmul(gain, offset.reshaped([5, 1])).reshaped([2])
    model.decoder.output.weight = weight
    model.decoder.output.bias = offset
    return model
  }

  /// N(x; mu, W W' + sigma^2 1).
  static func marginal(_ model: Model, _ x: Tensor) throws -> Tensor {
    let weight = model.decoder.output.weight
    let covariance =
      matmul(weight, weight.transposed) + Tensor.identity(5, .float64) * (deviation * deviation)
    let normal = try FullCovarianceNormal(
      mean: model.decoder.output.bias ?? .zeros([5], .float64), covariance: covariance)
    return normal.logProbability(of: x)
  }

  static let x = numbers([6, 5], 4) * 3

  /// With the exact posterior every sample has the same weight: p(x).
  @Test(arguments: [1, 2, 3, 64, 65, 200]) func exactPosteriorGivesTheMarginal(samples: Int) throws
  {
    let model = LogLikelihoodTests.linear()
    let exact = try LogLikelihoodTests.marginal(model, LogLikelihoodTests.x)
    var random = RandomStream(seed: 2)
    for atOnce in [1, 64, 1000] {
      let found = model.logLikelihood(
        of: LogLikelihoodTests.x, importanceSamples: samples, samplesAtOnce: atOnce, using: &random)
      let error = distance(found, exact)
      #expect(error < 1e-12, "\(samples) samples, \(atOnce) at once: \(error)")
    }
  }

  @Test func isTheBoundInExpectationAndTightens() throws {
    let model = LogLikelihoodTests.linear(excess: 0.7)
    let exact = try LogLikelihoodTests.marginal(model, LogLikelihoodTests.x).mean().item
    var random = RandomStream(seed: 3)
    var last = -Double.infinity
    for samples in [1, 5, 25, 4000] {
      // The mean over many repetitions of the estimate.
      let repeats = samples == 4000 ? 5 : 400
      let mean = (0..<repeats).reduce(0.0) { sum, _ in
        sum + model.logLikelihood(
          of: LogLikelihoodTests.x, importanceSamples: samples, using: &random
        ).mean().item / Double(repeats)
      }
      #expect(mean > last && mean < exact + 0.01, "\(samples) samples: \(mean) of \(exact)")
      last = mean
    }
    #expect(exact - last < 0.01, "\(last) of \(exact)")
    // One sample: the negative of the bound that is trained.
    var context = LayerContext(isTraining: false, random: RandomStream(seed: 4))
    let bound = -ELBO(samples: 4000)(model, LogLikelihoodTests.x, &context).total.item
    let one = (0..<400).reduce(0.0) { sum, _ in
      sum + model.logLikelihood(of: LogLikelihoodTests.x, importanceSamples: 1, using: &random)
        .mean().item / 400
    }
    #expect(abs(one - bound) < 0.05, "\(one) and \(bound)")
  }

  /// Groups bound the memory; the estimate has the same mean and spread whatever their size.
  @Test func groupingDoesNotChangeTheDistribution() {
    let model = LogLikelihoodTests.linear(excess: 1)
    // 4000 copies of one example are 4000 independent estimates.
    let x = LogLikelihoodTests.x.selecting(0).expandingDimension(at: 0).broadcast(to: [4000, 5])
    func moments(_ atOnce: Int, _ seed: UInt64) -> (mean: Double, variance: Double) {
      var random = RandomStream(seed: seed)
      let values = model.logLikelihood(
        of: x, importanceSamples: 20, samplesAtOnce: atOnce, using: &random)
      return (values.mean().item, values.variance(correction: 1).item)
    }
    let together = moments(20, 1)
    for (index, atOnce) in [1, 7, 20, 64].enumerated() {
      let grouped = moments(atOnce, UInt64(10 + index))
      let deviation = (2 * together.variance / 4000).squareRoot()
      #expect(
        abs(grouped.mean - together.mean) < 4 * deviation,
        "\(atOnce) at once: \(grouped.mean) and \(together.mean)")
      #expect(abs(grouped.variance / together.variance - 1) < 0.3, "\(atOnce) at once")
    }
  }

  /// Weights of zero: minus infinity, not NaN.
  @Test func impossibleDataHaveMinusInfinity() {
    var random = RandomStream(seed: 6)
    let encoder = MLPEncoder(inputShape: [3], hidden: [], latentSize: 2, using: &random)
    let decoder = MLPDecoder(
      latentSize: 2, hidden: [], outputShape: [3], head: ContinuousBernoulliHead(), using: &random)
    let model = VAE(encoder: encoder, decoder: decoder, prior: .standardNormal(2))
    let x = Tensor([0.5, 0.5, 0.5, 0.5, 2, 0.5] as [Float], shape: [2, 3])
    let density = model.logLikelihood(of: x, importanceSamples: 70, using: &random).doubles
    #expect(density[0].isFinite && density[1] == -.infinity)
  }
}
