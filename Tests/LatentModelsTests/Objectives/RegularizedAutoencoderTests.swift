// Autoencoders without noise, and what keeps their decoders smooth.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct RegularizedAutoencoderTests {
  typealias Point = VAE<MLPPointEncoder, MLPDecoder<NormalHead>, StandardNormalPrior>

  typealias Plain<Model: LatentVariableModel> = RegularizedAutoencoder<
    Model, AutoencoderDescription
  >
  typealias Weights<Model: LatentVariableModel> = RegularizedAutoencoder<
    Model, RegularizedWeightsDescription
  >
  typealias Gradient<Model: LatentVariableModel> = RegularizedAutoencoder<
    Model, RegularizedGradientDescription
  >

  static func run<Model: LatentVariableModel>(
    _ objective: any Objective<Model>, _ model: Model, seed: UInt64 = 3
  ) -> LossTerms {
    var context = Tiny.training(seed)
    return objective(model, Tiny.x, &context)
  }

  static let linear = Tiny.model(NormalHead(.fixed(1)))

  /// Of a point the loss is the plain autoencoder's; of a normal it is that of the mean, without noise.
  @Test func plain() {
    let model = CodeDistanceTests.point
    let terms = RegularizedAutoencoderTests.run(
      Plain<Point>(), model)
    var context = Tiny.training()
    let bound = ELBO<Point>()(model, Tiny.x, &context)
    #expect(terms.terms.map(\.name) == ["reconstruction"])
    #expect(distance(terms.total, bound.total) == 0)
    let normal = RegularizedAutoencoderTests.linear
    let found = RegularizedAutoencoderTests.run(
      Plain<Tiny.Model<NormalHead>> { $0.cost = .squared }, normal)
    let errors = square(normal.reconstruct(Tiny.x) - Tiny.x).sum().item / 4
    #expect(distance([found.total.item], [errors]) < 1e-13)
  }

  @Test func weights() {
    let model = CodeDistanceTests.point
    let terms = RegularizedAutoencoderTests.run(
      Weights<Point> {
        ($0.weight, $0.embedding) = (0.25, .linear(from: 0, to: 2, steps: 2))
      }, model)
    let decoder = model.decoder.parameters.flatMap(\.doubles).reduce(0) { $0 + $1 * $1 }
    let length = square(model.codes(of: Tiny.x)).sum().item / 8
    #expect(terms.terms.map(\.name) == ["reconstruction", "embedding", "weights"])
    #expect(distance(terms.terms.suffix(2).map(\.value.item), [length, decoder]) < 1e-13)
    let reconstruction = terms.terms[0].value.item
    #expect(distance([terms.total.item], [reconstruction + length + decoder / 4]) < 1e-13)
    #expect(
      distance([terms.afterWarmup?.item ?? .nan], [reconstruction + 2 * length + decoder / 4])
        < 1e-13)
  }

  /// Of a linear decoder the estimate is |W^T v|² for the drawn signs v whatever the code, and its mean over
  /// all signs is the squared Frobenius norm of W.
  @Test func slopeOfALinearDecoder() {
    let model = RegularizedAutoencoderTests.linear
    let weight = model.decoder.output.weight
    func slope(_ signs: Tensor) -> Double { square(matmul(signs, weight)).sum().item }
    let every = (0..<8).map { pattern -> Double in
      let signs: [Double] = (0..<3).map { pattern >> $0 & 1 == 0 ? 1 : -1 }
      return slope(Tensor(signs, shape: [1, 3]))
    }
    #expect(distance([every.reduce(0, +) / 8], [square(weight).sum().item]) < 1e-14)
    let objective = Gradient<Tiny.Model<NormalHead>> { $0.weight = 1 }
    var found: [Double] = []
    for seed in 0..<200 as Range<UInt64> {
      var random = RandomStream(seed: seed)
      let signs = (random.uniformTensor([4, 3], .float64) .< 0.5) * 2 - 1
      let value = RegularizedAutoencoderTests.run(objective, model, seed: seed)["gradient"]
      #expect(distance([value?.item ?? .nan], [slope(signs) / 4]) < 1e-13)
      found.append(value?.item ?? .nan)
    }
    let spread = every.map { $0 - square(weight).sum().item }.reduce(0) { $0 + $1 * $1 } / 8
    let mean = found.reduce(0, +) / 200
    #expect(abs(mean - square(weight).sum().item) < 4 * (spread / 800).squareRoot())
  }

  /// A derivative of a derivative: through a decoder that bends, for its parameters and the encoder's.
  @Test(arguments: [
    Plain<Point>() as any Objective<Point>,
    Weights<Point> { ($0.weight, $0.embedding) = (0.7, 0.3) },
    Gradient<Point> { ($0.weight, $0.embedding) = (0.7, 0.3) },
  ]) func derivatives(objective: any Objective<Point>) {
    let model = CodeDistanceTests.point
    let error = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      return RegularizedAutoencoderTests.run(objective, copy).total
    }
    #expect(error < 1e-7, "\(error)")
  }
}
