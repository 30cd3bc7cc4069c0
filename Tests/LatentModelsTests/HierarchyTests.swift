// Hierarchies: how two normals are merged, densities and divergences level by level, derivatives, temperatures, free
// bits, and the words.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct HierarchyTests {
  struct Setting: Sendable, CustomTestStringConvertible {
    let path: HierarchyPath
    let merging: HierarchyMerging
    var testDescription: String { "\(path.rawValue), \(merging.rawValue)" }
  }

  static let settings = HierarchyPath.allCases.flatMap { path in
    HierarchyMerging.allCases.map { Setting(path: path, merging: $0) }
  }

  typealias Model = HierarchicalModel<MLPPointEncoder, MLPDecoder<BernoulliHead>>

  /// Three levels, with first weights that make every level matter.
  static func model(_ setting: Setting, latents: [Int] = [3, 2, 2]) -> Model {
    var random = RandomStream(seed: 1)
    let widths = Array([6, 5, 4].prefix(latents.count))
    var model = Model(
      encoder: LadderEncoder(
        bottom: MLPPointEncoder(
          inputShape: [4], hidden: [5], latentSize: 6, activation: .tanh, using: &random),
        widths: widths, latents: latents, merging: setting.merging, activation: .tanh,
        using: &random),
      decoder: MLPDecoder(
        latentSize: 6, hidden: [5], outputShape: [4], head: BernoulliHead(), activation: .tanh,
        using: &random),
      prior: TopDown(
        widths: widths, latents: latents, path: setting.path, activation: .tanh, using: &random),
      merging: setting.merging
    ).converted(to: .float64)
    model.setParameters(
      model.parameters.map { $0 + random.normalTensor($0.shape, .float64) * 0.4 })
    return model
  }

  static let x: Tensor = {
    var random = RandomStream(seed: 2)
    return random.uniformTensor([3, 4], .float64)
  }()

  // MARK: Merging

  /// The product of two normals, and the prior where the other says nothing.
  @Test func precisionWeighting() {
    let prior = DiagonalNormal(
      mean: Tensor([0.5, -1, 2] as [Double]), logVariance: Tensor([0.3, -2, 1] as [Double]))
    let raw = Tensor([1, 0.2, -3, -0.5, 1.5, 0] as [Double])
    let q = HierarchyMerging.precision(raw, prior)
    let (m, v) = (raw.sliced(0, 0..<3), exp(raw.sliced(0, 3..<6)))
    let precision = 1 / v + 1 / prior.variance
    let weighted = m / v + prior.mean / prior.variance
    #expect(distance(q.variance, 1 / precision) < 1e-14)
    #expect(distance(q.mean, weighted / precision) < 1e-14)
    for huge in [800.0, .infinity] {
      let nothing = Tensor([7, 8, 9, huge, huge, huge] as [Double])
      let same = HierarchyMerging.precision(nothing, prior)
      #expect(same.mean.doubles == prior.mean.doubles)
      #expect(same.logVariance.doubles == prior.logVariance.doubles)
      #expect(same.closedFormKL(to: prior)?.item == 0)
    }
  }

  /// KL = (dm^2 / v + e^dv - dv - 1) / 2, whatever the prior's mean.
  @Test func residual() {
    let prior = DiagonalNormal(
      mean: Tensor([0.5, -1] as [Double]), logVariance: Tensor([0.3, -2] as [Double]))
    let raw = Tensor([0.4, -0.1, 0.6, -0.9] as [Double])
    let q = HierarchyMerging.residual(raw, prior)
    func divergence(_ shift: Double, _ growth: Double, _ logVariance: Double) -> Double {
      let moved: Double = shift * shift * Foundation.exp(-logVariance)
      return (moved + Foundation.exp(growth) - growth - 1) / 2
    }
    let expected: Double = divergence(0.4, 0.6, 0.3) + divergence(-0.1, -0.9, -2)
    #expect(abs((q.closedFormKL(to: prior)?.item ?? .nan) - expected) < 1e-14)
    #expect(HierarchyMerging.residual(raw.zerosLike, prior).closedFormKL(to: prior)?.item == 0)
  }

  // MARK: Densities

  /// The density that a draw comes with is the one at its value, of the posterior and of the prior.
  @Test(arguments: settings) func densitiesOfDraws(setting: Setting) {
    let model = Self.model(setting)
    var random = RandomStream(seed: 3)
    let q = model.encode(Self.x)
    for shape in [[], [5], [2, 3]] as [Shape] {
      let (z, logQ) = q.sampleAndLogProbability(shape, using: &random)
      #expect(z.shape == shape + [3, 7] && logQ.shape == shape + [3])
      #expect(distance(q.logProbability(of: z), logQ) < 1e-12)
    }
    var context = LayerContext.inference
    let p = model.prior(.float64, &context).evaluable
    let (z, logP) = p.sampleAndLogProbability([6], using: &random)
    #expect(z.shape == [6, 7] && distance(p.logProbability(of: z), logP) < 1e-12)
    #expect(p.batchShape == [] && p.eventShape == [7] && model.latentShape == [7])
  }

  /// A prior of one level is standard normal, and of two the density integrates to 1.
  @Test func priorIntegratesToOne() {
    let one = Self.model(Setting(path: .topDown, merging: .precision), latents: [2])
    var context = LayerContext.inference
    let z = Tensor([0.3, -1, 2, 0.1] as [Double], shape: [2, 2])
    let single = one.prior(.float64, &context).evaluable.logProbability(of: z)
    let normal = StandardNormal(eventShape: [2], dtype: .float64)
    #expect(distance(single, normal.logProbability(of: z)) < 1e-14)

    for setting in Self.settings {
      let two = Self.model(setting, latents: [1, 1])
      let p = two.prior(.float64, &context).evaluable
      let (count, cell) = (600, 0.0625)
      let axis = (Tensor.range(count, .float64) + 0.5) * cell - 18.75
      let lower = axis.reshaped([count, 1]).broadcast(to: [count, count])
      let upper = axis.reshaped([1, count]).broadcast(to: [count, count])
      let density = exp(p.logProbability(of: Tensor.stack([lower, upper], axis: 2)))
      let total: Double = density.sum().item * cell * cell
      #expect(abs(total - 1) < 1e-5, "\(setting): \(total)")
    }
  }

  /// The parts' sum is the difference of the densities on the mean, with less noise.
  @Test(arguments: settings) func partsOfTheDivergence(setting: Setting) throws {
    let model = Self.model(setting)
    let q = model.encode(Self.x)
    var context = Tiny.training()
    let p = model.prior(.float64, &context)
    let estimate = try #require(q.sampleAndDivergence(from: p, [40_000], using: &context.random))
    #expect(estimate.parts.map(\.name) == ["kl_1", "kl_2", "kl_3"])
    let sum = estimate.parts.dropFirst().reduce(estimate.parts[0].value) { $0 + $1.value }
    #expect(distance(sum, estimate.divergence) < 1e-13)
    for part in estimate.parts { #expect(part.value.min().item >= -1e-12) }
    // The top level depends on no draw.
    #expect(estimate.parts[2].value.variance(axes: [0], correction: 1).max().item < 1e-20)
    let (z, logQ) = q.sampleAndLogProbability([40_000], using: &context.random)
    let densities = logQ - p.evaluable.logProbability(of: z)
    for example in 0..<3 {
      let first = meanAndError(estimate.divergence.sliced(1, example..<example + 1).flattened())
      let second = meanAndError(densities.sliced(1, example..<example + 1).flattened())
      let error = (first.error * first.error + second.error * second.error).squareRoot()
      #expect(abs(first.mean - second.mean) < 4 * error, "\(first), \(second)")
      #expect(first.error < second.error)
    }
    #expect(
      q.sampleAndDivergence(
        from: StandardNormal(eventShape: [7], dtype: .float64), [], using: &context.random) == nil)
  }

  // MARK: Objectives

  @Test(arguments: settings, [0, 0.4]) func derivatives(setting: Setting, freeBits: Double) {
    let model = Self.model(setting)
    #expect(model.unvisitedTensors == [])
    let error = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      var context = Tiny.training()
      return ELBO(samples: 2, freeBits: freeBits)(copy, Self.x, &context).total
    }
    #expect(error < 1e-7, "\(error)")
    let weights = gradientError(at: model.parameters) { parameters in
      var copy = model
      copy.setParameters(parameters)
      var context = Tiny.training()
      return IWAE { $0.samples = 3 }(copy, Self.x, &context).total
    }
    #expect(weights < 1e-7, "\(weights)")
  }

  /// Each level may use so many nats for free.
  @Test func freeBitsOfLevels() {
    let model = Self.model(Setting(path: .topDown, merging: .residual))
    var context = Tiny.training()
    let plain = ELBO(samples: 4)(model, Self.x, &context)
    let names = ["kl_1", "kl_2", "kl_3"]
    #expect(plain.terms.map(\.name) == ["reconstruction", "kl"] + names)
    #expect(plain.klMethod == .monteCarlo(samples: 4))
    let levels = names.map { plain[$0]?.item ?? .nan }
    let bits = (levels.min()! + levels.max()!) / 2
    context = Tiny.training()
    let charged = ELBO(samples: 4, freeBits: bits)(model, Self.x, &context)
    let expected = plain["reconstruction"]!.item + levels.reduce(0) { $0 + max($1, bits) }
    #expect(distance([charged.total.item], [expected]) < 1e-13)
  }

  /// A batch of one, and each example by itself.
  @Test(arguments: settings) func examplesAreIndependent(setting: Setting) {
    let model = Self.model(setting)
    let codes = model.codes(of: Self.x)
    for row in 0..<3 {
      #expect(distance(model.codes(of: Self.x[row..<row + 1]), codes[row..<row + 1]) < 1e-14)
    }
    #expect(model.reconstruct(Self.x).shape == [3, 4])
    var random = RandomStream(seed: 5)
    #expect(
      model.logLikelihood(of: Self.x, importanceSamples: 7, samplesAtOnce: 3, using: &random).shape
        == [3])
    #expect(model.decode(model.samplePrior(5, using: &random)).batchShape == [5])
  }

  // MARK: Temperatures

  @Test func temperatures() throws {
    let model = Self.model(Setting(path: .topDown, merging: .precision))
    var (first, second) = (RandomStream(seed: 6), RandomStream(seed: 6))
    let plain = model.samplePrior(50, using: &first)
    let same = try model.samplePrior(50, temperatures: [1, 1, 1], using: &second)
    #expect(plain.doubles == same.doubles)
    // Nearly cold, all draws are the one along the means.
    let cold = try model.samplePrior(50, temperatures: [1e-9, 1e-9, 1e-9], using: &first)
    var context = LayerContext.inference
    let means = model.prior(.float64, &context).pointEstimate!
    #expect(distance(cold, means.broadcast(to: cold.shape)) < 1e-7)
    // A level of its own temperature: the top is as it was.
    first = RandomStream(seed: 6)
    let mixed = try model.samplePrior(50, temperatures: [0.5, 1e-9, 1], using: &first)
    #expect(mixed.sliced(1, 5..<7).doubles == plain.sliced(1, 5..<7).doubles)
    #expect(try model.generate(4, temperatures: [0.7, 0.7, 1], using: &first).shape == [4, 4])
    for wrong in [[0.5], [1, 0, 1]] {
      #expect(throws: ModelRequirementError.self) { try model.prior(temperatures: wrong) }
    }
    let tempered = TopDownNormal(model.prior, temperatures: [0.5, 0.8, 2], dtype: .float64)
    let (z, density) = tempered.sampleAndLogProbability([9], using: &first)
    #expect(distance(tempered.logProbability(of: z), density) < 1e-12)
  }

  // MARK: In words

  @Test func words() throws {
    func refusal(_ network: any NetworkDescription, _ posterior: any PosteriorDescription) -> String
    {
      let description = ModelDescription(network, inputShape: [4], posterior: posterior)
      do { try description.validate() } catch { return "\(error)" }
      return ""
    }
    #expect(
      refusal(LadderMLPNetwork(), PointPosterior())
        == "model description: posterior.name is 'point', expected diagonal for the network "
        + "ladder-mlp")
    #expect(
      refusal(LadderMLPNetwork(widths: [3]), DiagonalPosterior())
        == "model description: widths is [3], expected one for each of the 2 levels of latents")
    #expect(
      refusal(LadderMLPNetwork(widths: [], latents: []), DiagonalPosterior())
        == "model description: latents is [], expected at least one level")
    #expect(
      refusal(LadderMLPNetwork(latents: [0, 1]), DiagonalPosterior())
        == "model description: latents is [0, 1], expected positive widths")
    let text =
      #"{"hidden": [3], "widths": [3], "latents": [2], "activation": "relu", "path": "up","#
      + #""merging": "residual"}"#
    #expect(throws: ModelDescriptionError.self) {
      try JSONDecoder().decode(LadderMLPNetwork.self, from: Data(text.utf8))
    }
  }
}
