// Wrapped normals fitted to codes on a ball: parameters that are known are found again.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite(.serialized) struct PoincareSamplerTests {
  static let ball = PoincareBall(curvature: 2)

  /// Draws of a wrapped normal that is far from 0, as certain posteriors.
  private func data(_ places: [[Double]], scales: [Double], each: Int) -> EncodedData {
    var random = RandomStream(seed: 1)
    let draws = places.map { place in
      let location = Tensor(place).converted(to: .float32)
      return WrappedNormal(
        location: Self.ball.exponential(at: location.zerosLike, of: location),
        logVariance: Tensor(scales.map { 2 * log($0) }).converted(to: .float32), ball: Self.ball
      ).sample([each], using: &random)
    }
    let points = Tensor.concatenate(draws, axis: 0)
    return EncodedData([
      WrappedNormal(
        location: points, logVariance: Tensor(repeating: -30, shape: points.shape), ball: Self.ball)
    ])
  }

  private func fitted(_ data: EncodedData, components: Int) throws -> PoincareSampler {
    var description = PoincareSamplerDescription()
    (description.components, description.steps, description.batchSize) = (components, 300, 128)
    var random = RandomStream(seed: 2)
    return try #require(
      try description.fit(data, using: &random) { _ in } as? PoincareSampler)
  }

  /// Maximum likelihood of one wrapped normal: within 4 standard errors of what the codes are from.
  @Test func oneWrappedNormal() throws {
    let (place, scales, count) = ([0.9, -0.4], [0.5, 0.25], 2000)
    let sampler = try fitted(data([place], scales: scales, each: count), components: 1)
    #expect(sampler.ball == Self.ball)
    let error = 4 / Double(count).squareRoot()
    for (found, expected) in zip(sampler.places.doubles, place) {
      #expect(Swift.abs(found - expected) < 2 * error * 0.5, "\(found), \(expected)")
    }
    for (found, scale) in zip(sampler.logVariance.doubles, scales) {
      #expect(Swift.abs(found / 2 - log(scale)) < error, "\(found), \(log(scale))")
    }
  }

  /// Two places, one with twice as many codes.
  @Test func twoPlaces() throws {
    let places = [[1.2, 0], [-0.8, 0.9], [-0.8, 0.9]]
    let codes = data(places, scales: [0.2, 0.2], each: 500)
    let sampler = try fitted(codes, components: 2)
    let weights = softmax(sampler.logits).doubles.sorted()
    #expect(distance(weights, [1.0 / 3, 2.0 / 3]) < 0.03)
    var random = RandomStream(seed: 3)
    let z = sampler.latents(900, of: SamplerTests.model, fields: [:], using: &random)
    #expect(z.shape == [900, 2])
    #expect(square(z).sum(axes: [1]).doubles.allSatisfy { $0 * 2 < 1 })
    let right = z.sliced(1, 0..<1).doubles.count { $0 > 0 }
    #expect((230...370).contains(right))
  }

  @Test func refusals() {
    var random = RandomStream(seed: 1)
    let description = PoincareSamplerDescription()
    #expect(throws: ModelRequirementError.self) {
      try description.validate(for: SamplerTests.model)
    }
    #expect(throws: ModelRequirementError.self) {
      try description.fit(placedCodes(10), using: &random) { _ in }
    }
    #expect(!PoincareSamplerDescription.draws(on: .vectors))
    #expect(PoincareSamplerDescription.draws(on: .ball(curvature: 0.5)))
  }
}
