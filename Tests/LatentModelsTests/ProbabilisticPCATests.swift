// A linear VAE with a Gaussian decoder is probabilistic principal component analysis, whose
// maximum likelihood is known: Tipping and Bishop, "Probabilistic principal component analysis"
// (1999), equations 7 and 8; Lucas et al. (2019) show that the bound reaches it with a diagonal
// posterior of one variance vector.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct ProbabilisticPCATests {
  typealias Model = VAE<LinearEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>
  static let (count, size, latents) = (500, 8, 3)

  /// Three directions of different strength and noise, centred.
  static let x: Tensor = {
    var random = RandomStream(seed: 1)
    let directions =
      Initializer.orthogonal()([latents, size], .float64, using: &random)
      * Tensor([3, 2, 1.2] as [Double], shape: [3, 1])
    let clean = matmul(random.normalTensor([count, latents], .float64), directions)
    let data = clean + random.normalTensor([count, size], .float64) * 0.5
    return data - data.mean(axes: [0])
  }()

  /// -1/2 (d log 2 pi + sum of log of the q largest eigenvalues + (d - q) log sigma^2 + d), sigma^2
  /// the mean of the others.
  static func bestLogLikelihood() throws -> Double {
    let covariance = matmul(x.transposed, x) / Double(count)
    let values = Array(try covariance.array.symmetricEigen().values.doubles.reversed())
    let noise = values.dropFirst(latents).reduce(0, +) / Double(size - latents)
    let logDeterminant =
      values.prefix(latents).reduce(0) { $0 + log($1) } + Double(size - latents) * log(noise)
    return -0.5 * (Double(size) * log(2 * .pi) + logDeterminant + Double(size))
  }

  /// log N(x; bias, W W' + sigma^2 1) of the trained decoder, mean over the data.
  static func exactLogLikelihood(_ model: Model) throws -> Double {
    let weight = model.decoder.output.weight
    let variance = exp(model.decoder.head.logVariance?.item ?? .nan)
    let normal = try FullCovarianceNormal(
      mean: model.decoder.output.bias ?? .zeros([size], .float64),
      covariance: matmul(weight, weight.transposed) + .identity(size, .float64) * variance)
    return normal.logProbability(of: x).mean().item
  }

  static func train(steps: Int) -> Model {
    var random = RandomStream(seed: 2)
    var model = VAE(
      encoder: LinearEncoder(
        mean: Linear(size, latents, using: &random), logVariance: .zeros([latents])),
      decoder: MLPDecoder(
        latentSize: latents, hidden: [], outputShape: [size], head: NormalHead(.shared()),
        using: &random),
      prior: .standardNormal(latents)
    ).converted(to: .float64)
    let schedule = CosineSchedule(warmup: 20, total: steps)
    var optimizer = Adam(learningRate: 0)
    for step in 0..<steps {
      // More samples at the end, where the noise of the gradient is what is left of the error.
      let objective = ELBO<Model>(samples: step < steps * 2 / 3 ? 1 : 4)
      var context = LayerContext(
        isTraining: true, random: random.split(UInt64(step)), step: step)
      let gradients = valueAndGradient(at: model) { objective($0, x, &context).total }.gradients
      optimizer.learningRate = 0.03 * schedule.factor(step: step)
      optimizer.update(&model, along: gradients)
    }
    return model
  }

  @Test func reachesTheExactMaximum() throws {
    let best = try ProbabilisticPCATests.bestLogLikelihood()
    let model = ProbabilisticPCATests.train(steps: 1200)
    let exact = try ProbabilisticPCATests.exactLogLikelihood(model)
    #expect(exact <= best + 1e-9, "nothing is above the maximum: \(exact), \(best)")
    #expect(best - exact < 0.01, "\(best - exact) nat below \(best)")

    // The bound is tight: the posterior is exact.
    var context = LayerContext(isTraining: false, random: RandomStream(seed: 3))
    let bound = -ELBO(samples: 100)(model, ProbabilisticPCATests.x, &context).total.item
    #expect(abs(bound - exact) < 0.02, "bound \(bound), exact \(exact)")
    var random = RandomStream(seed: 4)
    let estimate = model.logLikelihood(
      of: ProbabilisticPCATests.x, importanceSamples: 256, using: &random
    ).mean().item
    #expect(abs(estimate - exact) < 0.01, "estimate \(estimate), exact \(exact)")
  }
}
