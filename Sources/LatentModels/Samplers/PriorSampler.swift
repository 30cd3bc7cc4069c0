// The plain way: latents are drawn from the model's prior.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Draws of the model's prior.
public struct PriorSampler: LatentSampler {
  /// What the standard deviations of each level are multiplied by, from the data up; nil for the prior as it is.
  public let temperatures: [Double]?

  /// Nothing to learn. The model must have a `prior(temperatures:fields:)` where they are given.
  public init(temperatures: [Double]? = nil) { self.temperatures = temperatures }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    guard let temperatures else {
      return model.samplePrior(count, fields: fields, using: &random)
    }
    do {
      return try model.samplePrior(count, temperatures: temperatures, using: &random)
    } catch {
      fatalError("a sampler of another model's prior: \(error)")
    }
  }
}

/// The model's prior, in words.
public struct PriorSamplerDescription: SamplerDescription {
  public static let name = "prior"
  public static let origin = Origin(
    "the model's own prior", paper: "Kingma and Welling 2014", equation: "1",
    test: "LatentModelsTests/Samplers/SamplerTests.swift")
  public static let isFitted = false
  public static func draws(on space: LatentSpace) -> Bool { true }

  public init() {}

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler { PriorSampler() }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler { PriorSampler() }
}
