// The aggregate posterior from one batch, and the divergence in three parts: numbers evaluated apart in
// float64, and identities that misplaced, doubled or forgotten weights break.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct AggregatePosteriorTests {
  static let posterior = DiagonalNormal(
    mean: Tensor([0, 1, 1, -0.5, -1, 0.5] as [Double], shape: [3, 2]),
    logVariance: Tensor([0, -1, -0.5, 0.2, 0.3, 0] as [Double], shape: [3, 2]))
  static let z = Tensor([0.2, 0.9, 0.7, -0.4, -1.5, 1] as [Double], shape: [3, 2])

  /// Information, correlation and marginal divergence of codes z, means over the batch.
  static func parts(
    _ q: DiagonalNormal, _ z: Tensor, _ estimator: AggregateEstimator, examples: Int
  ) -> [Double] {
    let weights = estimator.logWeights(batch: z.shape[0], examples: examples, .float64)
    let (joint, marginals) = q.aggregateLogProbabilities(of: z, logWeights: weights)
    let prior = StandardNormal(eventShape: q.eventShape, dtype: .float64)
    return [
      q.logProbability(of: z) - joint, joint - marginals, marginals - prior.logProbability(of: z),
    ].map { $0.mean().item }
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let estimator: AggregateEstimator
    let examples: Int
    let parts: [Double]
    var testDescription: String { "\(estimator) of \(examples)" }
  }

  @Test(arguments: [
    Row(
      estimator: .weighted, examples: 10, parts: [2.9988868686, 2.3924482405, -4.5428283750]),
    Row(
      estimator: .stratified, examples: 10, parts: [1.1848565971, 0.0842598371, -0.4206097000]),
    Row(
      estimator: .symmetric, examples: 10, parts: [1.1526032853, 0.0665444213, -0.3706409725]),
    Row(estimator: .symmetric, examples: 3, parts: [0.6963017756, 0.0898631475, 0.0623418110]),
  ]) func numbersEvaluatedApart(row: Row) {
    let found = AggregatePosteriorTests.parts(
      AggregatePosteriorTests.posterior, AggregatePosteriorTests.z, row.estimator,
      examples: row.examples)
    #expect(distance(found, row.parts) < 1e-10)
    #expect(distance([found.reduce(0, +)], [0.8485067341]) < 1e-10, "whatever the weights")
  }

  /// The weight of the example itself stands on the diagonal, and rows sum to 1.
  @Test(arguments: [AggregateEstimator.stratified, .symmetric], [(2, 9), (4, 10), (7, 7)])
  func stratifiedRows(estimator: AggregateEstimator, size: (batch: Int, examples: Int)) {
    let weights = exp(
      estimator.logWeights(batch: size.batch, examples: size.examples, .float64))
    let ones = [Double](repeating: 1, count: size.batch)
    #expect(distance(weights.sum(axes: [1]).doubles, ones) < 1e-14)
    #expect(
      distance(weights.diagonal.doubles, ones.map { $0 / Double(size.examples) }) < 1e-15)
  }

  /// Where all posteriors are one, codes tell nothing and latents are independent; the biased estimate is
  /// off by known constants.
  @Test(arguments: AggregateEstimator.allCases) func identicalPosteriors(
    estimator: AggregateEstimator
  ) {
    let q = DiagonalNormal(
      mean: numbers([1, 3], 1).broadcast(to: [4, 3]),
      logVariance: numbers([1, 3], 2).broadcast(to: [4, 3]))
    let found = AggregatePosteriorTests.parts(q, numbers([4, 3], 5), estimator, examples: 60)
    let excess = estimator == .weighted ? log(60.0) : 0
    #expect(distance([found[0], found[1]], [excess, 2 * excess]) < 1e-13)
  }

  /// Over all ordered draws of the others, the mean of the estimated density is the exact one; the
  /// symmetric weights vary less.
  @Test func stratifiedEstimatesAreUnbiased() {
    let (means, spreads) = (numbers([5, 2], 3), numbers([5, 2], 8))
    let z = numbers([1, 2], 4)
    func density(_ rows: [Int], _ logWeights: Tensor) -> Double {
      func picked(_ values: Tensor) -> Tensor {
        Tensor.concatenate(rows.map { values[$0..<($0 + 1)] }, axis: 0)
      }
      let q = DiagonalNormal(mean: picked(means), logVariance: picked(spreads))
      let codes = z.broadcast(to: [rows.count, 2])
      return exp(q.aggregateLogProbabilities(of: codes, logWeights: logWeights).joint.doubles[0])
    }
    let exact = density([0, 1, 2, 3, 4], .zeros([5, 5], .float64)) / 5
    var variances: [Double] = []
    for estimator in [AggregateEstimator.stratified, .symmetric] {
      let weights = estimator.logWeights(batch: 3, examples: 5, .float64)
      var found: [Double] = []
      for second in 1..<5 {
        for third in 1..<5 where third != second {
          found.append(density([0, second, third], weights))
        }
      }
      #expect(distance([found.reduce(0, +) / 12], [exact]) < 1e-14, "\(estimator)")
      variances.append(found.reduce(0) { $0 + ($1 - exact) * ($1 - exact) })
    }
    #expect(variances[1] < variances[0])
  }

  /// Posteriors far apart: a code belongs to one of them. On a diagonal each latent tells which, so that the
  /// total correlation is (d - 1) log n; on all corners of a cube the latents are independent.
  @Test func farApart() {
    func parts(_ means: [[Double]]) -> [Double] {
      let mean = Tensor(means.flatMap { $0.map { $0 * 100 } }, shape: [means.count, 3])
      let q = DiagonalNormal(mean: mean, logVariance: mean.zerosLike + numbers([1, 3], 2))
      let z = mean + numbers(mean.shape, 7)
      return Array(
        AggregatePosteriorTests.parts(q, z, .symmetric, examples: means.count).prefix(2))
    }
    let diagonal = (0..<5).map { [Double](repeating: Double($0), count: 3) }
    #expect(distance(parts(diagonal), [log(5), 2 * log(5)]) < 1e-11)
    let corners = (0..<8).map { corner in (0..<3).map { Double(corner >> $0 & 1) } }
    #expect(distance(parts(corners), [log(8), 0]) < 1e-11)
  }

  @Test(arguments: AggregateEstimator.allCases) func derivatives(estimator: AggregateEstimator) {
    let weights = estimator.logWeights(batch: 4, examples: 20, .float64)
    let inputs = [numbers([4, 3], 1), numbers([4, 3], 2), numbers([4, 3], 6)]
    let error = gradientError(at: inputs) { inputs in
      let q = DiagonalNormal(mean: inputs[0], logVariance: inputs[1])
      let (joint, marginals) = q.aggregateLogProbabilities(of: inputs[2], logWeights: weights)
      return joint + marginals * 0.5
    }
    #expect(error < 1e-7, "\(error)")
  }

  /// With weights of 1 the loss is the one-sample bound, whatever the estimator; it is linear in them.
  @Test(arguments: AggregateEstimator.allCases) func weights(estimator: AggregateEstimator) {
    let model = Tiny.model(BernoulliHead())
    func run(_ alpha: WeightSchedule, _ beta: WeightSchedule, _ gamma: WeightSchedule) -> LossTerms
    {
      var context = Tiny.training(step: 4)
      return TotalCorrelation {
        ($0.alpha, $0.beta, $0.gamma) = (alpha, beta, gamma)
        ($0.estimator, $0.examples) = (estimator, 50)
      }(model, Tiny.x, &context)
    }
    let plain = run(1, 1, 1)
    let parts = plain.terms.map(\.value.item)
    #expect(
      plain.terms.map(\.name) == [
        "reconstruction", "kl", "mutualInformation", "totalCorrelation", "marginalKL",
      ])
    var context = Tiny.training()
    let pass = model.variationalPass(Tiny.x, density: true, &context)
    #expect(distance([plain.total.item], [-(pass.logWeights.mean().item)]) < 1e-13)
    #expect(distance([parts[1]], [parts[2] + parts[3] + parts[4]]) < 1e-13)
    let moving = run(2, .linear(from: 0, to: 8, steps: 10), 0.5)
    func total(_ beta: Double) -> Double {
      parts[0] + 2 * parts[2] + beta * parts[3] + 0.5 * parts[4]
    }
    #expect(distance([moving.total.item], [total(4)]) < 1e-13)
    #expect(distance([moving.afterWarmup?.item ?? .nan], [total(8)]) < 1e-13)
    #expect(plain.afterWarmup == nil && plain.klMethod == .monteCarlo(samples: 1))
  }
}
