// The search for latents that please: known optima of linear decoders.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentModels
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct LatentOptimizationTests {
  static let model = Tiny.model(NormalHead(.fixed(1)))
  static let target = numbers([3], 5)
  static let searches: [LatentSearch] = [
    .gradients(), .evolution(CMAES(generations: 400), seed: 1),
  ]

  /// The example nearest to a target under a linear decoder: normal equations, with a ridge where the prior counts.
  @Test(arguments: searches, [0, 0.7] as [Double])
  func leastSquares(search: LatentSearch, priorWeight: Double) throws {
    let (model, target) = (Self.model, Self.target)
    let found = try model.optimized(
      from: Tensor([1, 1] as [Double]), by: search, priorWeight: priorWeight
    ) { examples in -square(examples - target).sum(axes: [1]) }
    let w = model.decoder.output.weight
    let bias = try #require(model.decoder.output.bias)
    let ridge = Tensor.identity(2, .float64) * (priorWeight / 2)
    let normal = try (matmul(w, w, transpose: .left) + ridge).array.inverse()
    let right = matmul((target - bias).expandingDimension(at: 0), w)
    let expected = matmul(right, Tensor(normal)).flattened()
    #expect(distance(found.latent, expected) < 1e-5)
    #expect(
      distance(found.example, model.decode(found.latent.expandingDimension(at: 0)).mean[0]) < 1e-15)
    #expect(abs(found.score + square(found.example - target).sum().item) < 1e-12)
    #expect(found.evaluations > 0)
  }

  /// A score without a derivative: how many elements are above a bound.
  @Test func stepsAreClimbedByEvolution() throws {
    let search = LatentSearch.evolution(CMAES(generations: 60, deviation: 1), seed: 2)
    func score(_ examples: Tensor) -> Tensor { (examples .> 0.2).sum(axes: [1]) }
    let start = Tensor([0, 0] as [Double])
    let found = try Self.model.optimized(from: start, by: search, score: score)
    let before = score(Self.model.decode(start.expandingDimension(at: 0)).mean).item
    #expect(found.score > before)
    let again = try Self.model.optimized(from: start, by: search, score: score)
    #expect(again.latent.array == found.latent.array)
  }
}
