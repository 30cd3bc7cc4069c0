// Models whose latents are directions, points of a ball, or far out: built from words, trained, walked through.

import Foundation
import Latent
import Testing

@Suite struct ManifoldModelTests {
  static func description(_ posterior: any PosteriorDescription) -> ModelDescription {
    ModelDescription(
      MLPNetwork(hidden: [16], latentSize: 3), inputShape: [6], posterior: posterior,
      likelihood: .unitNormal)
  }

  static let posteriors: [any PosteriorDescription] = [
    VonMisesFisherPosterior(), PowerSphericalPosterior(), WrappedNormalPosterior(),
    RiemannianNormalPosterior(), StudentPosterior(),
  ]

  static func curved(_ curvature: Double, _ coordinates: BallCoordinates) -> WrappedNormalPosterior
  {
    var posterior = WrappedNormalPosterior()
    posterior.curvature = curvature
    posterior.coordinates = coordinates
    return posterior
  }

  /// The squared length of every latent.
  static func squares(_ z: Tensor) -> [Double] { square(z).sum(axes: [-1]).doubles }

  /// Codes, draws, latents of the prior and paths all lie where they should.
  @Test(arguments: 0..<6) func latentsLieInTheirSpace(_ index: Int) throws {
    let posterior = index < 5 ? Self.posteriors[index] : Self.curved(2, .tangent)
    var random = RandomStream(seed: 4)
    let model = try Self.description(posterior).makeModel(using: &random)
    func check(_ model: some LatentVariableModel) {
      let x = random.normalTensor([5, 6]) * 30
      let q = model.encode(x)
      let codes = model.codes(of: x)
      let all = [codes, q.sample(using: &random), model.samplePrior(5, using: &random)]
      for z in all {
        #expect(z.shape == [5, 3])
        let space = posterior.space
        #expect(
          Self.squares(z).allSatisfy {
            if space == .unitSphere { return abs($0 - 1) < 1e-5 }
            if space == .ball(curvature: 1) { return $0 < 1 }
            return $0.isFinite && (space == .vectors || $0 < 0.5)
          }, "\(posterior)")
      }
      let strip = model.interpolate(from: codes.selecting(0), to: codes.selecting(1), steps: 4)
      #expect(strip.shape == [4, 6] && strip.array.nonFiniteCount == 0, "\(posterior)")
      expectSame(
        strip.selecting(3), model.decode(codes).pointEstimate?.selecting(1), "\(posterior)")
      let bound = model.logLikelihood(of: x, importanceSamples: 20, using: &random)
      #expect(bound.array.nonFiniteCount == 0, "\(posterior)")
    }
    check(model)
  }

  private func expectSame(_ found: Tensor, _ expected: Tensor?, _ name: String) {
    for (one, other) in zip(found.doubles, expected?.doubles ?? []) {
      let tolerance: Double = 1e-3 * (1 + abs(other))
      #expect(abs(one - other) < tolerance, "\(name)")
    }
  }

  /// Great circles between directions stay on the sphere.
  @Test func pathsOnTheSphere() {
    let (a, b) = (Tensor([1, 0, 0]), Tensor([-0.6, 0.64, 0.48]))
    let path = interpolated(from: a, to: b, steps: 9, .spherical)
    #expect(Self.squares(path).allSatisfy { abs($0 - 1) < 1e-6 })
  }

  /// A few steps on data with one factor make the bound better, whatever the posterior is.
  @Test(arguments: 0..<6) func learns(_ index: Int) throws {
    let posterior = index < 5 ? Self.posteriors[index] : Self.curved(0.5, .tangent)
    var random = RandomStream(seed: 6)
    let factor = random.normalTensor([128, 1])
    let x = tanh(factor * Tensor([1, -2, 0.5, 1, 0.1, -1])) * 2
    func train<Model: ReparameterizedModel>(_ model: Model) throws {
      var model = model
      var optimizer = Adam(learningRate: 0.01)
      let objective = ELBO<Model>()
      var losses: [Double] = []
      for step in 0..<150 {
        var context = LayerContext(isTraining: true, random: random.split(UInt64(step)))
        let result = valueAndGradient(at: model) { objective($0, x, &context).total }
        losses.append(result.value.item)
        optimizer.update(&model, along: result.gradients)
      }
      let first: Double = losses.prefix(10).reduce(0, +) / 10
      let last: Double = losses.suffix(10).reduce(0, +) / 10
      #expect(last.isFinite && last < first - 1, "\(posterior): \(first) to \(last)")
    }
    try train(Self.description(posterior).makeModel(using: &random).reparameterized(for: "a test"))
  }

  /// The divergence is exact on the sphere, and estimated elsewhere.
  @Test(arguments: 0..<5) func divergences(_ index: Int) throws {
    var random = RandomStream(seed: 4)
    let model = try Self.description(Self.posteriors[index]).makeModel(using: &random)
    func method<Model: ReparameterizedModel>(_ model: Model) -> KLDivergence.Method? {
      var context = LayerContext(isTraining: true, random: random)
      return ELBO<Model>()(model, random.normalTensor([4, 6]), &context).klMethod
    }
    #expect(
      method(try model.reparameterized(for: "a test"))
        == (index < 2 ? .closedForm : .monteCarlo(samples: 1)))
  }

  /// A decoder of tangent coordinates sees distances: the logarithm of what lies in the ball.
  @Test func coordinates() throws {
    var (first, second) = (RandomStream(seed: 4), RandomStream(seed: 4))
    let plain = try Self.description(Self.curved(2, .ball)).makeModel(using: &first)
    let charted = try Self.description(Self.curved(2, .tangent)).makeModel(using: &second)
    #expect(plain.parameterCount == charted.parameterCount)
    #expect(plain.namedParameters.map(\.path) == charted.namedParameters.map(\.path))
    let z = Tensor([0.1, -0.3, 0.2], shape: [1, 3])
    let v = PoincareBall(curvature: 2).logarithm(at: z.zerosLike, of: z)
    func decoded(_ model: some LatentVariableModel, _ z: Tensor) -> [Float] {
      model.decode(z).pointEstimate?.floats ?? []
    }
    #expect(decoded(charted, z) == decoded(plain, v) && !decoded(plain, v).isEmpty)
  }

  /// Both ends on the same space, of the same curvature; sizes that have no direction.
  @Test func whatDoesNotFitIsRefused() throws {
    var description = Self.description(Self.curved(2, .ball))
    try description.validate()
    description.prior = PriorSettings(WrappedNormalPrior())
    #expect(throws: ModelDescriptionError.self) { try description.validate() }
    var other = WrappedNormalPrior()
    other.curvature = 2
    other.learnsScale = true
    description.prior = PriorSettings(other)
    try description.validate()
    var random = RandomStream(seed: 1)
    let model = try description.makeModel(using: &random)
    #expect(Double(model.parameterCount) == description.parameterCount)
    #expect(model.namedParameters.contains { $0.path == "prior.logVariance" })

    description = Self.description(VonMisesFisherPosterior())
    description.prior = PriorSettings(StandardPrior())
    #expect(throws: ModelDescriptionError.self) { try description.validate() }
    for posterior in [VonMisesFisherPosterior(), PowerSphericalPosterior()]
      as [any PosteriorDescription]
    {
      #expect(throws: ModelDescriptionError.self) { try posterior.validate(latentShape: [1]) }
    }
    for posterior in Self.posteriors {
      #expect(throws: ModelDescriptionError.self) {
        try posterior.validate(latentShape: [2, 2, 3])
      }
    }
    #expect(throws: SettingError.self) { try Self.curved(0, .ball).validate() }
    #expect(throws: SettingError.self) { try Self.curved(.nan, .ball).validate() }
    var student = StudentPosterior()
    student.degreesOfFreedom = 0
    #expect(throws: SettingError.self) { try student.validate() }
  }
}
