// A normal through radial flows.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Radial steps, each with z0, a and b from the encoder. They start around the identity.
public struct RadialFlow: AmortizedFlow {
  /// How many elements.
  public let size: Int
  public let depth: Int

  /// So many steps.
  public init(size: Int, depth: Int) { (self.size, self.depth) = (size, depth) }

  public var stepOutputs: [RawOutputs] {
    [
      RawOutputs(size), RawOutputs(1, startingAt: 0),
      RawOutputs(1, startingAt: RadialBijection.identityStrength),
    ]
  }

  public func step(_ index: Int, _ parts: [Tensor]) -> RadialBijection {
    RadialBijection(
      center: parts[0], logWidth: parts[1].squeezed(-1), strength: parts[2].squeezed(-1))
  }
}

/// A normal through radial flows, in words.
public struct RadialPosterior: FlowPosteriorDescription {
  public static let name = "radial"
  public static let origin = Origin(
    "a normal, drawn to a point or pushed away for each step", paper: "arXiv 1505.05770",
    equation: "14", test: "LatentModelsTests/FlowPosteriorTests.swift")

  /// How many steps.
  public var depth = 10

  public init() {}
  public func validate() throws { try check(depth: depth) }
  public func conditionCount(latents: Int) -> Double { Double(depth) * (Double(latents) + 2) }
  public func makeFlow(latents: Int, using random: inout RandomStream) -> RadialFlow {
    RadialFlow(size: latents, depth: depth)
  }
}
