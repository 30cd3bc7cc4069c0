// Posteriors on the unit sphere: a direction and how sure it is (Davidson et al. 2018; De Cao and Aziz 2020).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A distribution around a direction: the direction, whose length is taken off, then one output for the concentration.
///
/// The concentration is 1 + (m - 1) softplus(output) in m dimensions, because what it says of a draw depends on its
/// ratio to m - 1. (The first implementation has no factor: there, many dimensions start as noise.) It starts at 2.1 to
/// a dimension, where the divergence is about half a nat to a dimension, as that of the diagonal normal.
public struct AxialHead<Family: PolarFamily>: PlainPosteriorHead {
  /// A head without parameters.
  public init() {}
  public func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents), RawOutputs(1, startingAt: 2)]
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> AxialDistribution<Family> {
    require(eventRank == 1, "directions of latents with \(eventRank) axes: expected vectors")
    let size = raw.shape[-1] - 1
    let parts = raw.split(sizes: [size, 1], axis: -1)
    let concentration = softplus(parts[1].squeezed(-1)) * Double(size - 1) + 1
    return AxialDistribution(direction: parts[0], concentration: concentration)
  }
}

extension LatentSpace {
  /// Vectors of length 1.
  public static let unitSphere = LatentSpace("the unit sphere")
}

/// A distribution around a direction in words.
protocol AxialPosteriorDescription: PosteriorDescription {
  associatedtype Family: PolarFamily
}

extension AxialPosteriorDescription {
  public var space: LatentSpace { .unitSphere }
  public var standardPrior: any PriorDescription { UniformSpherePrior() }

  public func validate(latentShape: [Int]) throws {
    try requireVector(latentShape)
    if latentShape[0] < 2 {
      throw ModelDescriptionError(
        key: "posterior.name", found: "'\(Self.name)', of directions, for 1 latent",
        expected: "2 latents or more, or another posterior")
    }
  }

  public func outputCount(latents: Int) -> Double { Double(latents) + 1 }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { AxialHead<Family>() }
}

/// The von Mises-Fisher distribution in words.
public struct VonMisesFisherPosterior: AxialPosteriorDescription {
  typealias Family = VonMisesFisherFamily
  public static let name = "vmf"
  public static let origin = Origin(
    "the von Mises-Fisher distribution on the unit sphere", paper: "Davidson et al. 2018",
    equation: "3, 11", test: "LatentDistributionsTests/AxialDistributionTests.swift")

  public init() {}
}

/// The power spherical distribution in words.
public struct PowerSphericalPosterior: AxialPosteriorDescription {
  typealias Family = PowerSphericalFamily
  public static let name = "power-spherical"
  public static let origin = Origin(
    "the power spherical distribution on the unit sphere", paper: "De Cao and Aziz 2020",
    equation: "4-6", test: "LatentDistributionsTests/AxialDistributionTests.swift")

  public init() {}
}
