// The bound and its parts against exact values, and bits of dimensions.

import Foundation
import Latent
import Testing

/// A distribution that is known by its draws and their densities only.
struct OwnDraws: Distribution {
  let base: DiagonalNormal
  var batchShape: Shape { base.batchShape }
  var eventShape: Shape { base.eventShape }
  var dtype: DType { base.dtype }
  func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    base.sampleAndLogProbability(sampleShape, using: &random)
  }
  func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    base.sample(sampleShape, using: &random)
  }
}

struct OwnDrawsEncoder: Encoder {
  var base: AffineEncoder
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }
  func callAsFunction(_ x: Tensor) -> OwnDraws { OwnDraws(base: base(x)) }
}

@Suite struct BoundTests {
  /// E log p(x | z) and the divergence of N(gain x, variance).
  static func exact(_ x: Double, gain: Double, variance: Double) -> (Double, Double) {
    let mean = gain * x
    return (
      0.5 * log(2 * .pi) + 0.5 * ((x - mean) * (x - mean) + variance),
      0.5 * (mean * mean + variance - 1 - log(variance))
    )
  }

  @Test(arguments: [(0.5, 0.5), (0.3, 0.9)])
  func parts(gain: Double, variance: Double) throws {
    let model = LinearGaussian.model(gain: gain, variance: variance)
    var random = RandomStream(seed: 4)
    let x = [1, -0.5, 2]
    let parts = try model.boundParts(
      of: LinearGaussian.data(x), samples: 100_000, using: &random)
    #expect(parts.method == .closedForm)
    for (index, x) in x.enumerated() {
      let (reconstruction, divergence) = Self.exact(x, gain: gain, variance: variance)
      #expect(abs(parts.reconstruction[index] - reconstruction) < 0.02)
      #expect(abs(parts.divergence[index] - divergence) < 1e-12)
    }
    if variance == 0.5 {
      #expect(abs(parts.bound[0] - -1.5155121235) < 0.01, "the exact posterior's bound is tight")
    }
    let mean = parts.divergence.reduce(0, +) / 3
    #expect(abs((parts.dimensions.value?[0] ?? 0) - mean) < 1e-12)
  }

  @Test("A posterior that is known by its draws has a bound, but no dimensions")
  func ownDraws() throws {
    let base = LinearGaussian.model()
    let model = VAE(
      encoder: OwnDrawsEncoder(base: base.encoder), decoder: base.decoder, prior: base.prior)
    var random = RandomStream(seed: 4)
    let parts = try model.boundParts(of: LinearGaussian.data([1]), samples: 50, using: &random)
    // Reconstruction and divergence of the same draws: their sum has no variance at the exact posterior.
    #expect(abs(parts.bound[0] - -1.5155121235) < 1e-10)
    #expect(parts.method == .monteCarlo(samples: 50))
    #expect(parts.dimensions == .missing(.dependentPosterior("OwnDraws")))
    #expect(parts.measurements.map(\.metric.name) == ["elbo", "reconstruction", "kl"])
  }

  @Test("Batches do not change means")
  func batches() throws {
    let model = ImportanceTests.model
    let parts = try model.boundParts(on: ImportanceTests.data, samples: 8, batchSize: 7)
    #expect(parts.bound.count == 100)
    let mean = parts.divergence.reduce(0, +) / 100
    #expect(abs((parts.dimensions.value?[0] ?? 0) - mean) < 1e-6)
    let found = parts.measurements
    #expect(found.map(\.metric.name) == ["elbo", "reconstruction", "kl", "kl-dimension"])
    #expect(abs(found[0].value + found[1].value + found[2].value) < 1e-9)
  }

  @Test func points() {
    let base = LinearGaussian.model()
    let model = VAE(
      encoder: MLPPointEncoder.line, decoder: base.decoder, prior: base.prior)
    var random = RandomStream(seed: 4)
    #expect(throws: ModelRequirementError.self) {
      try model.boundParts(of: LinearGaussian.data([1]), using: &random)
    }
  }

  @Test func bits() {
    // A uniform density says nothing of 256 levels: 8 bits.
    #expect(bitsPerDimension(nats: 0, dimensions: 784, .uniformNoise(levels: 256)) == 8)
    #expect(bitsPerDimension(nats: 784 * log(2), dimensions: 784, .discrete) == 1)
    let bound = MetricValue(.elbo, -784 * log(2), standardError: 784 * log(2), count: 10)
    let bits = bound.inBitsPerDimension(dimensions: 784, .uniformNoise(levels: 256))
    #expect(bits.value == 9 && bits.standardError == 1 && bits.part == "elbo")
    #expect(bits.settings["dequantization"] == "uniform noise of one of 256 levels")
    #expect(bits.chance == 8)
  }
}

extension MLPPointEncoder {
  /// From one number to one latent, in float64.
  static var line: MLPPointEncoder {
    var random = RandomStream(seed: 1)
    return MLPPointEncoder(inputShape: [1], hidden: [], latentSize: 1, using: &random)
      .converted(to: .float64)
  }
}
