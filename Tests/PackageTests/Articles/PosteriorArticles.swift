// The code of the article about posteriors.

import Foundation
import Latent
import Testing

struct LaplaceHead: PlainPosteriorHead {
  func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents), RawOutputs(latents, startingAt: -1)]
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Laplace {
    let halves = raw.split(into: 2, axis: -1)
    return Laplace(mean: halves[0], logScale: halves[1], eventRank: eventRank)
  }
}

struct LaplacePosterior: PosteriorDescription {
  static let name = "laplace"
  static let origin = Origin(
    "double exponential latents", paper: "Laplace 1774", equation: "-",
    test: "PackageTests/PosteriorArticles.swift")

  func outputCount(latents: Int) -> Double { 2 * Double(latents) }
  func makeHead(latentShape: Shape, using random: inout RandomStream) -> any PosteriorHead {
    LaplaceHead()
  }
}

struct CubicBijection: Bijection {
  let curvature: Tensor  // log c, [batch, size]

  func forward(_ x: Tensor) -> (value: Tensor, logDeterminant: Tensor) {
    let c = exp(curvature)
    return (x + c * x * square(x) / 3, log(onePlus: c * square(x)).sum(axes: [-1]))
  }
}

struct CubicFlow: AmortizedFlow {
  let size, depth: Int
  var stepOutputs: [RawOutputs] { [RawOutputs(size, startingAt: -3)] }
  func step(_ index: Int, _ parts: [Tensor]) -> CubicBijection {
    CubicBijection(curvature: parts[0])
  }
}

struct CubicPosterior: FlowPosteriorDescription {
  static let name = "cubic"
  static let origin = Origin(
    "a normal with heavier tails for each step", paper: "-", equation: "-",
    test: "PackageTests/PosteriorArticles.swift")

  var depth = 2

  func conditionCount(latents: Int) -> Double { Double(depth * latents) }
  func makeFlow(latents: Int, using random: inout RandomStream) -> CubicFlow {
    CubicFlow(size: latents, depth: depth)
  }
}

@Suite struct PosteriorArticles {
  @Test func inWords() throws {
    var random = RandomStream(seed: 1)
    let description = ModelDescription(
      MLPNetwork(hidden: [64], latentSize: 8), inputShape: [16, 16, 1],
      posterior: LaplacePosterior())
    let model = try description.makeModel(using: &random)

    #expect(Double(model.parameterCount) == description.parameterCount)
    try trains(description)
  }

  @Test func flow() throws {
    try trains(
      ModelDescription(
        MLPNetwork(hidden: [64], latentSize: 8), inputShape: [16, 16, 1],
        posterior: CubicPosterior()))
    let x = Tensor([0.5, -1.5] as [Double], shape: [1, 2])
    let map = CubicBijection(curvature: Tensor([0.2, -0.4] as [Double], shape: [1, 2]))
    let slopes = gradient(at: x) { map.forward($0).value.sum() }
    #expect(abs(map.forward(x).logDeterminant.item - log(slopes).sum().item) < 1e-14)
  }

  private func trains(_ description: ModelDescription) throws {
    try description.validate()
    var random = RandomStream(seed: 2)
    let model = try description.makeModel(using: &random).reparameterized(for: "the bound")
    func train<Model: ReparameterizedModel>(_ model: Model) throws {
      var trainer = Trainer(
        model, objective: ELBO<Model>(), optimizer: Adam(learningRate: 1e-3), seed: 1)
      _ = try trainer.fit(Sprites(side: 16, count: 100), epochs: 2, batchSize: 50)
      #expect(trainer.model.parameters.allSatisfy { $0.array.nonFiniteCount == 0 })
    }
    try train(model)
  }
}
