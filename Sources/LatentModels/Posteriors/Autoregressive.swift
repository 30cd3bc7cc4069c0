// Normals through autoregressive flows: the inverse one, which draws all latents at once, and the masked one, which
// knows the density of any value.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A posterior of autoregressive steps with a context from the encoder, in words.
public protocol AutoregressivePosteriorDescription: FlowPosteriorDescription {
  /// How many steps; the order of latents is reversed between them.
  var depth: Int { get }
  /// Widths of each step's network.
  var hidden: [Int] { get }
  /// Numbers that the encoder gives to the networks of all steps; 0 for none.
  var context: Int { get }
}

extension AutoregressivePosteriorDescription {
  public func conditionCount(latents: Int) -> Double { Double(context) }
  public func parameterCount(latents: Int) -> Double {
    AutoregressiveFlow.parameterCount(
      size: latents, depth: depth, hidden: hidden, context: context)
  }
}

/// A normal through an inverse autoregressive flow, in words.
public struct InverseAutoregressivePosterior: AutoregressivePosteriorDescription {
  public static let name = "iaf"
  public static let origin = Origin(
    "a normal through an inverse autoregressive flow: draws at once", paper: "arXiv 1606.04934",
    equation: "10-14", test: "LatentModelsTests/FlowFixtureTests.swift")

  public var depth = 2
  public var hidden = [128]
  public var context = 64
  /// How much a latent stays what it was at first: its share is sigmoid of this.
  public var forgetBias = 2.0

  public init() {}

  public func validate() throws {
    try check(depth: depth)
    try check(hidden: hidden, context: context)
    try check(forgetBias.isFinite, "forgetBias", forgetBias, "a number")
  }

  public func makeFlow(latents: Int, using random: inout RandomStream) -> AutoregressiveFlow {
    AutoregressiveFlow(
      size: latents, depth: depth, hidden: hidden, context: context,
      scaling: .gated(bias: forgetBias), using: &random)
  }
}

/// A normal through a masked autoregressive flow, in words.
public struct MaskedAutoregressivePosterior: AutoregressivePosteriorDescription {
  public static let name = "maf"
  public static let origin = Origin(
    "a normal through a masked autoregressive flow: draws take a pass for each latent",
    paper: "arXiv 1705.07057", equation: "3-5", test: "LatentModelsTests/FlowPosteriorTests.swift"
  )

  public var depth = 2
  public var hidden = [128]
  public var context = 64

  public init() {}

  public func validate() throws {
    try check(depth: depth)
    try check(hidden: hidden, context: context)
  }

  public func makeFlow(
    latents: Int, using random: inout RandomStream
  ) -> InvertedFlow<AutoregressiveFlow> {
    InvertedFlow(
      AutoregressiveFlow(
        size: latents, depth: depth, hidden: hidden, context: context, scaling: .standardizing,
        using: &random))
  }
}
