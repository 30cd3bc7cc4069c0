// Codes of many numbers lie near a sphere, whatever a prior says of their middle (Davidson et al. 2018): all directions,
// and one length.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Uniform directions at the root mean square length of codes.
public struct HypersphereSampler: LatentSampler {
  /// The shape of one latent.
  public let latentShape: Shape
  /// The root mean square of codes' numbers: the length is this times the root of their number.
  public var scale: Tensor

  /// On the sphere where this is the root mean square of a latent's numbers.
  public init(_ latentShape: Shape, scale: Double = 1) {
    self.latentShape = latentShape
    self.scale = .scalar(scale)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&scale, "scale")
  }

  public func latents(
    _ count: Int, of model: some LatentVariableModel, fields: [String: Tensor],
    using random: inout RandomStream
  ) -> Tensor {
    let radius = Double(latentShape.count).squareRoot()
    return UniformSphere(eventShape: latentShape, radius: radius).sample([count], using: &random)
      * scale
  }
}

/// A sphere, in words.
public struct HypersphereDescription: SamplerDescription {
  public static let name = "hypersphere"
  public static let origin = Origin(
    "any direction, at the length that codes have", paper: "Davidson et al. 2018",
    equation: "section 3", test: "LatentModelsTests/Samplers/SamplerTests.swift")

  public init() {}

  public static func draws(on space: LatentSpace) -> Bool {
    [.vectors, .wideSphere, .unitSphere].contains(space)
  }

  public func makeSampler(
    _ facts: SamplerFacts, using random: inout RandomStream
  ) -> any LatentSampler { HypersphereSampler(Shape(facts.latentShape)) }

  public func fit(
    _ data: EncodedData, using random: inout RandomStream, progress: (String) -> Void
  ) -> any LatentSampler {
    let squares = square(data.codes(using: &random).converted(to: .float64))
    return HypersphereSampler(
      Shape(data.facts.latentShape), scale: squares.mean().item.squareRoot())
  }
}
