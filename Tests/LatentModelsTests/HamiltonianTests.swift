// Hamiltonian posteriors: the map (what it keeps, that it can be undone, its determinant), the weights (on a model
// whose evidence is known), and a small network against PyTorch in float64.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers
import LatentStorage
import Testing

@testable import LatentModels

@Suite struct HamiltonianFlowTests {
  static func flow(
    _ latents: Int, steps: Int, stepSize: Double = 0.3, temperature: Double = 1
  ) -> HamiltonianFlow {
    HamiltonianFlow(
      latents: latents, steps: steps, stepSize: stepSize, temperature: temperature
    ).converted(to: .float64)
  }

  /// A potential with four wells and a coupling, and its gradient.
  static func slope(_ z: Tensor) -> Tensor {
    gradient(at: z) { z in
      let wells = square(square(z) - 1).sum() * 0.25
      return wells + (sin(z) * cos(z.reversed(axis: z.rank - 1))).sum()
    }
  }

  static func number(_ value: Double) -> Tensor { Tensor([value], shape: [1]) }

  /// Of U = z^2 / 2 a leapfrog step keeps r^2 / 2 + (1 - e^2 / 4) z^2 / 2 but for rounding; with the momentum of
  /// before the half step it would not.
  @Test func invariant() {
    let flow = Self.flow(1, steps: 1000, stepSize: 0.49)
    let size = flow.stepSizes.item
    func energy(_ z: Tensor, _ r: Tensor) -> Double {
      let stiffness: Double = 1 - size * size / 4
      return (r.item * r.item + stiffness * z.item * z.item) / 2
    }
    let (z, r) = (Self.number(0.7), Self.number(-1.3))
    let end = flow(z, r) { $0 }
    #expect(abs(energy(end.place, end.momentum) - energy(z, r)) < 1e-12)
  }

  @Test func reversed() {
    let flow = Self.flow(4, steps: 20)
    let (z, r) = (spread([3, 4], 1), spread([3, 4], 2))
    let end = flow(z, r, gradient: Self.slope)
    #expect(distance(end.place, z) > 0.1)
    let back = flow(end.place, -end.momentum, gradient: Self.slope)
    #expect(distance(back.place, z) < 1e-12 && distance(-back.momentum, r) < 1e-12)
  }

  /// Steps keep volumes; with tempering they shrink by T_0^(-d / 2).
  @Test(arguments: [1.0, 1.5, 4.0]) func determinant(temperature: Double) throws {
    let flow = Self.flow(2, steps: 3, temperature: temperature)
    let start = Tensor([0.4, -0.7, 1.1, 0.2] as [Double])
    let rows = (0..<4).map { row in
      gradient(at: start) { both in
        let end = flow(both.sliced(0, 0..<2), both.sliced(0, 2..<4), gradient: Self.slope)
        return Tensor.concatenate([end.place, end.momentum], axis: 0).sliced(0, row..<row + 1).sum()
      }
    }
    let jacobian = Tensor.stack(rows)
    let logVolume = try logDeterminant(matmul(jacobian, jacobian, transpose: .right)).item / 2
    #expect(abs(logVolume + log(temperature)) < 1e-12)
  }

  /// Without a force momenta are only cooled.
  @Test func tempering() {
    let flow = Self.flow(2, steps: 5, temperature: 1.7)
    let r = Tensor([1, -2] as [Double])
    let end = flow(r.zerosLike, r) { $0.zerosLike }
    #expect(distance(end.momentum, r / sqrt(1.7)) < 1e-14)
    #expect(flow.temperature(after: 0) == 1.7 && flow.temperature(after: 5) == 1)
  }

  private func spread(_ shape: Shape, _ seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed)
    return random.normalTensor(shape, .float64)
  }
}

@Suite struct HamiltonianModelTests {
  typealias Model = HamiltonianModel<Toy.Model>

  static func model(
    steps: Int, count: Int = 1, temperature: Double = 1.5, stepSize: Double = 0.3
  ) -> Model {
    let flow = HamiltonianFlow(
      latents: 1, steps: steps, stepSize: stepSize, temperature: temperature)
    return HamiltonianModel(
      Toy.model(mean: 0.9, logVariance: -0.5, count: count), flow: flow.converted(to: .float64))
  }

  /// A linear model of two latents with steps, and x of three numbers.
  static func linear<Head: LikelihoodHead>(
    _ head: Head, steps: Int
  ) -> HamiltonianModel<Tiny.Model<Head>> {
    HamiltonianModel(
      Tiny.model(head),
      flow: HamiltonianFlow(latents: 2, steps: steps).converted(to: .float64))
  }

