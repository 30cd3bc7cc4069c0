// Codes as a few correlated normals, fitted after training by expectation and maximisation (Dempster, Laird and Rubin
// 1977): Ghosh et al. 2020 generate like this from autoencoders that have no prior.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A mixture of normals with full covariances.
public struct GaussianMixtureSampler: LatentSampler {
  /// The shape of one latent.
  public let latentShape: Shape
  /// log w, `[components]`.
  public var logWeights: Tensor
  /// `[components, latents]`.
  public var mean: Tensor
  /// Cholesky factors of the covariances, `[components, latents, latents]`.
  public var scaleTriangle: Tensor

  /// N(0, I) for each component, over latents of this shape.
  public init(_ latentShape: Shape, components: Int) {
    let size = latentShape.count
    self.latentShape = latentShape
    logWeights = .zeros([components])
    mean = .zeros([components, size])
    scaleTriangle = Tensor.identity(size).broadcast(to: [components, size, size])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&logWeights, "logWeights")
    visitor.visitBuffer(&mean, "mean")
    visitor.visitBuffer(&scaleTriangle, "scaleTriangle")
  }

  /// The mixture itself, over the numbers of a latent as one axis.
  public var distribution: Mixture<FullCovarianceNormal> {
    Mixture(
      logWeights: logWeights,
      components: FullCovarianceNormal(mean: mean, scaleTriangle: scaleTriangle))
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    distribution.sample([count], using: &random).reshaped([count] + latentShape)
  }
}

/// A mixture of correlated normals, in words. It is fitted on one draw of each training example's posterior; defaults
/// are those of scikit-learn but for `iterations`.
public struct GaussianMixtureDescription: SamplerDescription {
  public static let name = "gmm"
  public static let origin = Origin(
    "correlated normals, fitted to codes by EM from k-means", paper: "Ghosh et al. 2020",
    equation: "section 4.2", test: "LatentModelsTests/Samplers/GaussianMixtureTests.swift")

  /// The normals; as many as there are examples where these are fewer.
  public var components = 10
  /// The most rounds of expectation and maximisation.
  public var iterations = 2000
  /// It ends where the mean log-likelihood of a code changes by less than this, in nats.
  public var tolerance = 1e-3
  /// Added to every variance.
  public var regularization = 1e-6

  /// The most numbers of a latent: the work of a round grows with their square.
  public static let largestLatent = 1024

  public init() {}

  public func validate() throws {
    try check(size: components, "components", most: 10_000)
    try check(size: iterations, "iterations")
    try check(
      tolerance >= 0 && tolerance.isFinite, "tolerance", tolerance, "0 or a positive number")
    try check(
      regularization > 0 && regularization.isFinite, "regularization", regularization,
      "a positive number")
  }

  public func validate(for model: some LatentVariableModel) throws {
    try check(latents: model.latentShape.count, most: Self.largestLatent)
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    GaussianMixtureSampler(
      Shape(facts.latentShape), components: min(components, facts.examples))
  }

  /// Expectation-maximisation on the codes, from k-means++ centres, until the log-likelihood rises by less than the
  /// tolerance.
  /// - Throws: `NumericsError.notPositiveDefinite` where codes are so large that `regularization` is lost in rounding.
  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler {
    let codes = data.codes(using: &random)
    let fit = try GaussianMixtureFit(self, of: codes, using: &random)
    let rounds = fit.logLikelihoods
    progress("\(rounds.count) rounds: log-likelihood \(rounds.last ?? 0) nats for each code")
    var sampler = GaussianMixtureSampler(
      Shape(data.facts.latentShape), components: fit.means.shape[0])
    sampler.logWeights = log(fit.weights).converted(to: codes.dtype)
    sampler.mean = fit.means.converted(to: codes.dtype)
    sampler.scaleTriangle = try cholesky(fit.covariances).converted(to: codes.dtype)
    return sampler
  }
}
