// Latents that are cut short: how often, to which lengths, and what the loss is then.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct NestedDropoutTests {
  /// `ratio^(b - 1) (1 - ratio) / (1 - ratio^K)`, within five standard deviations of the frequencies.
  @Test(arguments: [1.0, 0.9, 0.5, 0.1, 1e-6], [1, 2, 5]) func lengths(ratio: Double, latents: Int)
  {
    var description = NestedDropoutDescription()
    (description.ratio, description.probability) = (ratio, 0.75)
    var random = RandomStream(seed: 8)
    let count = 40_000
    let lengths = description.lengths(count, of: latents, using: &random)
    let total = (0..<latents).reduce(0.0) { $0 + pow(ratio, Double($1)) }
    for length in 1...latents {
      let expected =
        0.75 * pow(ratio, Double(length - 1)) / total + (length == latents ? 0.25 : 0)
      let found = Double(lengths.filter { $0 == length }.count) / Double(count)
      let deviation = (expected * (1 - expected) / Double(count)).squareRoot()
      #expect(abs(found - expected) <= 5 * deviation, "\(length)")
    }
    #expect(lengths.allSatisfy { (1...latents).contains($0) })
  }

  /// The bound whose decoder gets the first latents: in loops, at the draws of the wrapper.
  @Test(arguments: UInt64(1)..<5) func loss(seed: UInt64) {
    let model = Tiny.model(NormalHead(.fixed(0.7)))
    let rule = NestedDropout<Tiny.Model<NormalHead>, _>(around: ELBO(beta: 2))
    let stream = RandomStream(seed: seed)
    var context = LayerContext(isTraining: true, random: stream)
    let found = rule.loss(of: 0, model, NoParts(), Tiny.x, &context)
    var (draws, normal) = (stream.split("lens1.seed"), stream)
    let kept = NestedDropoutDescription().lengths(4, of: 2, using: &draws)
    let noise = normal.normalTensor([4, 2], .float64).doubles
    let q = model.encode(Tiny.x)
    let (means, logVariances, x) = (q.mean.doubles, q.logVariance.doubles, Tiny.x.doubles)
    let (v, c) = (model.decoder.output.weight.doubles, model.decoder.output.bias?.doubles ?? [])
    var (reconstruction, kl) = (0.0, 0.0)
    for example in 0..<4 {
      let z = (0..<2).map { latent -> Double in
        let index = example * 2 + latent
        kl += normalKL(means[index], logVariances[index]) / 4
        let value = means[index] + exp(logVariances[index] / 2) * noise[index]
        return latent < kept[example] ? value : 0
      }
      for pixel in 0..<3 {
        let mean = c[pixel] + v[pixel * 2] * z[0] + v[pixel * 2 + 1] * z[1]
        reconstruction -= Tiny.normal(0.7)(mean, x[example * 3 + pixel]) / 4
      }
    }
    #expect(abs(found.total.item - reconstruction - 2 * kl) < 1e-9)
    #expect(abs((found["reconstruction"]?.item ?? 0) - reconstruction) < 1e-9)
  }

  /// Samples of an example have lengths of their own; where latents keep their place, channels are cut.
  @Test func axes() throws {
    var description = NestedDropoutDescription()
    description.inside = ObjectiveSettings()
    func cut(_ shape: Shape, of model: some LatentVariableModel) throws -> Tensor {
      var random = RandomStream(seed: 3)
      let context = LayerContext(isTraining: true, random: random)
      let lens = try #require(
        description.lens(Tensor.zeros([2, 1]), of: model, context, using: &random))
      let rank = model.latentShape.rank
      let latents = try #require(lens.latents)
      return latents(Tensor.ones(shape), rank)
    }
    let vectors = try cut([50, 2, 2], of: Tiny.model(NormalHead()))
    for row in vectors.reshaped([100, 2]).floats.indices where row % 2 == 0 {
      #expect(vectors.floats[row] == 1)
    }
    let seconds = stride(from: 1, to: 200, by: 2).map { vectors.floats[$0] }
    #expect(Set(seconds) == [0, 1])
    func placed(_ model: some LatentVariableModel) throws {
      let z = try cut([60, 4, 4, 2], of: model).reshaped([60, 16, 2])
      let sums = z.sum(axes: [1]).floats
      #expect(Set(stride(from: 1, to: 120, by: 2).map { sums[$0] }) == [0, 16])
      #expect(stride(from: 0, to: 120, by: 2).allSatisfy { sums[$0] == 16 })
    }
    try placed(WrapperTests.model("resnet"))
  }
}
