// The flow prior: the standard normal at first, a density whose draws agree with it, learned by gradients.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct FlowPriorTests {
  typealias Kind = FlowPriorDescription.Kind

  static func description(_ kind: Kind, latents: Int = 3) -> ModelDescription {
    var prior = FlowPriorDescription()
    (prior.bijection, prior.depth, prior.hidden) = (kind, 3, [7])
    return ModelDescription(
      MLPNetwork(hidden: [6], latentSize: latents), inputShape: [4], prior: prior)
  }

  @Test(arguments: Kind.allCases) func startsAsTheStandardNormal(_ kind: Kind) throws {
    let description = FlowPriorTests.description(kind)
    try description.validate()
    var random = RandomStream(seed: 1)
    let model = try description.makeModel(using: &random)
    func check(_ model: some LatentVariableModel) {
      #expect(Double(model.parameterCount) == description.parameterCount)
      #expect(model.unvisitedTensors == [])
      var context = LayerContext.inference
      let p = model.converted(to: .float64).prior(.float64, &context)
      let z = scattered([5, 3]) * 2
      let normal = StandardNormal(eventShape: [3], dtype: .float64)
      #expect(distance(p.evaluable.logProbability(of: z), normal.logProbability(of: z)) < 1e-12)
    }
    check(model)
  }

  /// Away from the start the density of draws is the density, latents of several axes included.
  @Test(arguments: Kind.allCases, [[3], [2, 2, 2]] as [Shape])
  func drawsAndDensity(_ kind: Kind, _ latents: Shape) {
    var description = FlowPriorDescription()
    (description.bijection, description.depth, description.hidden) = (kind, 2, [7])
    var random = RandomStream(seed: 1)
    let prior = description.makePrior(latentShape: latents, inputShape: [4], using: &random)
    func check(_ prior: some Prior) {
      let moved = prior.converted(to: .float64).mapParameters {
        $0 + random.normalTensor($0.shape, .float64) * 0.2
      }
      #expect(
        Double(prior.parameterCount)
          == description.parameterCount(latentShape: latents.dimensions, inputShape: [4]))
      var context = LayerContext.inference
      let encoder = MLPPointEncoder(inputShape: [1], hidden: [], latentSize: 1, using: &random)
      let p = moved(encoder: encoder, dtype: .float64, &context)
      #expect(p.batchShape == [] && p.eventShape == latents)
      let (z, density) = p.sampleAndLogProbability([6], using: &random)
      #expect(z.shape == [6] + latents && density.shape == [6])
      #expect(distance(p.evaluable.logProbability(of: z), density) < 1e-10)
    }
    check(prior)
  }

  /// The bound with a flow prior trains its flow.
  @Test(arguments: Kind.allCases) func trains(_ kind: Kind) throws {
    var random = RandomStream(seed: 1)
    let model = try FlowPriorTests.description(kind).makeModel(using: &random)
      .reparameterized(for: "the bound")
    func check<Model: ReparameterizedModel>(_ model: Model) {
      var (model, optimizer) = (model, Adam(learningRate: 1e-2))
      let x = random.uniformTensor([16, 4])
      var losses: [Double] = []
      for step in 0..<60 {
        let (value, gradients) = valueAndGradient(at: model) { model in
          var context = LayerContext(
            isTraining: true, random: RandomStream(seed: 3).split(UInt64(step)), step: step)
          return ELBO<Model>()(model, x, &context).total
        }
        #expect(gradients.tensors.allSatisfy { $0 != nil })
        losses.append(value.item)
        optimizer.update(&model, along: gradients)
      }
      let moved = model.namedParameters.filter { $0.path.hasPrefix("prior.flow") }
      #expect(!moved.isEmpty && moved.contains { $0.path.hasSuffix("layers.1.weight") })
      #expect(
        moved.filter { $0.path.hasSuffix("layers.1.weight") }
          .allSatisfy { $0.tensor.doubles.contains { $0 != 0 } })
      #expect(losses.suffix(10).reduce(0, +) < losses.prefix(10).reduce(0, +))
    }
    check(model)
  }

  @Test func refusals() {
    for kind in [Kind.coupling, .spline] {
      #expect(throws: ModelDescriptionError.self) {
        try FlowPriorTests.description(kind, latents: 1).validate()
      }
    }
    #expect(throws: Never.self) { try FlowPriorTests.description(.maf, latents: 1).validate() }
    var prior = FlowPriorDescription()
    prior.depth = 0
    #expect(throws: SettingError.self) { try prior.validate() }
    prior = FlowPriorDescription()
    prior.hidden = [0]
    #expect(throws: SettingError.self) { try prior.validate() }
  }
}

@Suite struct ActivationNormTests {
  /// The first batch gets mean 0 and variance 1 and sets the map for good.
  @Test func startsAtTheFirstBatch() {
    let x = scattered([40, 3]) * 3 + Tensor([1, -2, 5] as [Double])
    var norm = ActivationNorm(3).converted(to: .float64)
    var context = Tiny.training()
    let (y, log) = norm(x, &context).forward(x)
    #expect(distance(y.mean(axes: [0]), .zeros([3], .float64)) < 1e-12)
    #expect(distance(y.variance(axes: [0]), .ones([3], .float64)) < 1e-12)
    let deviations = sqrt(x.variance(axes: [0]))
    #expect(distance(log, (-LatentAutodiff.log(deviations).sum()).broadcast(to: [40])) < 1e-12)
    norm.apply(context.bufferUpdates)
    var later = Tiny.training(step: 1)
    let again = norm(x * 5, &later).forward(x)
    #expect(distance(again.value, y) < 1e-12 && later.bufferUpdates.isEmpty)
    var inference = LayerContext.inference
    #expect(distance(norm(x, &inference).forward(x).value, y) < 1e-12)
    #expect(distance(norm(x, &inference).inverse(y).value, x) < 1e-12)
  }

  /// Before training, and of a single vector, it is the identity.
  @Test func withoutABatch() {
    let norm = ActivationNorm(2).converted(to: .float64)
    let x = scattered([4, 2])
    var inference = LayerContext.inference
    #expect(norm(x, &inference).forward(x).value.doubles == x.doubles)
    var context = Tiny.training()
    #expect(norm(x.sliced(0, 0..<1), &context).forward(x).value.doubles == x.doubles)
    #expect(context.bufferUpdates.isEmpty)
    #expect(norm.parameterCount == 4)
  }
}
