// A normal through reflections: a full covariance with few numbers.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Reflections, each with its v from the encoder.
public struct HouseholderFlow: AmortizedFlow {
  /// How many elements.
  public let size: Int
  public let depth: Int

  /// So many reflections; those of an even number cancel where they are equal.
  public init(size: Int, depth: Int) { (self.size, self.depth) = (size, depth) }

  public var stepOutputs: [RawOutputs] { [RawOutputs(size)] }

  public func step(_ index: Int, _ parts: [Tensor]) -> HouseholderBijection {
    HouseholderBijection(normal: parts[0])
  }
}

/// A normal through reflections, in words.
public struct HouseholderPosterior: FlowPosteriorDescription {
  public static let name = "householder"
  public static let origin = Origin(
    "a normal, reflected for each step: correlated latents with few numbers",
    paper: "arXiv 1611.09630", equation: "-", test: "LatentModelsTests/FlowPosteriorTests.swift")

  /// How many reflections.
  public var depth = 10

  public init() {}
  public func validate() throws { try check(depth: depth) }
  public func conditionCount(latents: Int) -> Double { Double(depth) * Double(latents) }
  public func makeFlow(latents: Int, using random: inout RandomStream) -> HouseholderFlow {
    HouseholderFlow(size: latents, depth: depth)
  }
}
