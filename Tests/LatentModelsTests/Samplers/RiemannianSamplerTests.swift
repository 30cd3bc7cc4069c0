// The volume of a metric: its slope against the formula, chains where the density is known, and where metrics are from.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite(.serialized) struct RiemannianSamplerTests {
  /// d/dz 1/2 log det M = 1/T² sum_i e_i tr(M^-1 L_i L_i^T) (c_i - z): the trace, not the matrix, times the vector.
  @Test func slopeOfTheVolume() throws {
    let metric = RiemannianTests.metric
    let z = RiemannianTests.normal([4, 3], 7)
    let found = gradient(at: z) { metric.halfLogDeterminant($0).sum() }
    let (inverses, products) = (
      try inverse(metric(z)), matmul(metric.factors, metric.factors, transpose: .right)
    )
    var expected = z.zerosLike
    for i in 0..<5 {
      let toCenter = metric.centers.selecting(i) - z
      let influence = exp(square(toCenter).sum(axes: [1]) / (-metric.reach * metric.reach))
      let traces = (inverses * products.selecting(i)).sum(axes: [1, 2])
      let share = influence * traces / (metric.reach * metric.reach)
      expected = expected + share.expandingDimension(at: 1) * toCenter
    }
    #expect(distance(found, expected) < 1e-10)
  }

  /// One center with the factor I and next to nothing elsewhere: sqrt det M is that of N(c, T²/d).
  @Test func oneCenter() {
    var settings = RiemannianSamplerDescription()
    (settings.chain, settings.stepSize) = (60, 0.1)
    var sampler = RiemannianSampler([2], settings, points: 1)
    sampler.centers = Tensor([1, -2] as [Float], shape: [1, 2])
    sampler.factors = Tensor.identity(2).reshaped([1, 2, 2])
    sampler.weights = .ones([1])
    sampler.reachAndFloor = Tensor([1.5, 1e-12] as [Float])
    var random = RandomStream(seed: 1)
    let count = 3000
    let (z, acceptance) = sampler.chains(count, using: &random)
    #expect(acceptance > 0.9 && acceptance <= 1)
    let variance = 1.125
    let spread: Double = 4 * variance * (2 / Double(count)).squareRoot()
    let centered = z - sampler.centers
    for mean in centered.mean(axes: [0]).doubles {
      #expect(Swift.abs(mean) < spread)
    }
    for found in square(centered).mean(axes: [0]).doubles {
      #expect(Swift.abs(found - variance) < spread)
    }
  }

  /// L L^T is the inverse of an example's covariance; T the largest gap.
  @Test func ofNormals() throws {
    let means = Tensor([0, 0, 1, 0, 1, 3] as [Float], shape: [3, 2])
    let deviations = Tensor([0.5, 2, 1, 0.25, 0.1, 0.2] as [Float], shape: [3, 2])
    var random = RandomStream(seed: 1)
    var description = RiemannianSamplerDescription()
    let data = EncodedData([DiagonalNormal(mean: means, standardDeviation: deviations)])
    let sampler = try #require(
      try description.fit(data, using: &random) { _ in } as? RiemannianSampler)
    #expect(distance(sampler.reachAndFloor.doubles, [3, 0.01]) < 1e-6)
    let metric = sampler.metric(means)
    // At the first center: its own, e^(-1/9) of the second's, e^(-10/9) of the third's, and the floor.
    let (second, third): (Double, Double) = (exp(-1.0 / 9), exp(-10.0 / 9) * 100)
    let expected: Double = 4.01 + second + third
    #expect(Swift.abs(metric.doubles[0] - expected) < 1e-3 * expected)
    description.reach = 0.7
    let narrow = try #require(
      try description.fit(data, using: &random) { _ in } as? RiemannianSampler)
    #expect(Swift.abs(narrow.metric.reach - 0.7) < 1e-6)
  }

  /// A model with a metric brings its own.
  @Test func ofAModel() throws {
    var random = RandomStream(seed: 2)
    var posterior = RiemannianPosteriorDescription()
    posterior.points = 4
    let model = try ModelDescription(
      MLPNetwork(hidden: [6], latentSize: 2), inputShape: [5], posterior: posterior
    ).makeModel(using: &random)
    func check(_ model: some LatentVariableModel) throws {
      let description = RiemannianSamplerDescription()
      try description.validate(for: model)
      let q = model.encode(random.uniformTensor([6, 5]))
      let sampler = try #require(
        try description.fit(EncodedData([q]), using: &random) { _ in } as? RiemannianSampler)
      let metric = try #require(q as? any MetricDistribution).metric
      // As many as asked for and as there are examples; those that the model has not count nothing.
      #expect(sampler.weights.shape == [6])
      #expect(sampler.weights.doubles == metric.weights.doubles + [0, 0])
      let z = random.normalTensor([3, 2])
      #expect(distance(sampler.metric(z), metric(z)) < 1e-6)
    }
    try check(model)
  }

  @Test func refusals() {
    var random = RandomStream(seed: 1)
    let description = RiemannianSamplerDescription()
    #expect(throws: ModelRequirementError.self) {
      try description.fit(
        EncodedData([Delta(.zeros([3, 2]), eventRank: 1)]), using: &random
      ) { _ in }
    }
    var fast = description
    fast.stepSize = 0.5
    let error = #expect(throws: SettingError.self) { try fast.validate() }
    #expect(error?.key == "sampler.stepSize")
    fast.stepSize = 0.1
    #expect(fast.ofFit == description)
  }
}
