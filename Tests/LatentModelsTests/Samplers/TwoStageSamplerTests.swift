// A second stage fitted after training: its deviation is what it leaves unexplained, and it draws what it has seen.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct TwoStageSamplerTests {
  /// Bug 47: gamma² converges to the mean squared error, and not to zero.
  @Test func deviationIsTheError() throws {
    let data = placedCodes(600)
    var description = TwoStageSamplerDescription()
    (description.hidden, description.steps, description.batchSize) = ([32, 32], 2500, 128)
    var random = RandomStream(seed: 3)
    let sampler = try #require(
      description.fit(data, using: &random, progress: { _ in }) as? TwoStageSampler)
    let codes = sampler.scale.standardized(data.codes(using: &random))
    let u = sampler.second.encode(codes).sample([20], using: &random)
    let decoded = sampler.second.decode(u)
    let error = square(decoded.mean - codes).mean().item
    let gamma = exp(try #require(sampler.second.decoder.head.logVariance)).item
    #expect(Swift.abs(gamma / error - 1) < 0.1, "gamma² \(gamma), error \(error)")

    let z = sampler.latents(6000, of: SamplerTests.model, fields: [:], using: &random)
    let (found, seen) = (z, data.codes(using: &random))
    func moments(_ x: Tensor) -> [Double] {
      let mean = x.mean(axes: [0])
      return mean.doubles + square(x - mean).mean(axes: [0]).doubles
    }
    for (found, expected) in zip(moments(found), moments(seen)) {
      #expect(Swift.abs(found - expected) < 0.25 * max(1, Swift.abs(expected)))
    }
  }
}
