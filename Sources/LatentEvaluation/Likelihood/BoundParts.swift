// The evidence lower bound and what it is made of, example by example: how well data are reconstructed, and how many
// nats their latents carry (Kingma and Welling 2014, equation 3).

import LatentAutodiff
import LatentDatasets
import LatentDistributions
import LatentModels
import LatentNumerics

/// The parts of the evidence lower bound of examples, nats.
public struct BoundParts: Sendable {
  /// -E log p(x | z) of each example, the mean over draws of the posterior.
  public private(set) var reconstruction: [Double] = []
  /// KL(q(z | x) || p(z)) of each example.
  public private(set) var divergence: [Double] = []
  /// The divergence of each latent dimension, the mean over examples, in the order of the elements of a latent; or why
  /// there is none.
  public private(set) var dimensions: Measured<[Double]> = .missing(.noExamples)
  /// How the divergence was computed.
  public private(set) var method: KLDivergence.Method = .closedForm
  /// Draws of each posterior.
  public let samples: Int

  /// log p(x) from below, of each example: -(reconstruction + divergence).
  public var bound: [Double] { zip(reconstruction, divergence).map { -($0 + $1) } }
}

extension LatentVariableModel {
  /// The parts of the bound of the first `count` examples, all unless said otherwise. What is drawn follows from the
  /// seed.
  ///
  /// - Throws: `ModelRequirementError` where the posterior is a point, which has no divergence; what the data set throws.
  public func boundParts(
    on dataset: some Dataset, samples: Int = 1, count: Int? = nil, batchSize: Int = 256,
    seed: UInt64 = 0
  ) throws -> BoundParts {
    let root = RandomStream(seed: seed).split("bound")
    let total = min(count ?? dataset.count, dataset.count)
    var parts = BoundParts(samples: samples)
    for start in stride(from: 0, to: total, by: batchSize) {
      let batch = try dataset.batch(start..<min(start + batchSize, total))
      try batch.requireFinite(in: dataset)
      var random = root.split(UInt64(start))
      let pass = evaluationPass(
        Tensor(batch.inputs), samples: samples, fields: batch.tensors, using: &random)
      try parts.add(pass)
    }
    return parts
  }

  /// The parts of the bound of examples x `[batch, ...]`.
  /// - Throws: `ModelRequirementError` where the posterior is a point.
  public func boundParts(
    of x: Tensor, samples: Int = 1, fields: [String: Tensor] = [:], using random: inout RandomStream
  ) throws -> BoundParts {
    var parts = BoundParts(samples: samples)
    try parts.add(evaluationPass(x, samples: samples, fields: fields, using: &random))
    return parts
  }
}

extension BoundParts {
  fileprivate init(samples: Int) { self.samples = samples }

  fileprivate mutating func add<Posterior>(_ pass: VariationalPass<Posterior>) throws {
    guard let divergence = pass.divergence, let method = pass.divergenceMethod else {
      throw ModelRequirementError(
        purpose: "the evidence lower bound", found: "\(Posterior.self)",
        expected: "a posterior with a density")
    }
    let count = pass.posterior.batchShape[0]
    self.method = method
    reconstruction += (-pass.logLikelihood).converted(to: .float64).mean(axes: [0]).doubles
    let wide = divergence.converted(to: .float64)
    self.divergence += (wide.rank > 1 ? wide.mean(axes: [0]) : wide).doubles
    let before = self.divergence.count - count
    switch (dimensions, pass.elementDivergence) {
    case (.missing(.noExamples), let elements): dimensions = elements.map { $0.doubles }
    case (.found(let known), .found(let elements)):
      let (old, new) = (Double(before), Double(count))
      dimensions = .found(
        zip(known, elements.doubles).map { ($0 * old + $1 * new) / (old + new) })
    default: break
    }
  }
}

