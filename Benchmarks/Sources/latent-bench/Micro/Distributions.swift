// Distributions: drawing from them, and the log-probability of values.

import Latent

extension MicroBenchmark {
  private static let rows = 4096
  private static let latents = 32
  private static let shape: Shape = [rows, latents]

  static var distributions: [MicroBenchmark] {
    let (x, y) = (uniformTensor(shape), uniformTensor(shape) + 1)
    let components = 16
    let mixture = Mixture(
      logWeights: Tensor(repeating: 1, shape: [components]),
      components: DiagonalNormal(
        mean: uniformTensor([components, latents]),
        logVariance: uniformTensor([components, latents])))
    let triangle = Tensor.identity(latents) + uniformTensor([latents, latents]).lowerTriangle * 0.1
    let classes = 10
    return [
      pair("StandardNormal", StandardNormal(eventShape: [latents]), parameters: 0, draws: [rows]),
      pair("DiagonalNormal", DiagonalNormal(mean: x, logVariance: y), parameters: 2),
      pair("Laplace", Laplace(mean: x, logScale: y), parameters: 2),
      pair("Uniform", Uniform(low: x, high: y), parameters: 2),
      pair("Bernoulli", Bernoulli(logits: x), parameters: 1),
      pair("ContinuousBernoulli", ContinuousBernoulli(logits: x), parameters: 1),
      pair(
        "Categorical of \(classes)",
        Categorical(logits: uniformTensor(shape.appending(classes)), eventRank: 1),
        parameters: Double(classes)),
      pair("Mixture of \(components)", mixture, parameters: 0, draws: [rows]),
      pair(
        "FullCovarianceNormal",
        FullCovarianceNormal(mean: uniformTensor([latents]), scaleTriangle: triangle),
        parameters: 0, draws: [rows]),
      [
        MicroBenchmark(
          group: .distributions, name: name("KL of DiagonalNormal to StandardNormal", shape),
          bytes: bytes(shape, shape)
        ) {
          let (q, p) = (
            DiagonalNormal(mean: x, logVariance: y), StandardNormal(eventShape: [latents])
          )
          return {
            guard let divergence = q.closedFormKL(to: p) else { return }
            blackHole(divergence)
          }
        }
      ],
    ].flatMap { $0 }
  }

  /// `parameters` is how many numbers belong to each element that is drawn.
  private static func pair(
    _ title: String, _ distribution: some EvaluableDistribution, parameters: Double,
    draws: Shape = []
  ) -> [MicroBenchmark] {
    let traffic = (parameters + 1) * bytes(shape)
    return [
      MicroBenchmark(
        group: .distributions, name: "\(title): \(name("sample", shape))", bytes: traffic
      ) {
        var random = RandomStream(seed: 2)
        return { blackHole(distribution.sample(draws, using: &random)) }
      },
      MicroBenchmark(
        group: .distributions, name: "\(title): \(name("log-probability", shape))",
        bytes: traffic + bytes([rows])
      ) {
        var random = RandomStream(seed: 2)
        let values = distribution.sample(draws, using: &random)
        return { blackHole(distribution.logProbability(of: values)) }
      },
    ]
  }
}
