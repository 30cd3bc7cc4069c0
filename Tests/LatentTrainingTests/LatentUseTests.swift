// Nats by dimension, against the formula, and how many of them count as used.

import Foundation
import Latent
import Testing

@Suite struct LatentUseTests {
  /// A posterior with mean x and variance e^(x / 2) in the first dimension, the prior in the second.
  struct HalfUsed: Encoder {
    mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
    func callAsFunction(_ x: Tensor) -> DiagonalNormal {
      let first = x.sliced(1, 0..<1)
      return DiagonalNormal(
        mean: .concatenate([first, first.zerosLike], axis: 1),
        logVariance: .concatenate([first / 2, first.zerosLike], axis: 1))
    }
  }

  private func decoder(_ latents: Int) -> MLPDecoder<BernoulliHead> {
    var random = RandomStream(seed: 3)
    return MLPDecoder(
      latentSize: latents, hidden: [], outputShape: [6], head: BernoulliHead(), using: &random)
  }

  @Test func countsByDimension() throws {
    let model = VAE(encoder: HalfUsed(), decoder: decoder(2), prior: .standardNormal(2))
    let data = tinyData(44)
    let use = try #require(try model.latentUse(on: data, batchSize: 10))
    let values = stride(from: 0, to: 44 * 6, by: 6).map {
      Double(data.arrays["inputs"]!.floats[$0])
    }
    let expected = values.map { ($0 * $0 + exp($0 / 2) - 1 - $0 / 2) / 2 }.reduce(0, +) / 44
    #expect(abs(use.nats[0] - expected) < 1e-6 && use.nats[1] == 0)
    #expect(use.count == 2 && use.active == 1)
    #expect("\(use)" == "1 of 2 latents are used (0.01 nats or more)")
  }

  /// Levels of a hierarchy by the parts of the divergence; the one that is not used is named.
  @Test func countsByLevel() throws {
    var random = RandomStream(seed: 3)
    let description = ModelDescription(
      LadderMLPNetwork(
        hidden: [], widths: [5, 4], latents: [3, 2], path: .ladder, merging: .residual),
      inputShape: [6])
    let made = try description.makeModel(using: &random)
    func check(_ model: some LatentVariableModel) throws {
      // Without a residual the top level is its prior.
      var silent = model
      silent.setParameters(
        model.namedParameters.map {
          $0.path.hasPrefix("encoder.heads.1.") ? $0.tensor.zerosLike : $0.tensor
        })
      let use = try #require(try silent.latentUse(on: tinyData(44), batchSize: 10))
      #expect(use.names == ["kl_1", "kl_2"] && use.nats[1] == 0 && use.nats[0] > 0.1)
      #expect(use.active == 1 && use.unused == ["kl_2"])
      #expect("\(use)" == "1 of 2 levels are used (0.01 nats or more): not kl_2")
    }
    try check(made)
  }

  @Test func pointsHaveNone() throws {
    var random = RandomStream(seed: 3)
    let encoder = MLPPointEncoder(inputShape: [6], hidden: [], latentSize: 2, using: &random)
    let model = VAE(encoder: encoder, decoder: decoder(2), prior: .standardNormal(2))
    #expect(try model.latentUse(on: tinyData()) == nil)
  }
}