  /// Without steps it is the model inside, to the bit: the bound with its closed form, and the weights.
  @Test(arguments: [1, 5]) func withoutSteps(samples: Int) {
    let model = Self.linear(BernoulliHead(), steps: 0)
    func loss<Model: ReparameterizedModel>(_ model: Model) -> [LossTerms] {
      var (first, second) = (Tiny.training(), Tiny.training())
      return [
        ELBO(samples: samples)(model, Tiny.x, &first),
        IWAE { $0.samples = samples }(model, Tiny.x, &second),
      ]
    }
    let (inside, around) = (loss(model.base), loss(model))
    #expect(around.map(\.total.item) == inside.map(\.total.item))
    #expect(around[0].klMethod == .closedForm)
  }

  /// exp(log p(x, z) - log q) is an unbiased estimate of p(x), whatever the steps.
  @Test(arguments: [(1, 0.1), (3, 0.3), (6, 0.49)], [1.0, 1.5])
  func weightsAverageToTheEvidence(setting: (Int, Double), temperature: Double) {
    let model = Self.model(
      steps: setting.0, temperature: temperature, stepSize: setting.1)
    var context = Tiny.training()
    let pass = model.variationalPass(Toy.x(), samples: 100_000, density: true, &context)
    let weights = exp(pass.logWeights - Toy.logEvidence).flattened()
    let (mean, error) = meanAndError(weights)
    #expect(abs(mean - 1) < 4 * error, "\(mean) +- \(error)")
    #expect(error < 0.01)
  }

  /// The form with expectations is the difference of densities on the mean.
  @Test func divergenceWithExpectations() throws {
    let model = Self.linear(NormalHead(.fixed(1)), steps: 3)
    var context = Tiny.training()
    let q = model.posterior(Tiny.x, &context)
    let p = model.prior(.float64, &context)
    let estimate = try #require(q.sampleAndDivergence(from: p, [20_000], using: &context.random))
    let draw = q.sampleAndLogProbability([20_000], using: &context.random)
    let densities = draw.logProbability - p.evaluable.logProbability(of: draw.value)
    for example in 0..<4 {
      let first = meanAndError(estimate.divergence.selecting(example, axis: 1))
      let second = meanAndError(densities.selecting(example, axis: 1))
      let error = (first.error * first.error + second.error * second.error).squareRoot()
      #expect(abs(first.mean - second.mean) < 4 * error, "\(first), \(second)")
    }
    #expect(estimate.figures.map(\.name) == ["energy", "entropy"])
    #expect(
      distance(estimate.figures[0].value - estimate.figures[1].value, estimate.divergence) < 1e-14)
  }

  /// Derivatives pass through the decoder's gradient, by steps, encoder and decoder; a mask takes its entries out of
  /// the potential as well.
  @Test(arguments: [false, true]) func derivatives(isMasked: Bool) {
    let model = Self.linear(BernoulliHead(), steps: 2)
    let mask = Tensor([1, 0, 1, 1, 1, 1, 0, 0, 1, 1, 1, 0] as [Double], shape: [4, 3])
    func loss(_ x: Tensor, _ parameters: [Tensor]) -> Tensor {
      var copy = model
      copy.setParameters(parameters)
      var context = Tiny.training()
      if isMasked { context.fields["mask"] = mask }
      return ELBO()(copy, x, &context).total
    }
    #expect(gradientError(at: model.parameters) { loss(Tiny.x, $0) } < 1e-6)
    if isMasked {
      let other = Tensor.where(mask .> 0, Tiny.x, Tiny.x.zerosLike + 0.7)
      #expect(loss(other, model.parameters).item == loss(Tiny.x, model.parameters).item)
    }
  }

  /// A divergence without parts bears free bits as a whole.
  @Test func freeBits() {
    let model = Self.linear(BernoulliHead(), steps: 2)
    func terms(_ bits: Double) -> LossTerms {
      var context = Tiny.training()
      return ELBO(freeBits: bits)(model, Tiny.x, &context)
    }
    let plain = terms(0)
    #expect(plain.terms.map(\.name) == ["reconstruction", "kl", "energy", "entropy"])
    #expect(distance([terms(0.01).total.item], [plain.total.item]) < 1e-14)
    #expect(distance([terms(500).total.item], [plain.terms[0].value.item + 500]) < 1e-14)
  }

  /// Each example has a path of its own; a batch of one and sample axes fit.
  @Test func shapes() {
    let model = Self.linear(NormalHead(.fixed(1)), steps: 4)
    let q = model.encode(Tiny.x)
    var random = RandomStream(seed: 4)
    #expect(q.sample([3, 2], using: &random).shape == [3, 2, 4, 2])
    #expect(q.sampleAndLogProbability([5], using: &random).logProbability.shape == [5, 4])
    let codes = model.codes(of: Tiny.x)
    #expect(codes.shape == [4, 2])
    for row in 0..<4 {
      let alone = model.codes(of: Tiny.x[row..<row + 1])
      #expect(distance(alone, codes[row..<row + 1]) < 1e-13)
    }
    #expect(model.namedParameters.map(\.path).last == "flow.step")
  }
}

