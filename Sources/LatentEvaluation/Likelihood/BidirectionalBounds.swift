// How far an estimate by annealing is from the truth (bidirectional Monte Carlo: Grosse, Ghahramani and Adams 2015;
// Grosse, Ancha and Roy 2016). Of data that the model itself has drawn the latents are known, which are an exact draw of
// the posterior: chains from there backwards bound log p(x) from above, those from the prior from below. Of real data
// no such draw is known; the gap on simulated data is what calibrates the estimate on real ones.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// Bounds of log p(x) in nats from both sides, of examples that a model has drawn.
public struct BidirectionalBounds: Sendable, Hashable {
  /// Log of the mean of w over forward chains, of each example.
  public let lower: [Double]
  /// Minus log of the mean of 1/w over backward chains, of each example.
  public let upper: [Double]
  /// How they were computed.
  public let sampling: AnnealedImportanceSampling

  /// What lies between them: the error of neither is larger, in expectation.
  public var gaps: [Double] { zip(upper, lower).map { $0 - $1 } }

  /// The mean gap.
  public var measurement: MetricValue? {
    if gaps.isEmpty { return nil }
    let gap = MeanWithError(gaps)
    return MetricValue(
      .annealingGap, gap.mean, standardError: gap.error, ceiling: 0, count: gaps.count,
      settings: sampling.words)
  }
}

extension LatentVariableModel {
  /// Bounds from both sides of `count` examples that the model draws. `fields` have `count` rows: conditions of what is
  /// drawn. `progress` hears how many examples are done, of how many.
  ///
  /// - Throws: `ModelRequirementError` unless latents are all points of flat space and the prior has a density at each.
  public func bidirectionalBounds(
    simulations count: Int, _ sampling: AnnealedImportanceSampling = AnnealedImportanceSampling(),
    fields: [String: Tensor] = [:], progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> BidirectionalBounds {
    var random = RandomStream(seed: sampling.seed).split("simulated data")
    let z = samplePrior(count, fields: fields, using: &random)
    let x = decode(z, fields: fields).sample(using: &random)
    let temperatures = sampling.schedule.temperatures
    var (lower, upper): ([Double], [Double]) = ([], [])
    try eachDensity(of: x, fields, sampling) { density, rows, random in
      let kernel = HamiltonianKernel(
        pilotOf: density, temperatures: temperatures, sampling.moves, using: &random)
      let start = density.samplePrior(sampling.chains, using: &random)
      let forward = density.annealed(from: start, temperatures, kernel, using: &random)
      lower += forward.columns.map { ImportanceEstimate(logWeights: $0).logLikelihood }
      let exact = z[rows].expandingDimension(at: 0)
      let backward = density.annealedBack(
        from: exact.broadcast(to: exact.shape.replacing(0, with: sampling.chains)), temperatures,
        kernel, using: &random)
      upper += (-backward).columns.map { -ImportanceEstimate(logWeights: $0).logLikelihood }
      progress(lower.count, count)
    }
    return BidirectionalBounds(lower: lower, upper: upper, sampling: sampling)
  }
}

extension Metric {
  /// What lies between bounds of log p(x) from both sides.
  public static let annealingGap = Metric(
    "ais-gap", title: "Gap of bidirectional annealing",
    formula:
      "mean over simulated examples of -log mean 1/w (chains from the exact latents backwards) - log mean w (chains "
      + "from the prior), w of nll-ais; standard error: sd over examples / sqrt n",
    paper: "Grosse, Ghahramani and Adams 2015", unit: .nats, better: .lower,
    chance: "of one temperature: the gap of importance sampling from the prior", ceiling: "0",
    cost: "twice that of nll-ais", test: "LatentEvaluationTests/Likelihood/AnnealingTests.swift")
}
