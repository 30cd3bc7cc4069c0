// Expectation and maximisation: exact cases, laws of every fit, and scikit-learn's result on the same points
// (scripts/references/mixtures.py).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct GaussianMixtureTests {
  /// The points of the script.
  static let points: Tensor = {
    let count = 600
    let noise = Tensor(FixtureRule.uniform(stream: 77, count: count * 24), shape: [count, 2, 12])
      .sum(axes: [2]).doubles.map { $0 - 6 }
    let centers: [[Double]] = [[0, 0], [3, 1], [-1, 4]]
    let factors: [[Double]] = [[1, 0, 0.6, 0.7], [0.5, 0, -0.3, 0.9], [0.8, 0, 0, 0.4]]
    let values = (0..<count).flatMap { index -> [Double] in
      let cloud = index % 6 < 3 ? 0 : index % 6 < 5 ? 1 : 2
      let (a, b, f) = (noise[index * 2], noise[index * 2 + 1], factors[cloud])
      return [centers[cloud][0] + f[0] * a + f[1] * b, centers[cloud][1] + f[2] * a + f[3] * b]
    }
    return Tensor(values, shape: [count, 2])
  }()

  private func fit(
    _ codes: Tensor, seed: UInt64 = 1, _ change: (inout GaussianMixtureDescription) -> Void
  ) throws -> GaussianMixtureFit {
    var settings = GaussianMixtureDescription()
    change(&settings)
    var random = RandomStream(seed: seed)
    return try GaussianMixtureFit(settings, of: codes, using: &random)
  }

  @Test func scikitLearn() throws {
    let fit = try fit(GaussianMixtureTests.points) {
      ($0.components, $0.tolerance, $0.iterations) = (3, 1e-13, 100_000)
    }
    let order = (0..<3).sorted { fit.means.doubles[$0 * 2] < fit.means.doubles[$1 * 2] }
    let rows = Tensor(order.map { Int32($0) })
    let expected: [(Tensor, [Double])] = [
      (fit.weights, [0.16671273730505098, 0.49472706770907743, 0.3385601949858716]),
      (
        fit.means,
        [
          -1.0341933443113613, 4.036928152090529, 0.010042684436105119, -0.030028805625224753,
          2.939532597918895, 1.007592364560232,
        ]
      ),
      (
        fit.covariances,
        [
          0.5677189061047381, -0.024154141410182288, -0.024154141410182288, 0.18370703859202878,
          1.0247276296647656, 0.5879144965506268, 0.5879144965506268, 0.7795216261621506,
          0.28244116404257524, -0.08767765202308081, -0.0876776520230808, 0.9554134004691579,
        ]
      ),
    ]
    for (found, wanted) in expected {
      #expect(distance(found.gathering(rows, axis: 0).doubles, wanted) < 1e-5)
    }
    #expect(Swift.abs((fit.logLikelihoods.last ?? 0) + 3.1766087464566612) < 1e-9)
  }

  /// One component: the mean and the biased covariance, and 1e-6 on its diagonal.
  @Test func oneComponentIsExact() throws {
    let codes = GaussianMixtureTests.points * 3 + 100
    let fit = try fit(codes) { $0.components = 1 }
    let mean = codes.mean(axes: [0])
    let centered = codes - mean
    let covariance =
      matmul(centered, centered, transpose: .left) / 600 + Tensor.identity(2, .float64) * 1e-6
    #expect(fit.weights.doubles == [1])
    #expect(distance(fit.means.selecting(0), mean) < 1e-13)
    #expect(distance(fit.covariances.selecting(0), covariance) < 1e-12)
  }

  @Test(arguments: [1, 2, 3, 5, 12]) func logLikelihoodNeverFalls(components: Int) throws {
    for seed in 1...3 as ClosedRange<UInt64> {
      let rounds = try fit(GaussianMixtureTests.points, seed: seed) {
        ($0.components, $0.tolerance, $0.iterations) = (components, 0, 60)
      }.logLikelihoods
      for (before, after) in zip(rounds, rounds.dropFirst()) {
        #expect(after >= before - 1e-9, "seed \(seed)")
      }
    }
  }

  /// Fewer points than numbers, one point, points that are all one: covariances stay positive definite.
  @Test(arguments: [1, 2, 4, 7]) func fewPoints(count: Int) throws {
    var random = RandomStream(seed: 5)
    let codes = random.normalTensor([count, 9], .float64)
    for points in [codes, codes * 0 + 2] {
      let fit = try fit(points) { $0.components = 10 }
      #expect(fit.means.shape == [count, 9])
      #expect(Swift.abs(fit.weights.sum().item - 1) < 1e-12)
      let factors = try cholesky(fit.covariances)
      let areFinite = factors.doubles.allSatisfy(\.isFinite)
      #expect(areFinite)
    }
  }

  /// Draws have the moments of what was fitted.
  @Test func draws() throws {
    let data = EncodedData([
      Delta(GaussianMixtureTests.points.converted(to: .float32), eventRank: 1)
    ])
    var description = GaussianMixtureDescription()
    description.components = 3
    var random = RandomStream(seed: 3)
    let sampler = try description.fit(data, using: &random, progress: { _ in })
    let z = sampler.latents(20_000, of: SamplerTests.model, fields: [:], using: &random)
    func moments(_ x: Tensor) -> [Double] {
      let centered = x - x.mean(axes: [0])
      return x.mean(axes: [0]).doubles
        + (matmul(centered, centered, transpose: .left) / Double(x.shape[0])).doubles
    }
    let (found, expected) = (moments(z), moments(GaussianMixtureTests.points))
    for (found, expected) in zip(found, expected) { #expect(Swift.abs(found - expected) < 0.1) }
  }
}
