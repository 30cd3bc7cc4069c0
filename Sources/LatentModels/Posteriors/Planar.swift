// A normal through planar flows.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Planar steps, each with w, u and b from the encoder. They start around the identity.
public struct PlanarFlow: AmortizedFlow {
  /// How many elements.
  public let size: Int
  public let depth: Int

  /// So many steps.
  public init(size: Int, depth: Int) { (self.size, self.depth) = (size, depth) }

  public var stepOutputs: [RawOutputs] {
    // A direction of length 1 whose product with the displacement is that of the identity.
    let even = 1 / Double(size).squareRoot()
    return [
      RawOutputs(size, startingAt: even),
      RawOutputs(size, startingAt: even * PlanarBijection.identityProduct),
      RawOutputs(1, startingAt: 0),
    ]
  }

  public func step(_ index: Int, _ parts: [Tensor]) -> PlanarBijection {
    PlanarBijection(
      displacement: parts[1], direction: parts[0], offset: parts[2].squeezed(-1))
  }
}

/// A normal through planar flows, in words.
public struct PlanarPosterior: FlowPosteriorDescription {
  public static let name = "planar"
  public static let origin = Origin(
    "a normal, moved along a direction for each step", paper: "arXiv 1505.05770",
    equation: "10-12", test: "LatentModelsTests/FlowPosteriorTests.swift")

  /// How many steps.
  public var depth = 10

  public init() {}
  public func validate() throws { try check(depth: depth) }
  public func conditionCount(latents: Int) -> Double {
    Double(depth) * (2 * Double(latents) + 1)
  }
  public func makeFlow(latents: Int, using random: inout RandomStream) -> PlanarFlow {
    PlanarFlow(size: latents, depth: depth)
  }
}
