// The learned mixture: its density by loops, what it is with one component, and what its words say.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct MixturePriorTests {
  private func density(_ prior: MixturePrior, _ z: Tensor) -> Tensor {
    var context = LayerContext.inference
    let encoder = FreeEncoder(mean: .zeros([1, 2]), logVariance: .zeros([1, 2]))
    return prior(encoder: encoder, dtype: z.dtype, &context).evaluable.logProbability(of: z)
  }

  private func prior(_ components: Int) -> MixturePrior {
    var random = RandomStream(seed: 8)
    return MixturePrior([2], components: components, using: &random).converted(to: .float64)
  }

  @Test func densityByLoops() {
    var prior = prior(3)
    prior.logits = Tensor([0.3, -1, 2] as [Double])
    prior.mean = numbers([3, 2], 1) * 2
    prior.logScale = numbers([3, 2], 5)
    let z = numbers([7, 2], 2) * 3
    let (m, s) = (prior.mean.doubles, prior.logScale.doubles.map { exp($0) + 1e-4 })
    let total = [0.3, -1, 2].map { exp($0) }.reduce(0, +)
    let expected = (0..<7).map { row -> Double in
      let sum = (0..<3).reduce(0.0) { sum, k in
        let weight = exp([0.3, -1, 2][k]) / total
        return sum
          + (0..<2).reduce(weight) { product, l in
            let score = (z.doubles[row * 2 + l] - m[k * 2 + l]) / s[k * 2 + l]
            return product * exp(-score * score / 2) / (s[k * 2 + l] * (2 * Double.pi).squareRoot())
          }
      }
      return log(sum)
    }
    #expect(distance(density(prior, z).doubles, expected) < 1e-12)
  }

  /// One component with mean 0 and deviation 1 is the standard normal: the estimated divergence is the exact one in
  /// expectation. Tied components are one.
  @Test func oneComponentIsANormal() {
    var one = prior(1)
    one.mean = .zeros([1, 2], .float64)
    one.logScale = Tensor(repeating: log(1 - 1e-4), shape: [1, 2], .float64)
    let z = numbers([9, 2], 2) * 3
    let standard = StandardNormal(eventShape: [2], dtype: .float64)
    #expect(distance(density(one, z), standard.logProbability(of: z)) < 1e-12)
    var many = prior(6)
    many.mean = .zeros([6, 2], .float64)
    many.logScale = Tensor(repeating: log(1 - 1e-4), shape: [6, 2], .float64)
    #expect(distance(density(many, z), density(one, z)) < 1e-12)

    let q = DiagonalNormal(
      mean: Tensor([0.5, -1] as [Double], shape: [1, 2]),
      logVariance: Tensor([-1, 0.2] as [Double], shape: [1, 2]))
    var random = RandomStream(seed: 1)
    let draws = q.sampleAndLogProbability([40_000], using: &random)
    let terms = (draws.logProbability - density(one, draws.value)).doubles
    let mean = terms.reduce(0, +) / 40_000
    let variance = terms.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 40_000
    let exact = normalKL(0.5, -1) + normalKL(-1, 0.2)
    #expect(Swift.abs(mean - exact) < 4 * (variance / 40_000).squareRoot())
  }

  /// Latents that keep a place, and as many numbers as the words say.
  @Test(arguments: [[3], [2, 3, 4]]) func words(latentShape: [Int]) throws {
    var description = MixturePriorDescription()
    description.components = 5
    var random = RandomStream(seed: 2)
    let prior = description.makePrior(
      latentShape: Shape(latentShape), inputShape: [4], using: &random)
    #expect(
      Double(prior.parameterCount)
        == description.parameterCount(latentShape: latentShape, inputShape: [4]))
    var context = LayerContext.inference
    let encoder = FreeEncoder(mean: .zeros([1, 2]), logVariance: .zeros([1, 2]))
    let p = prior(encoder: encoder, dtype: .float32, &context)
    #expect(p.eventShape == Shape(latentShape) && p.batchShape == [])
    let z = p.sample([6], using: &random)
    #expect(z.shape == [6] + Shape(latentShape))
    let areFinite = p.evaluable.logProbability(of: z).doubles.allSatisfy(\.isFinite)
    #expect(areFinite)
    description.components = 0
    #expect(throws: SettingError.self) { try description.validate() }
  }
}
