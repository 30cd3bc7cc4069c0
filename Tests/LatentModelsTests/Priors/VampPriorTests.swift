// The mixture of posteriors of learned inputs: identities that hold for any encoder, where first inputs come from, and
// what cannot go with it.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct VampPriorTests {
  typealias Model = VAE<MLPEncoder, MLPDecoder<BernoulliHead>, VampPrior>

  /// Four numbers, two latents, float64.
  static func model(components: Int, seed: UInt64 = 1) -> Model {
    var random = RandomStream(seed: seed)
    return VAE(
      encoder: MLPEncoder(
        inputShape: [4], hidden: [6], latentSize: 2, activation: .tanh, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [], outputShape: [4], head: BernoulliHead(), using: &random),
      prior: VampPrior(inputShape: [4], components: components, using: &random)
    ).converted(to: .float64)
  }

  static func inputs(_ count: Int) -> Tensor {
    var random = RandomStream(seed: 9)
    return random.uniformTensor([count, 4], .float64)
  }

  private func density(_ model: Model, _ z: Tensor) -> Tensor {
    var context = LayerContext.inference
    return model.prior(.float64, &context).evaluable.logProbability(of: z)
  }

  /// K = 1 and u = x: both densities are one, at every draw.
  @Test func oneComponentAtTheDataHasNoDivergence() {
    var model = VampPriorTests.model(components: 1)
    let x = VampPriorTests.inputs(1)
    model.prior.inputs = x
    var random = RandomStream(seed: 2)
    let q = model.encode(x)
    let z = q.sample([1000], using: &random)
    let difference = q.logProbability(of: z).squeezed(1) - density(model, z.squeezed(1))
    #expect(difference.doubles.allSatisfy { Swift.abs($0) < 1e-12 })
  }

  /// Equal inputs are one; a second copy of all changes nothing; the density lies between the best component's and that
  /// less log K.
  @Test func identities() {
    var model = VampPriorTests.model(components: 5)
    var random = RandomStream(seed: 4)
    let z = random.normalTensor([30, 2], .float64) * 2
    let several = density(model, z)
    let each = model.encode(model.prior.inputs).logProbability(of: z.expandingDimension(at: 1))
    let best = each.max(axes: [1])
    for (value, top) in zip(several.doubles, best.doubles) {
      #expect(value <= top + 1e-12 && value >= top - log(5) - 1e-12)
    }
    let inputs = model.prior.inputs
    model.prior.inputs = Tensor.concatenate([inputs, inputs], axis: 0)
    #expect(distance(density(model, z), several) < 1e-12)

    let one = inputs.sliced(0, 2..<3)
    model.prior.inputs = one
    let alone = density(model, z)
    model.prior.inputs = Tensor.concatenate(Array(repeating: one, count: 7), axis: 0)
    #expect(distance(density(model, z), alone) < 1e-12)
  }

  /// Fields of a batch and its training flag leave the components as they are, and they leave no losses.
  @Test func componentsDoNotDependOnTheBatch() {
    let model = VampPriorTests.model(components: 3)
    let z = VampPriorTests.inputs(2).sliced(1, 0..<2)
    var context = LayerContext(
      isTraining: true, random: RandomStream(seed: 1), fields: ["labels": Tensor([1 as Int32])])
    let p = model.prior(.float64, &context).evaluable
    #expect(p.logProbability(of: z).array == density(model, z).array)
  }

  /// Bug 39: inputs that start beyond the range would never move.
  @Test func everyInputMovesFromTheFirstStep() {
    var model = VampPriorTests.model(components: 6)
    let x = Tensor(
      (0..<80).map { Double(($0 * 5) % 7 < 3 ? 0 : 1) }, shape: [20, 4])
    var statistics = DataStatistics(shape: [4])
    statistics.add(x.array, indices: Array(0..<20))
    model.initialize(from: statistics)
    #expect(model.prior.range.doubles == [0, 1])
    // Examples 0, 3, 6, 10, 13, 16, drawn in.
    let expected = x.gathering(Tensor([0, 3, 6, 10, 13, 16] as [Int32]), axis: 0) * 0.9 + 0.05
    #expect(distance(model.prior.inputs, expected) < 1e-7)
    var context = Tiny.training()
    let result = valueAndGradient(at: model) { ELBO()($0, x, &context).total }
    let paths = model.namedParameters.filter(\.isTrained).map(\.path)
    guard let index = paths.firstIndex(of: "prior.inputs"),
      let gradient = result.gradients.tensors[index]
    else {
      Issue.record("no derivative by the inputs")
      return
    }
    #expect(gradient.doubles.allSatisfy { $0 != 0 })
  }

  /// Bug 41: one draw at a time, every component comes as often as the others.
  @Test func componentsAreDrawnUniformly() {
    var random = RandomStream(seed: 3)
    var prior = VampPrior(inputShape: [2], components: 4, using: &random)
    prior.inputs = Tensor([0, 0, 1, 0, 0, 1, 1, 1] as [Float], shape: [4, 2])
    var context = LayerContext.inference
    let p = prior(encoder: CornerEncoder(), dtype: .float32, &context)
    var counts = [0, 0, 0, 0]
    for _ in 0..<10_000 {
      let z = p.sample([1], using: &random).doubles
      counts[(z[0] > 0 ? 1 : 0) + (z[1] > 0 ? 2 : 0)] += 1
    }
    // Four deviations of a binomial count.
    let deviation = (10_000.0 * 0.25 * 0.75).squareRoot()
    for count in counts { #expect(Swift.abs(Double(count) - 2500) < 4 * deviation) }
  }

  /// A posterior that is no normal goes another way to the same formula.
  @Test func otherPosteriors() {
    var random = RandomStream(seed: 5)
    let prior = VampPrior(inputShape: [3], components: 4, using: &random)
    let encoder = LinearLaplace(weight: numbers([2, 3]).converted(to: .float32))
    var context = LayerContext.inference
    let p = prior(encoder: encoder, dtype: .float32, &context).evaluable
    let z = numbers([5, 2], 3).converted(to: .float32)
    let each = encoder(prior.inputs).logProbability(of: z.expandingDimension(at: 1))
    #expect(distance(p.logProbability(of: z), each.logSumExp(axes: [1]) - log(4)) < 1e-6)
  }

  @Test func refusals() throws {
    var description = ModelDescription(
      MLPNetwork(hidden: [], latentSize: 3), inputShape: [6], posterior: PointPosterior(),
      prior: VampPriorDescription())
    #expect(throws: ModelDescriptionError.self) { try description.validate() }
    description = ModelDescription(
      GRUTextNetwork(), inputShape: [8], prior: VampPriorDescription(), likelihood: .categorical)
    let error = #expect(throws: ModelDescriptionError.self) { try description.validate() }
    #expect(error?.found.contains("for text") == true)
    var prior = VampPriorDescription()
    prior.components = 0
    #expect(throws: SettingError.self) { try prior.validate() }
  }
}

/// Far apart and narrow: the signs of the two latents name the component.
private struct CornerEncoder: Encoder {
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  func callAsFunction(_ x: Tensor) -> DiagonalNormal {
    DiagonalNormal(mean: x * 20 - 10, logVariance: .scalar(-4, x.dtype))
  }
}

private struct LinearLaplace: Encoder {
  var weight: Tensor
  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&weight, "weight")
  }
  func callAsFunction(_ x: Tensor) -> Laplace {
    Laplace(mean: linear(x, weight: weight, bias: nil), logScale: .scalar(-1, x.dtype))
  }
}
