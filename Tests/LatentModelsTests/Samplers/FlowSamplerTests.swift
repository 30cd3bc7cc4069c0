// Flows fitted to codes: the density against its own Jacobian and against a histogram of draws.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite(.serialized) struct FlowSamplerTests {
  /// A crescent, away from 0 and not as wide in both directions.
  private func crescent(_ count: Int) -> EncodedData {
    var random = RandomStream(seed: 1)
    let u = random.normalTensor([count, 2])
    let (x, y) = (u.sliced(1, 0..<1), u.sliced(1, 1..<2))
    let codes = Tensor.concatenate([x * 2 + 5, square(x) * 0.8 + y * 0.3 - 3], axis: 1)
    return EncodedData([Delta(codes, eventRank: 1)])
  }

  private func fitted(_ name: String, steps: Int) -> any LatentSampler {
    var random = RandomStream(seed: 2)
    var (masked, inverse) = (
      MaskedAutoregressiveSamplerDescription(), InverseAutoregressiveSamplerDescription()
    )
    (masked.depth, masked.hidden, masked.steps) = (3, [32], steps)
    (inverse.depth, inverse.hidden, inverse.steps) = (3, [32], steps)
    (masked.learningRate, inverse.learningRate) = (5e-3, 5e-3)
    (masked.batchSize, inverse.batchSize) = (128, 128)
    let data = crescent(2000)
    return name == "maf"
      ? masked.fit(data, using: &random) { _ in } : inverse.fit(data, using: &random) { _ in }
  }

  private func open(
    _ sampler: any LatentSampler, _ body: (any EvaluableDistribution, any BaseSpace) throws -> Void
  ) throws {
    func open<Map: Flow>(_ sampler: FlowSampler<Map>) throws {
      try body(sampler.distribution, sampler)
    }
    if let masked = sampler as? FlowSampler<InvertedFlow<AutoregressiveFlow>> {
      try open(masked)
    } else {
      try open(try #require(sampler as? FlowSampler<AutoregressiveFlow>))
    }
  }

  /// Before anything is learned: the normal of the codes' means and deviations.
  @Test(arguments: ["maf", "iaf"]) func startsAsTheNormalOfTheCodes(name: String) throws {
    var random = RandomStream(seed: 3)
    let facts = SamplerFacts(latentShape: [3], examples: 10, classes: 0)
    let description = try SamplerSettings(named: name).description
    try open(description.makeSampler(facts, using: &random)) { p, _ in
      let z = random.normalTensor([7, 3])
      let normal = square(z).sum(axes: [1]) * -0.5 - 1.5 * log(2 * Double.pi)
      #expect(distance(p.logProbability(of: z), normal) < 1e-5)
    }
  }

  @Test(arguments: ["maf", "iaf"]) func densityAndDraws(name: String) throws {
    try open(fitted(name, steps: name == "maf" ? 700 : 500)) { p, flow in
      var random = RandomStream(seed: 4)
      // Better than the best normal, by far.
      let codes = crescent(2000).codes(using: &random)
      let normal = try FullCovarianceNormal(
        mean: codes.mean(axes: [0]), covariance: covariance(codes))
      let (found, plain) = (
        p.logProbability(of: codes).mean().item, normal.logProbability(of: codes).mean().item
      )
      #expect(found > plain + 0.4, "\(found), \(plain)")
      // The change of variables, by derivatives of the way back.
      let z = codes.sliced(0, 0..<6)
      let rows = (0..<2).map { number in
        gradient(at: z) { flow.base(of: $0).sliced(1, number..<number + 1).sum() }
      }
      let (a, b) = (rows[0].doubles, rows[1].doubles)
      let u = flow.base(of: z)
      let base = (square(u).sum(axes: [1]) * -0.5).doubles
      for (row, density) in p.logProbability(of: z).doubles.enumerated() {
        let determinant = a[2 * row] * b[2 * row + 1] - a[2 * row + 1] * b[2 * row]
        let change: Double = log(Swift.abs(determinant))
        let expected: Double = base[row] - log(2 * Double.pi) + change
        #expect(Swift.abs(density - expected) < 1e-3, "\(density), \(expected)")
      }
      // Shares of draws in a few cells against integrals of the density over them.
      let count = 20_000
      let drawn = p.sample([count], using: &random).doubles
      for corner in [(4.0, -3.4), (5.0, -3.2), (6.0, -3.0), (2.5, -2.0), (7.0, -2.4)] {
        let (across, up) = (corner.0..<corner.0 + 1, corner.1..<corner.1 + 0.6)
        let inside = stride(from: 0, to: drawn.count, by: 2).count {
          across.contains(drawn[$0]) && up.contains(drawn[$0 + 1])
        }
        let fine = 60
        let shares = (0..<fine).map { (Double($0) + 0.5) / Double(fine) }
        var grid: [Double] = []
        for x in shares {
          for y in shares { grid += [corner.0 + x, corner.1 + 0.6 * y] }
        }
        let places = Tensor(grid, shape: [fine * fine, 2]).converted(to: .float32)
        let share = exp(p.logProbability(of: places)).mean().item * 0.6
        let expected = share * Double(count)
        let error: Double = 4 * expected.squareRoot() + 0.01 * expected
        #expect(
          Swift.abs(Double(inside) - expected) < error,
          "\(name), \(corner): \(inside) of \(expected)")
      }
    }
  }

  private func covariance(_ codes: Tensor) -> Tensor {
    let centered = codes - codes.mean(axes: [0])
    return matmul(centered, centered, transpose: .left) / Double(codes.shape[0])
  }

  @Test func refusals() throws {
    var settings = MaskedAutoregressiveSamplerDescription()
    settings.depth = 0
    #expect(throws: SettingError.self) { try settings.validate() }
    let error = #expect(throws: ModelRequirementError.self) {
      try settings.check(latents: 200, most: InverseAutoregressiveSamplerDescription.largestLatent)
    }
    #expect(error?.expected == "latents of at most 128 numbers")
  }
}
