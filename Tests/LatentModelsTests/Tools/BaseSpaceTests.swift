// Paths along flows, and temperatures of priors.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct BaseSpaceTests {
  /// Flows away from the identity, and how far a way there and back may miss.
  private func flows() -> [(name: String, flow: any BaseSpace, error: Double)] {
    var random = RandomStream(seed: 1)
    func moved<Part: Module>(_ part: Part, by amount: Double = 0.1) -> Part {
      part.mapParameters { $0 + random.normalTensor($0.shape) * amount }
    }
    let autoregressive = AutoregressiveFlow(
      size: 3, depth: 2, hidden: [6], scaling: .exponential, using: &random)
    var sampler = FlowSampler(moved(autoregressive), latentShape: [3])
    sampler.scale = CodeScale(of: random.normalTensor([50, 3]) * 2 + 1)
    var settings = FlowMatchingDescription()
    (settings.hidden, settings.solverSteps) = ([6], 100)
    var matching = FlowMatchingSampler([3], settings, using: &random)
    matching.flow.velocity = moved(matching.flow.velocity, by: 0.5)
    matching.flow.scale = sampler.scale
    let prior = FlowPrior(moved(autoregressive), eventShape: [3])
    var context = LayerContext.inference
    let encoder = MLPPointEncoder(inputShape: [1], hidden: [], latentSize: 1, using: &random)
    let transformed = prior(encoder: encoder, dtype: .float32, &context)
    return [
      ("sampler", sampler, 1e-4), ("flow-matching", matching, 2e-3),
      ("prior", transformed as! any BaseSpace, 1e-4),
    ]
  }

  @Test func straightWhereTheFlowComesFrom() {
    for (name, flow, error) in flows() {
      var random = RandomStream(seed: 2)
      let z = random.normalTensor([2, 3])
      #expect(distance(flow.latents(at: flow.base(of: z)), z) < error, "\(name)")
      let path = flow.path(from: z.selecting(0), to: z.selecting(1), steps: 5)
      #expect(path.shape == [5, 3])
      #expect(distance(path.selecting(0), z.selecting(0)) < error, "\(name)")
      #expect(distance(path.selecting(4), z.selecting(1)) < error, "\(name)")
      let bases = flow.base(of: path)
      let middle = (bases.selecting(0) + bases.selecting(4)) * 0.5
      #expect(distance(bases.selecting(2), middle) < 2 * error, "\(name)")
      let straight = (z.selecting(0) + z.selecting(1)) * 0.5
      #expect(distance(path.selecting(2), straight) > error, "\(name) is no flow")
    }
  }

  @Test func priorsOfModels() throws {
    var random = RandomStream(seed: 1)
    var error: ModelRequirementError?
    func check(_ model: some LatentVariableModel) throws { _ = try model.priorFlow() }
    let network = MLPNetwork(hidden: [4], latentSize: 3)
    for prior in [FlowPriorDescription(), FlowMatchingPriorDescription()] as [any PriorDescription]
    {
      try check(ModelDescription(network, inputShape: [4], prior: prior).makeModel(using: &random))
    }
    error = #expect(throws: ModelRequirementError.self) {
      try check(ModelDescription(network, inputShape: [4]).makeModel(using: &random))
    }
    #expect(error?.found == "StandardNormal")
  }

  /// The standard normal has one level; other priors have none.
  @Test func temperatures() throws {
    var random = RandomStream(seed: 3)
    let model = SamplerTests.model
    let z = try model.samplePrior(4000, temperatures: [0.5], using: &random)
    #expect(z.shape == [4000, 3])
    for variance in z.variance(axes: [0]).doubles {
      #expect(Swift.abs(variance - 0.25) < 0.0224)
    }
    #expect(try model.generate(2, temperatures: [0.5], using: &random).shape == [2, 4])
    let cold = PriorSampler(temperatures: [1e-9])
      .latents(3, of: model, fields: [:], using: &random)
    #expect(cold.doubles.allSatisfy { Swift.abs($0) < 1e-7 })
    let wrong = #expect(throws: ModelRequirementError.self) {
      try model.prior(temperatures: [0.5, 1])
    }
    #expect(
      wrong?.description == "a prior of 1 level needs a positive temperature for each: "
        + "found temperatures [0.5, 1.0]")
    func refuse(_ model: some LatentVariableModel) {
      #expect(throws: ModelRequirementError.self) { try model.prior(temperatures: [0.5]) }
    }
    refuse(
      try ModelDescription(
        MLPNetwork(hidden: [4], latentSize: 3), inputShape: [4], prior: FlowPriorDescription()
      ).makeModel(using: &random))
  }
}
