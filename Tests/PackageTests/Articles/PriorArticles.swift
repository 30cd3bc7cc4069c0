// The code of the article about priors and samplers.

import Foundation
import Latent
import Testing

struct PeakedPrior: Prior {
  var logScale: Tensor  // [latent]
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logScale, "logScale")
  }
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    Laplace(mean: logScale.zerosLike, logScale: logScale)
  }
}

struct PeakedPriorDescription: PriorDescription {
  static let name = "peaked"
  static let origin = Origin(
    "independent Laplace distributions with learned scales", paper: "Park and Casella 2008",
    equation: "2", test: "PackageTests/PriorArticles.swift")

  var scale = 1.0

  func validate() throws {
    if !(scale > 0 && scale.isFinite) {
      throw SettingError(
        key: "model.prior.scale", found: "\(scale)", expected: "a positive number")
    }
  }

  func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    Double(latentShape[0])
  }

  func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    PeakedPrior(logScale: Tensor(repeating: log(scale), shape: latentShape))
  }
}

struct RememberedCodes: LatentSampler {
  var codes: Tensor  // [examples, latents]
  let width: Double

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&codes, "codes")
  }

  func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    let all = Int32(codes.shape[0])
    let chosen = (0..<count).map { _ in Int32.random(in: 0..<all, using: &random) }
    let z = codes.gathering(Tensor(chosen), axis: 0)
    return (z + random.normalTensor(z.shape) * width).reshaped([count] + model.latentShape)
  }
}

struct RememberedCodesDescription: SamplerDescription {
  static let name = "remembered"
  static let origin = Origin(
    "a code of a training example, and noise", paper: "Parzen 1962", equation: "1.1",
    test: "PackageTests/PriorArticles.swift")

  var width = 0.1

  func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    RememberedCodes(codes: .zeros([facts.examples, facts.latents]), width: width)
  }

  func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler {
    RememberedCodes(codes: data.codes(using: &random), width: width)
  }
}

@Suite struct PriorArticles {
  @Test func priorOfOnesOwn() throws {
    var random = RandomStream(seed: 1)
    let description = ModelDescription(
      MLPNetwork(hidden: [32], latentSize: 4), inputShape: [16, 16, 1],
      prior: PeakedPriorDescription())
    let described = try description.makeModel(using: &random)
    #expect(described.latentShape == [4])
    let model = VAE(
      encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [32], latentSize: 4, using: &random),
      decoder: MLPDecoder(
        latentSize: 4, hidden: [32], outputShape: [16, 16, 1], head: BernoulliHead(), using: &random
      ),
      prior: PeakedPrior(logScale: .zeros([4])))
    var trainer = Trainer(model, objective: ELBO(), optimizer: Adam(learningRate: 1e-3), seed: 1)
    let x = Tensor(try Sprites(side: 16).batch(0..<16).inputs)
    #expect(try trainer.step(x).loss.isFinite)
    #expect(trainer.model.prior.logScale.doubles.contains { $0 != 0 })
  }

  @Test func samplerOfOnesOwn() throws {
    try withFolder { folder in
      var random = RandomStream(seed: 7)
      let model = VAE(
        encoder: MLPEncoder(inputShape: [16, 16, 1], hidden: [32], latentSize: 4, using: &random),
        decoder: MLPDecoder(
          latentSize: 4, hidden: [32], outputShape: [16, 16, 1], head: BernoulliHead(),
          using: &random),
        prior: .standardNormal(4))
      let dataset = Sprites(side: 16, count: 200)

      let codes = try model.encoded(dataset)
      let sampler = try GaussianMixtureDescription().fit(codes, using: &random) { print($0) }
      let z = sampler.latents(16, of: model, fields: [:], using: &random)  // [16, 4]
      let images = model.decode(z).mean  // [16, 16, 16, 1]
      #expect(images.shape == [16, 16, 16, 1])

      let saved = try SavedSampler(
        fitting: SamplerSettings(named: "gmm"), to: model, on: dataset)
      try saved.write(to: "\(folder)/sampler-gmm.h5")
      let again = try SavedSampler(contentsOf: "\(folder)/sampler-gmm.h5").sampler(for: model)
      #expect(again.namedArrays == saved.arrays)
      #expect(throws: RunError.self) { try saved.sampler(for: model.converted(to: .float64)) }

      let own = RememberedCodesDescription().fit(codes, using: &random) { print($0) }
      #expect(own.latents(3, of: model, fields: [:], using: &random).shape == [3, 4])
      #expect(
        RememberedCodesDescription().makeSampler(codes.facts, using: &random)
          .namedArrays["codes"]?.shape == [200, 4])
    }
  }
}
