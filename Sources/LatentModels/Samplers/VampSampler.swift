// The aggregate posterior, as some examples stand for it (Tomczak and Welling 2018, equation 9, with examples in place of
// learned inputs): one of them by chance, then a draw of its posterior.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The mixture, with equal weights, of posteriors of training examples.
public struct VampSampler: LatentSampler {
  /// `[components, latent...]`, as `logVariance`.
  public var mean: Tensor
  /// Nats.
  public var logVariance: Tensor

  /// N(0, I) for each component, over latents of this shape.
  public init(_ latentShape: Shape, components: Int) {
    mean = .zeros([components] + latentShape)
    logVariance = .zeros([components] + latentShape)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&mean, "mean")
    visitor.visitBuffer(&logVariance, "logVariance")
  }

  /// The mixture itself.
  public var distribution: Mixture<DiagonalNormal> {
    Mixture(
      logWeights: .zeros([mean.shape[0]], mean.dtype),
      components: DiagonalNormal(
        mean: mean, logVariance: logVariance, eventRank: mean.rank - 1))
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    distribution.sample([count], using: &random)
  }
}

/// Posteriors of training examples, in words.
public struct VampSamplerDescription: SamplerDescription {
  public static let name = "vamp"
  public static let origin = Origin(
    "the posteriors of some training examples", paper: "Tomczak and Welling 2018",
    equation: "9", test: "LatentModelsTests/Samplers/SamplerTests.swift")

  /// The examples, at equal distances among all; all where there are fewer.
  public var components = 500

  public init() {}

  public func validate() throws { try check(size: components, "components", most: 1_000_000) }

  public func validate(for model: some LatentVariableModel) throws {
    func posterior<Model: LatentVariableModel>(of model: Model) -> any Distribution.Type {
      Model.Posterior.self
    }
    let found = posterior(of: model)
    if found != DiagonalNormal.self {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(found)", expected: "a diagonal normal as posterior")
    }
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler {
    VampSampler(Shape(facts.latentShape), components: min(components, facts.examples))
  }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) throws -> any LatentSampler {
    let normals = try data.posteriors.map { posterior in
      guard let normal = posterior as? DiagonalNormal else {
        throw ModelRequirementError(
          purpose: Self.purpose, found: "\(type(of: posterior))",
          expected: "a diagonal normal as posterior")
      }
      return normal
    }
    let facts = data.facts
    var sampler = VampSampler(
      Shape(facts.latentShape), components: min(components, facts.examples))
    let count = sampler.mean.shape[0]
    let chosen = Tensor((0..<count).map { Int32($0 * facts.examples / count) })
    func rows(_ parameter: (DiagonalNormal) -> Tensor) -> Tensor {
      Tensor.concatenate(normals.map(parameter), axis: 0).gathering(chosen, axis: 0).detached
    }
    sampler.mean = rows(\.mean)
    sampler.logVariance = rows { $0.logVariance.broadcast(to: $0.batchShape + $0.eventShape) }
    return sampler
  }
}
