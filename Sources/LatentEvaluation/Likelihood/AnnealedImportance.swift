// Annealed importance sampling (Neal 2001; of decoders: Wu et al. 2017, "On the quantitative analysis of decoder-based
// generative models"): from the prior to the posterior in many small steps. With 0 = beta_0 < ... < beta_T = 1,
//
//   log w = sum_t (beta_t - beta_(t-1)) log p(x | z_(t-1)),   z_t from a move that leaves f_(beta_t) as it is,
//
// E w = p(x) exactly, for any T and any such move. Chains that begin at a draw of the posterior and go backwards have
// E 1/w = 1/p(x): a bound from above (Grosse, Ghahramani and Adams 2015, "Sandwiching the marginal likelihood").

import Foundation
import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics

/// How a likelihood is estimated by annealing.
public struct AnnealedImportanceSampling: Sendable, Hashable, Codable {
  /// The temperatures.
  public var schedule = AnnealingSchedule.sigmoid(500)
  /// Chains for each example.
  public var chains = 16
  /// The moves.
  public var moves = HamiltonianMoves()
  /// Examples whose chains are moved together; memory grows with it, and another number draws other latents.
  public var examplesAtOnce = 100
  /// What all draws follow from.
  public var seed: UInt64 = 0

  /// 500 temperatures and 16 chains, unless said otherwise.
  public init(
    _ schedule: AnnealingSchedule = .sigmoid(500), chains: Int = 16,
    moves: HamiltonianMoves = HamiltonianMoves(), examplesAtOnce: Int = 100, seed: UInt64 = 0,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      chains > 0 && examplesAtOnce > 0,
      "annealing with \(chains) chains, \(examplesAtOnce) examples at once", file: file, line: line)
    self.schedule = schedule
    self.chains = chains
    self.moves = moves
    self.examplesAtOnce = examplesAtOnce
    self.seed = seed
  }

  /// The settings as text, for measurements.
  var words: [String: String] {
    [
      "schedule": "\(schedule)", "chains": "\(chains)", "seed": "\(seed)",
      "leapfrogSteps": "\(moves.leapfrogSteps)", "examplesAtOnce": "\(examplesAtOnce)",
    ]
  }
}

extension AnnealedDensity {
  /// log w in nats, float64 `[chains, batch]`, of chains from latents `start` `[chains, batch, latent...]`, which are
  /// draws of the prior: the mean of w over chains is an unbiased estimate of p(x).
  ///
  /// `visit` hears the number of each temperature but the last, from 1, log w up to there and latents after the move.
  public func annealed(
    from start: Tensor, _ temperatures: [Double], _ kernel: some AnnealingKernel,
    using random: inout RandomStream,
    visit: (_ step: Int, _ logWeights: Tensor, _ place: AnnealedPlace) -> Void = { _, _, _ in }
  ) -> Tensor {
    var place = self.place(start)
    var logWeights = place.logLikelihood.converted(to: .float64).zerosLike
    for step in 1..<temperatures.count {
      logWeights += increment(place, temperatures, step)
      if step == temperatures.count - 1 { break }
      place = kernel(
        place, self, temperature: temperatures[step], step: step, using: &random)
      visit(step, logWeights, place)
    }
    return logWeights
  }

  /// log w in nats, float64 `[chains, batch]`, of chains that go from latents `start` `[chains, batch, latent...]`, which
  /// are draws of the posterior, backwards to the prior: the mean of 1/w over chains is an unbiased estimate of 1/p(x).
  public func annealedBack(
    from start: Tensor, _ temperatures: [Double], _ kernel: some AnnealingKernel,
    using random: inout RandomStream
  ) -> Tensor {
    var place = self.place(start)
    var logWeights = place.logLikelihood.converted(to: .float64).zerosLike
    for step in (1..<temperatures.count).reversed() {
      logWeights += increment(place, temperatures, step)
      if step == 1 { break }
      place = kernel(
        place, self, temperature: temperatures[step - 1], step: step - 1, using: &random)
    }
    return logWeights
  }