private let fixturePath = fixtureFolder.appending(path: "zoo-hvae4-tiny.h5").path

/// `hvae4`, small.
@Suite(
  .enabled(
    if: FileManager.default.fileExists(atPath: fixturePath),
    "no fixtures at \(fixtureFolder.path): they are not part of the package")
) struct HamiltonianFixtureTests {
  static let parameters =
    FixtureParameter.linear("enc.fc0", 64, 12, "encoder.hidden.0") + fixtureHead(12, 3)
    + FixtureParameter.linear("dec.fc0", 3, 12, "decoder.hidden.0")
    + FixtureParameter.linear("dec.out", 12, 64, "decoder.output")
    + [FixtureParameter(name: "flow.step", shape: [3], start: .shift, path: "flow.step")]

  @Test func lossesGradientsAndSteps() throws {
    let file = try HDF5File(path: fixturePath)
    let x = Tensor(try file.array("input/x"))
    let noise = Tensor(try file.array("input/eps"))
    let momentum = Tensor(try file.array("input/momentum"))
    var random = RandomStream(seed: 0)
    let base = VAE(
      encoder: FixedNoiseEncoder(
        base: MLPEncoder(
          inputShape: [64], hidden: [12], latentSize: 3, activation: .softplus, using: &random),
        noise: noise),
      decoder: MLPDecoder(
        latentSize: 3, hidden: [12], outputShape: [64], head: BernoulliHead(),
        activation: .softplus, using: &random),
      prior: .standardNormal(3))
    var model = HamiltonianModel(base, flow: HamiltonianFlow(latents: 3)).converted(to: .float64)
    var parts: [String: [Tensor]] = [:]
    for parameter in Self.parameters {
      parts[parameter.path, default: []].append(Tensor(try file.array("weight/\(parameter.name)")))
    }
    #expect(distance(model.flow.step, parts["flow.step"]![0]) < 1e-7, "0.2 at first")
    try model.load(parts.mapValues { Tensor.concatenate($0, axis: 0).array })
    let paths = model.namedParameters.map(\.path)
    func compare(_ tensors: [Tensor?], _ group: String) throws {
      let ours = Dictionary(uniqueKeysWithValues: zip(paths, tensors))
      for parameter in Self.parameters {
        let whole = try #require(ours[parameter.path] ?? nil)
        let error = fixtureError(
          parameter.rows.map { whole.sliced(0, $0) } ?? whole,
          try file.array("\(group)/\(parameter.name)"))
        #expect(error < 1e-9, "\(group)/\(parameter.name): \(error)")
      }
    }
    let losses = try file.array("loss/per_step").doubles
    var optimizer = Adam(learningRate: 1e-3)
    for step in 0..<4 {
      let result = valueAndGradient(
        at: model,
        withAuxiliary: { model -> (Tensor, [Tensor]) in
          var context = Tiny.training(step: step)
          let q = model.posterior(x, &context)
          let p = model.prior(.float64, &context)
          let place = q.start.reparameterizedSample(using: &context.random)
          guard let found = q.divergence(from: p, place: place, noise: momentum) else {
            return (.scalar(.nan, .float64), [])
          }
          let likelihood = model.checkedLikelihood(of: found.value, leading: [4], &context)
          let reconstruction = -(likelihood.logProbability(of: x).mean())
          let terms = [reconstruction] + found.figures.map { $0.value.mean() }
          return (reconstruction + found.divergence.mean(), terms + [found.value])
        })
      let terms = result.auxiliary
      let found = [result.value.item] + terms.prefix(3).map(\.item)
      #expect(distance(found, Array(losses[4 * step..<4 * step + 4])) < 1e-9, "step \(step)")
      if step == 0 {
        #expect(fixtureError(terms[3], try file.array("output/z")) < 1e-9)
        try compare(result.gradients.tensors, "grad")
      }
      if step < 3 { optimizer.update(&model, along: result.gradients) }
    }
    try compare(model.parameters, "after3")
  }
}
