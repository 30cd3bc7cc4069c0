// Codes on the Poincare ball as a mixture of wrapped normals (Nagano et al. 2019), fitted after training by maximum
// likelihood with respect to the volume of the ball.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A mixture of wrapped normals.
public struct PoincareSampler: LatentSampler {
  /// Unnormalised log-weights, `[components]`.
  public var logits: Tensor
  /// The vectors that lead from 0 to the locations, as long as their distances, `[components, latents]`.
  public var places: Tensor
  /// Of distances from a location, nats, `[components, latents]`.
  public var logVariance: Tensor
  /// The ball's curvature is minus this, `[]`.
  public var curvature: Tensor

  /// Wrapped normals at 0 of a ball of curvature -1.
  public init(latents: Int, components: Int) {
    logits = .zeros([components])
    places = .zeros([components, latents])
    logVariance = .zeros([components, latents])
    curvature = .ones([])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logits, "logits")
    visitor.visit(&places, "places")
    visitor.visit(&logVariance, "logVariance")
    visitor.visitBuffer(&curvature, "curvature")
  }

  /// Where latents lie.
  public var ball: PoincareBall { PoincareBall(curvature: curvature.item) }

  /// The mixture itself.
  public var distribution: Mixture<WrappedNormal> {
    let ball = ball
    return Mixture(
      logWeights: logits,
      components: WrappedNormal(
        location: ball.exponential(at: places.zerosLike, of: places), logVariance: logVariance,
        ball: ball))
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor { distribution.sample([count], using: &random) }
}

/// A mixture of wrapped normals, in words.
public struct PoincareSamplerDescription: SamplerDescription {
  public static let name = "poincare"
  public static let origin = Origin(
    "wrapped normals on the Poincare ball", paper: "Nagano et al. 2019", equation: "section 3",
    test: "LatentModelsTests/Samplers/PoincareSamplerTests.swift")

  /// The wrapped normals; as many as there are examples where these are fewer.
  public var components = 10
  /// Updates, each of a batch of codes.
  public var steps = 1000
  /// Codes of an update.
  public var batchSize = 256
  /// Of Adam, at the beginning.
  public var learningRate = 1e-2

  public init() {}

  public static func draws(on space: LatentSpace) -> Bool { space.isBall }

  public func validate() throws {
    try check(size: components, "components", most: 10_000)
    try checkTraining([], steps: steps, batchSize: batchSize, learningRate: learningRate)
  }

  public func validate(for model: some LatentVariableModel) throws {
    func posterior<Model: LatentVariableModel>(of model: Model) -> any Distribution.Type {
      Model.Posterior.self
    }
    let found = posterior(of: model)
    if found != WrappedNormal.self && found != RiemannianNormal.self {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(found)", expected: "a posterior on the Poincare ball")
    }
    try check(latents: model.latentShape.count, most: GaussianMixtureDescription.largestLatent)
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    PoincareSampler(latents: facts.latents, components: min(components, facts.examples))
  }

  private func ball(of posterior: (any Distribution)?) -> PoincareBall? {
    (posterior as? WrappedNormal)?.ball ?? (posterior as? RiemannianNormal)?.ball
  }

  /// From a mixture of normals of the vectors that lead from 0 to the codes, gradients of the likelihood go on.
  /// - Throws: `ModelRequirementError` where posteriors are on no ball, `NumericsError.notPositiveDefinite`.
  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler {
    guard let ball = ball(of: data.posteriors.first) else {
      throw ModelRequirementError(
        purpose: Self.purpose,
        found: data.posteriors.first.map { "\(type(of: $0))" } ?? "no examples",
        expected: "a posterior on the Poincare ball")
    }
    let facts = data.facts
    var sampler = PoincareSampler(
      latents: facts.latents, components: min(components, facts.examples))
    let codes = data.codes(using: &random)
    sampler.curvature = .scalar(ball.curvature, codes.dtype)
    var start = GaussianMixtureDescription()
    start.components = components
    let first = try GaussianMixtureFit(
      start, of: ball.logarithm(at: codes.zerosLike, of: codes), using: &random)
    sampler.logits = log(first.weights).converted(to: codes.dtype)
    sampler.places = first.means.converted(to: codes.dtype)
    sampler.logVariance = log(first.covariances.diagonal).converted(to: codes.dtype)
    let training = CodeTraining(steps: steps, batchSize: batchSize, learningRate: learningRate)
    return training.train(
      sampler, on: data, scale: CodeScale(facts.latents), using: &random, progress: progress
    ) { sampler, codes, _, _ in -sampler.distribution.logProbability(of: codes).mean() }
  }
}