  /// (beta_t - beta_(t-1)) log p(x | z).
  private func increment(_ place: AnnealedPlace, _ temperatures: [Double], _ step: Int) -> Tensor {
    place.logLikelihood.converted(to: .float64) * (temperatures[step] - temperatures[step - 1])
  }
}

extension LatentVariableModel {
  /// Estimates of log p(x) of examples x `[batch, ...]` by annealing from the prior; no encoder has a part in it.
  /// `fields` have one row for each example. `progress` hears how many examples are done, of how many.
  ///
  /// - Throws: `ModelRequirementError` unless latents are all points of flat space and the prior has a density at each.
  public func annealedEstimates(
    of x: Tensor, _ sampling: AnnealedImportanceSampling = AnnealedImportanceSampling(),
    fields: [String: Tensor] = [:], progress: (_ done: Int, _ count: Int) -> Void = { _, _ in }
  ) throws -> [ImportanceEstimate] {
    let temperatures = sampling.schedule.temperatures
    var estimates: [ImportanceEstimate] = []
    try eachDensity(of: x, fields, sampling) { density, _, random in
      let kernel = HamiltonianKernel(
        pilotOf: density, temperatures: temperatures, sampling.moves, using: &random)
      let start = density.samplePrior(sampling.chains, using: &random)
      estimates += density.annealed(from: start, temperatures, kernel, using: &random)
        .columns.map { ImportanceEstimate(logWeights: $0) }
      progress(estimates.count, x.shape[0])
    }
    return estimates
  }

  /// The densities of groups of examples, one after the other, with a random stream for each group.
  func eachDensity(
    of x: Tensor, _ fields: [String: Tensor], _ sampling: AnnealedImportanceSampling,
    _ body: (AnnealedDensity<Self>, Range<Int>, inout RandomStream) throws -> Void
  ) throws {
    let root = RandomStream(seed: sampling.seed).split("annealing")
    for start in stride(from: 0, to: x.shape[0], by: sampling.examplesAtOnce) {
      let rows = start..<min(start + sampling.examplesAtOnce, x.shape[0])
      var random = root.split(UInt64(start))
      let density = try AnnealedDensity(self, of: x[rows], fields: fields.mapValues { $0[rows] })
      try body(density, rows, &random)
    }
  }
}

extension Tensor {
  /// The columns of a matrix `[rows, columns]`.
  var columns: [[Double]] {
    let (values, width) = (doubles, shape[1])
    return (0..<width).map { column in
      stride(from: column, to: values.count, by: width).map { values[$0] }
    }
  }
}

extension Metric {
  /// -log p(x) by annealing.
  public static let annealedNLL = Metric(
    "nll-ais", title: "Negative log-likelihood by annealing",
    formula:
      "mean over examples of -log (1/C) sum_c w_c, log w = sum_t (beta_t - beta_(t-1)) log p(x | z_(t-1)), over "
      + "C = 16 chains from the prior through T = 500 sigmoid temperatures with Hamiltonian moves of 10 leapfrog steps, "
      + "whose sizes a pilot run finds and freezes; an upper bound in expectation; standard error: sd over examples / "
      + "sqrt n",
    paper: "Neal 2001; Wu et al. 2017", unit: .nats, better: .lower,
    chance: "of a model that knows the data's marginals: the sum of their entropies",
    ceiling: "the entropy of the data, not known",
    cost: "C T (leapfrog steps + 1) decodings and derivatives of each example, and the pilot",
    test: "LatentEvaluationTests/Likelihood/AnnealingTests.swift")
}

/// The mean of -log p(x) of estimates by annealing, as a measurement; nil without estimates.
public func annealedMeasurement(
  _ estimates: [ImportanceEstimate], _ sampling: AnnealedImportanceSampling
) -> MetricValue? {
  if estimates.isEmpty { return nil }
  let nll = MeanWithError(estimates.map { -$0.logLikelihood })
  return MetricValue(
    .annealedNLL, nll.mean, standardError: nll.error, count: estimates.count,
    settings: sampling.words)
}
