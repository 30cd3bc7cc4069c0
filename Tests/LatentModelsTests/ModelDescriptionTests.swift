// Models in words: JSON, checks before anything is allocated, and every combination built and used.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct ModelDescriptionTests {
  typealias Description = ModelDescription

  @Test(arguments: Description.Architecture.allCases, Description.Likelihood.allCases)
  func everyCombinationWorks(
    architecture: Description.Architecture, likelihood: Description.Likelihood
  ) throws {
    for (shape, hidden) in [([6], []), ([2, 3, 1], [5]), ([4, 4, 3], [7, 5])] {
      let description = Description(
        architecture: architecture, inputShape: shape, latentSize: 3, hidden: hidden,
        likelihood: likelihood)
      let data = try JSONEncoder().encode(description)
      #expect(try JSONDecoder().decode(Description.self, from: data) == description)
      var random = RandomStream(seed: 1)
      try use(description.makeModel(using: &random), Shape(shape), architecture, likelihood)
    }
  }

  func use(
    _ model: some LatentVariableModel, _ shape: Shape, _ architecture: Description.Architecture,
    _ likelihood: Description.Likelihood
  ) throws {
    let name = "\(architecture) \(likelihood) \(shape)"
    var random = RandomStream(seed: 2)
    let x = random.uniformTensor([4] + shape)
    let posterior = model.encode(x)
    #expect(posterior.mean.shape == [4, 3], "\(name)")
    let decoded = model.decode(posterior.mean)
    #expect(decoded.batchShape == [4] && decoded.eventShape == shape, "\(name)")
    #expect(decoded.logProbability(of: x).shape == [4], "\(name)")
    let images = model.generate(2, using: &random)
    #expect(images.shape == [2] + shape && images.array.nonFiniteCount == 0, "\(name)")
    #expect(model.unvisitedTensors == [], "\(name)")
    #expect(
      model.namedParameters.contains { $0.path == "decoder.head.logVariance" }
        == (likelihood == .normal), "\(name)")
    let gradients = valueAndGradient(at: model) { model in
      var context = LayerContext(isTraining: true, random: random)
      return loss(model, x, &context)
    }.gradients
    #expect(gradients.tensors.allSatisfy { $0 != nil } && gradients.norm.isFinite, "\(name)")
  }

  func loss<Model: LatentVariableModel>(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> Tensor {
    ELBO<Model>()(model, x, &context).total
  }

  @Test func parameterCountsOfTheDefault() throws {
    var random = RandomStream(seed: 1)
    let description = Description(inputShape: [28, 28, 1])
    let model = try description.makeModel(using: &random)
    // The `mlp` workload of the benchmarks.
    #expect(model.parameterCount == 652_824)
    #expect(
      model.namedParameters.map(\.path) == [
        "encoder.hidden.0.weight", "encoder.hidden.0.bias", "encoder.head.weight",
        "encoder.head.bias", "decoder.hidden.0.weight", "decoder.hidden.0.bias",
        "decoder.output.weight", "decoder.output.bias",
      ])
  }

  @Test func jsonIsReadable() throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let description = Description(
      architecture: .mlpAutoencoder, inputShape: [8, 8, 1], latentSize: 4, hidden: [32, 16],
      likelihood: .continuousBernoulli)
    let text = String(decoding: try encoder.encode(description), as: UTF8.self)
    #expect(
      text == """
        {"architecture":"mlp-autoencoder","hidden":[32,16],"inputShape":[8,8,1],"latentSize":4,\
        "likelihood":"continuous-bernoulli"}
        """)
    for wrong in [
      "{}", text.replacingOccurrences(of: "mlp-autoencoder", with: "gan"),
      text.replacingOccurrences(of: "[32,16]", with: "32"),
      text.replacingOccurrences(of: ":4,", with: ":4.5,"),
      text.replacingOccurrences(of: ":4,", with: ":40000000000000000000,"),
    ] {
      #expect(throws: DecodingError.self, "\(wrong)") {
        try JSONDecoder().decode(Description.self, from: Data(wrong.utf8))
      }
    }
  }

  struct Wrong: Sendable, CustomTestStringConvertible {
    let description: ModelDescription
    let text: String
    var testDescription: String { text }

    init(
      _ inputShape: [Int] = [28, 28, 1], latentSize: Int = 20, hidden: [Int] = [400], _ text: String
    ) {
      description = ModelDescription(
        inputShape: inputShape, latentSize: latentSize, hidden: hidden)
      self.text = "model description: " + text
    }
  }

  static let big = 1 << 30
  static let limit = "at most 1073741824 parameters in all"

  @Test(arguments: [
    Wrong([], "inputShape is [], expected 1 to 6 positive sizes"),
    Wrong(
      [1, 1, 1, 1, 1, 1, 1], "inputShape is [1, 1, 1, 1, 1, 1, 1], expected 1 to 6 positive sizes"),
    Wrong([28, 0], "inputShape is [28, 0], expected 1 to 6 positive sizes"),
    Wrong([-28, -28], "inputShape is [-28, -28], expected 1 to 6 positive sizes"),
    Wrong(latentSize: 0, "latentSize is 0, expected a positive number"),
    Wrong(latentSize: -3, "latentSize is -3, expected a positive number"),
    Wrong(hidden: [400, 0], "hidden is [400, 0], expected positive widths"),
    // Products that overflow, sizes beyond memory, totals beyond the limit.
    Wrong(
      [.max, .max], "inputShape is [\(Int.max), \(Int.max)], expected at most \(big) elements"),
    Wrong([big + 1], "inputShape is [\(big + 1)], expected at most \(big) elements"),
    Wrong(
      latentSize: .max, "latentSize is \(Int.max), expected at most \(big)"),
    Wrong(hidden: [.max], "hidden is [\(Int.max)], expected widths of at most \(big)"),
    Wrong(hidden: [100_000, 100_000], "hidden is [100000, 100000], expected \(limit)"),
    Wrong([1 << 25], hidden: [1 << 10], "hidden is [1024], expected \(limit)"),
    // Just above the limit, where the head's two outputs for each latent decide.
    Wrong([1], latentSize: 1 << 28, hidden: [1], "hidden is [1], expected \(limit)"),
  ]) func wrongDescriptionsAreRefused(wrong: Wrong) {
    let error = #expect(throws: ModelDescriptionError.self) { try wrong.description.validate() }
    #expect(error?.description == wrong.text)
    var random = RandomStream(seed: 1)
    let clock = ContinuousClock()
    let time = clock.measure {
      #expect(throws: ModelDescriptionError.self) {
        _ = try wrong.description.makeModel(using: &random)
      }
    }
    #expect(time < .milliseconds(100), "nothing was allocated")
    #expect(random == RandomStream(seed: 1), "nothing was drawn")
  }
}