extension VariationalPass {
  /// The divergence of each element of a latent, the mean over the batch (and over the draws, where it has no closed
  /// form), float64 `[elements]`.
  fileprivate var elementDivergence: Measured<Tensor> {
    func mean(_ elements: Tensor, _ event: Shape) -> Tensor {
      elements.converted(to: .float64).reshaped([elements.count / event.count, event.count])
        .mean(axes: [0])
    }
    let event = posterior.eventShape
    if let elements = (posterior as? DiagonalNormal)?.elementKL(to: prior) {
      return .found(mean(elements.broadcast(to: posterior.batchShape + event), event))
    }
    guard let q = posterior as? any FactorizedDistribution else {
      return .missing(.dependentPosterior("\(Posterior.self)"))
    }
    guard let p = prior as? any FactorizedDistribution else {
      return .missing(.dependentPrior("\(type(of: prior))"))
    }
    let difference = q.elementLogProbabilities(of: z) - p.elementLogProbabilities(of: z)
    return .found(mean(difference.broadcast(to: z.shape), event))
  }
}

// MARK: - As measurements

extension BoundParts {
  /// The bound, its two parts and the divergence of each dimension, where that is known; none without examples.
  public var measurements: [MetricValue] {
    guard !reconstruction.isEmpty else { return [] }
    let how =
      switch method {
      case .closedForm: "closed form"
      case .monteCarlo: "draws"
      }
    let settings = ["samples": "\(samples)", "divergence": how]
    func measured(_ metric: Metric, _ values: [Double]) -> MetricValue {
      let mean = MeanWithError(values)
      return MetricValue(
        metric, mean.mean, standardError: mean.error, count: values.count, settings: settings)
    }
    let whole = [
      measured(.elbo, bound), measured(.reconstruction, reconstruction),
      measured(.divergence, divergence),
    ]
    guard case .found(let nats) = dimensions else { return whole }
    return whole
      + nats.enumerated().map { index, value in
        MetricValue(
          .dimensionDivergence, part: "\(index)", value, chance: 0, count: reconstruction.count,
          settings: settings)
      }
  }
}

extension Metric {
  /// The evidence lower bound.
  public static let elbo = Metric(
    "elbo", title: "Evidence lower bound",
    formula:
      "mean over examples of E_q log p(x | z) - KL(q(z | x) || p(z)); the expectation by draws of q, the "
      + "divergence in closed form where there is one; standard error: sd over examples / sqrt n",
    paper: "Kingma and Welling 2014, equation 3", unit: .nats, better: .higher,
    chance: "of a model that knows the data's marginals: minus the sum of their entropies",
    ceiling: "the mean of log p(x), reached by the exact posterior",
    cost: "one encoding, and a decoding for each draw", test: boundTests)

  /// What a reconstruction costs; the distortion of rate and distortion.
  public static let reconstruction = Metric(
    "reconstruction", title: "Reconstruction (distortion)",
    formula: "mean over examples of -E_q log p(x | z); standard error: sd over examples / sqrt n",
    paper: "Kingma and Welling 2014, equation 3", unit: .nats, better: .lower,
    chance: "the sum of the entropies of the data's marginals",
    ceiling: "0 of discrete data; none of densities", cost: "as elbo", test: boundTests)

  /// What latents carry; the rate of rate and distortion.
  public static let divergence = Metric(
    "kl", title: "Divergence of the posterior from the prior (rate)",
    formula:
      "mean over examples of KL(q(z | x) || p(z)); standard error: sd over examples / sqrt n",
    paper: "Kingma and Welling 2014, equation 3", unit: .nats, better: .neither,
    chance: "0: nothing passes through the latents", ceiling: "none", cost: "as elbo",
    test: boundTests)

  /// What each latent dimension carries.
  public static let dimensionDivergence = Metric(
    "kl-dimension", title: "Divergence of each latent dimension",
    formula:
      "mean over examples of KL(q(z_j | x) || p(z_j)) for posteriors and priors that are products over "
      + "dimensions", paper: "Kingma and Welling 2014, appendix B", unit: .nats, better: .neither,
    chance: "0: the dimension carries nothing", ceiling: "none", cost: "nothing beside elbo",
    test: boundTests)

  private static let boundTests = "LatentEvaluationTests/Likelihood/BoundTests.swift"
}
