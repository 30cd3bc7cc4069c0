// The evidence lower bound, E_q[log p(x | z)] - KL(q(z | x) || p(z)), and the knobs that are
// always asked for, each visible and none applied silently.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How the weight of the divergence rises during training.
public enum Warmup: Sendable, Hashable, Codable {
  /// The full weight from the first step.
  case none
  /// From 0 to 1 over so many steps (Bowman et al. 2016; Sonderby et al. 2016).
  case linear(steps: Int)
  /// Rises over the first half of each period, then stays at 1 (Fu et al. 2019).
  case cyclic(period: Int)

  /// The factor at a training step.
  public func factor(step: Int) -> Double {
    switch self {
    case .none: 1
    case .linear(let steps): min(1, Double(step + 1) / Double(max(1, steps)))
    case .cyclic(let period):
      min(1, Double(step % max(1, period) + 1) / (Double(max(1, period)) / 2))
    }
  }
}

/// The negative evidence lower bound, in nats per example (Kingma and Welling 2014, equation 3).
///
/// `total = reconstruction + beta * warmup * kl`, where `reconstruction` is -E_q[log p(x | z)] and
/// `kl` is KL(q || p), both sums over their events and means over the batch. `beta` is
/// Higgins et al. 2017. The divergence is exact where a closed form exists, else estimated with
/// the same samples; `klMethod` reports which. Outside training the warm-up is over, and `afterWarmup`
/// is that loss of a training batch.
public struct ELBO<Model: LatentVariableModel>: Objective
where Model.Posterior: ReparameterizedDistribution {
  /// The weight of the divergence, before the warm-up.
  public let beta: WeightSchedule
  /// Latent samples for each example.
  public let samples: Int
  /// Nats that every latent dimension may use for free: each dimension's batch mean of the
  /// divergence counts as at least this (Kingma et al. 2016, equation 15). Needs a factorised
  /// posterior and prior, or a posterior that estimates its divergence part by part: then each part. Of one that
  /// does not factorise, the whole divergence is one part.
  public let freeBits: Double
  /// How that weight rises during training.
  public let warmup: Warmup

  /// The plain evidence lower bound with one sample unless told otherwise. Traps unless `samples`
  /// is positive and the weights are not negative.
  public init(
    beta: WeightSchedule = 1, samples: Int = 1, freeBits: Double = 0, warmup: Warmup = .none,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(samples > 0, "ELBO with \(samples) samples", file: file, line: line)
    require(
      beta.isWeight && freeBits >= 0, "ELBO with beta \(beta), free bits \(freeBits)", file: file,
      line: line)
    self.beta = beta
    self.samples = samples
    self.freeBits = freeBits
    self.warmup = warmup
  }

  public var summary: String {
    "ELBO(beta: \(beta), samples: \(samples), freeBits: \(freeBits), warmup: \(warmup))"
  }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, samples: samples, &context)
    let reconstruction = -(pass.logLikelihood.mean())
    guard let divergence = pass.divergence else {
      // A plain autoencoder: a point has no divergence from a density.
      return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
    }
    let kl = divergence.mean()
    let parts = (pass.estimate?.parts ?? []).map { ($0.name, $0.value.mean()) }
    let figures = (pass.estimate?.figures ?? []).map { ($0.name, $0.value.mean()) }
    let charged = freeBits > 0 ? chargedDivergence(pass, parts.map(\.1), kl) : kl
    func total(_ weight: Double) -> Tensor {
      reconstruction + (weight == 1 ? charged : charged * weight)
    }
    let final = beta.final
    let weight =
      context.isTraining
      ? beta.value(step: context.step) * warmup.factor(step: context.step) : final
    return LossTerms(
      total: total(weight),
      terms: [("reconstruction", reconstruction), ("kl", kl)] + parts + figures,
      klMethod: pass.divergenceMethod, afterWarmup: weight == final ? nil : total(final))
  }

  /// The sum over dimensions, or over the parts that the posterior has, of the batch mean of each one's
  /// divergence, at least `freeBits` each. `kl` is all of it.
  private func chargedDivergence(
    _ pass: VariationalPass<Model.Posterior>, _ parts: [Tensor], _ kl: Tensor
  ) -> Tensor {
    if !parts.isEmpty {
      let each = Tensor.stack(parts)
      return maximum(each, each.zerosLike + freeBits).sum()
    }
    let (q, p, z) = (pass.posterior, pass.prior, pass.z)
    let elements: Tensor
    if let q = q as? DiagonalNormal, let exact = q.elementKL(to: p) {
      elements = exact
    } else if let q = q as? any FactorizedDistribution, let p = p as? any FactorizedDistribution {
      elements = q.elementLogProbabilities(of: z) - p.elementLogProbabilities(of: z)
    } else if !(q is any FactorizedDistribution) {
      // What does not factorise is one part.
      return maximum(kl, kl.zerosLike + freeBits)
    } else {
      fatalError("free bits need a factorised posterior and prior: \(type(of: q)), \(type(of: p))")
    }
    let events = q.eventShape.rank
    let each = elements.mean(axes: Array(0..<(elements.rank - events)))
    return maximum(each, each.zerosLike + freeBits).sum()
  }
}

/// The evidence lower bound in words.
public struct ELBODescription: ReparameterizedObjectiveDescription {
  public static let name = "elbo"
  public static let origin = Origin(
    "the evidence lower bound, with beta, free bits and a warm-up",
    paper: "Kingma and Welling 2014; Higgins et al. 2017", equation: "3; 4",
    test: "LatentModelsTests/ELBOTests.swift")

  /// The weight of the divergence.
  public var beta: WeightSchedule = 1
  /// Nats that every latent may use for free.
  public var freeBits = 0.0
  /// Latent samples for each example.
  public var samples = 1
  /// Steps over which the weight of the divergence rises from 0; none where 0.
  public var warmupSteps = 0

  public init() {}

  public func validate() throws {
    try check(samples: samples, "samples")
    try check(
      (0...1_000_000_000).contains(warmupSteps), "warmupSteps", warmupSteps, "0 to 1000000000")
    try check(weight: beta, "beta")
    try check(weight: freeBits, "freeBits")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requirePosterior(
      of: model, freeBits == 0 || !(Model.Posterior.self is CodePoint.Type),
      "no free bits, of which codes have no use")
    if freeBits > 0 { try requireParts(of: model) }
    return ELBO<Model>(
      beta: beta, samples: samples, freeBits: freeBits,
      warmup: warmupSteps > 0 ? .linear(steps: warmupSteps) : .none)
  }

  /// - Throws: `ModelRequirementError` where the divergence is no sum of parts that bits could be free of.
  private func requireParts<Model: ReparameterizedModel>(of model: Model) throws {
    if Model.Posterior.self is any DivergenceEstimatingDistribution.Type { return }
    var context = LayerContext.inference
    let prior = model.prior(model.parameters.first?.dtype ?? .float32, &context)
    let isProduct = Model.Posterior.self is any FactorizedDistribution.Type
    if !isProduct || !(prior is any FactorizedDistribution) {
      throw ModelRequirementError(
        purpose: "a number of free bits",
        found: isProduct ? "\(type(of: prior))" : "\(Model.Posterior.self)",
        expected: "a posterior and a prior that factorise over latents")
    }
  }
}
