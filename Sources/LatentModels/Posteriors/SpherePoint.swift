// A point on a sphere as posterior: codes have a length that says nothing, and the decoder of a ready network generates
// from the uniform distribution on the same sphere.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A point on the sphere of radius sqrt(L), L being the numbers of a latent: the raw outputs, put there.
public struct SpherePointHead: PlainPosteriorHead {
  /// A head without parameters.
  public init() {}
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    Delta(raw.onSphere(eventRank: eventRank), eventRank: eventRank)
  }
}

/// A point on a sphere, in words.
public struct SpherePointPosterior: PosteriorDescription {
  public static let name = "sphere-point"
  public static let origin = Origin(
    "a point on a sphere, which is also what is generated from",
    paper: "arXiv 2602.15030", equation: "f",
    test: "LatentModelsTests/SphericalAutoencoderTests.swift")

  public init() {}
  public var space: LatentSpace { .wideSphere }
  public var standardPrior: any PriorDescription { SpherePointPrior() }
  public func outputCount(latents: Int) -> Double { Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { SpherePointHead() }
}
