// Latents of a model that is made to use one, waste one and leave one alone.

import Foundation
import Latent
import Testing

@Suite struct CollapseTests {
  /// x = weights z + noise of deviation 0.5 in two dimensions; the encoder writes into the first and second latent.
  static let model: VAE<AffineEncoder, MLPDecoder<NormalHead>, StandardNormalPrior> = {
    var random = RandomStream(seed: 1)
    var model = VAE(
      encoder: AffineEncoder(
        mean: Linear(2, 3, using: &random), logVariance: Tensor([-2, -2, 0] as [Double])),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [], outputShape: [2], head: NormalHead(.fixed(0.5)),
        using: &random),
      prior: .standardNormal(3)
    ).converted(to: .float64)
    model.encoder.mean.weight = Tensor([1, 0, 0, 1, 0, 0] as [Double], shape: [3, 2])
    model.encoder.mean.bias = Tensor([0, 0, 0] as [Double])
    model.decoder.output.weight = Tensor([0.6, 0, 0, 0.8, 0, 1] as [Double], shape: [2, 3])
    return model
  }()

  static func data() -> EncodedData {
    var random = RandomStream(seed: 2)
    let x = random.normalTensor([60, 2], .float64)
    return EncodedData([model.encode(x[0..<40]), model.encode(x[40..<60])])
  }

  @Test func verdicts() throws {
    let found = try Self.model.collapse(of: Self.data(), points: 7)
    #expect(found.verdicts == [.used, .ignoredByDecoder, .ignoredByEncoder])
    // Half of |column|^2 / 0.5^2.
    for (sensitivity, exact) in zip(found.sensitivities, [2.0, 0, 2]) {
      #expect(abs(sensitivity - exact) < 1e-10)
    }
    #expect(abs(found.divergences[2]) < 1e-12 && found.divergences[1] > 0.5)
    #expect(found.variances[2] == 0)
    let measured = found.measurements
    #expect(measured.map(\.part) == [nil, "ignoredByEncoder", "ignoredByDecoder"])
    for (measurement, share) in zip(measured, [2.0 / 3, 1.0 / 3, 1.0 / 3]) {
      #expect(abs(measurement.value - share) < 1e-12 && measurement.count == 60)
    }
    #expect(found.examples == 60)
  }

  @Test("Each verdict says what to do, in a sentence of its own")
  func words() {
    let sentences = CollapseVerdict.allCases.map(\.description)
    #expect(Set(sentences).count == 3 && sentences.allSatisfy { $0.count > 20 })
  }

  @Test func whatIsMissing() {
    #expect(throws: Unmeasurable.noExamples) { try Self.model.collapse(of: EncodedData()) }
    let draws = EncodedData(
      Self.data().posteriors.compactMap { $0 as? DiagonalNormal }.map {
        Anonymous(base: $0)
      })
    #expect(throws: Unmeasurable.dependentPosterior("Anonymous")) {
      try Self.model.collapse(of: draws)
    }
  }
}
