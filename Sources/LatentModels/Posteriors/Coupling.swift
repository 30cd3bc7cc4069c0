// Normals through coupling flows, affine ones and ones of splines.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A posterior of coupling steps with a context from the encoder, in words.
public protocol CouplingPosteriorDescription: FlowPosteriorDescription {
  /// How elements are changed.
  associatedtype Elements: ElementMaps
  /// How elements are changed.
  var elements: Elements { get }
  /// How many steps; they change the two halves of the latents in turn.
  var depth: Int { get }
  /// Widths of each step's network.
  var hidden: [Int] { get }
  /// Numbers that the encoder gives to the networks of all steps; 0 for none.
  var context: Int { get }
}

extension CouplingPosteriorDescription {
  public func validate(latentShape: [Int]) throws { try requireTwoLatents(latentShape) }
  public func conditionCount(latents: Int) -> Double { Double(context) }
  public func parameterCount(latents: Int) -> Double {
    CouplingFlow.parameterCount(
      size: latents, depth: depth, hidden: hidden, context: context, elements: elements)
  }
  /// The flow over so many latents with first weights from `random`: the identity at its start.
  public func makeFlow(
    latents: Int, using random: inout RandomStream
  ) -> CouplingFlow<Elements> {
    CouplingFlow(
      size: latents, depth: depth, hidden: hidden, context: context, elements: elements,
      using: &random)
  }
}

/// A normal through affine coupling steps, in words.
public struct CouplingPosterior: CouplingPosteriorDescription {
  public static let name = "coupling"
  public static let origin = Origin(
    "a normal, one half scaled and shifted by what the other half says",
    paper: "arXiv 1605.08803", equation: "4-8",
    test: "LatentModelsTests/FlowPosteriorTests.swift")

  public var depth = 4
  public var hidden = [128]
  public var context = 64

  public init() {}
  public var elements: AffineElements { AffineElements() }
  public func validate() throws {
    try check(depth: depth)
    try check(hidden: hidden, context: context)
  }
}

/// A normal through coupling steps of splines, in words.
public struct SplinePosterior: CouplingPosteriorDescription {
  public static let name = "spline"
  public static let origin = Origin(
    "a normal, one half bent by splines that the other half says", paper: "arXiv 1906.04032",
    equation: "4-8", test: "LatentModelsTests/FlowPosteriorTests.swift")

  public var depth = 4
  public var hidden = [128]
  public var context = 64
  /// Pieces of each spline.
  public var bins = 8
  /// Latents beyond this stay as they are.
  public var bound = 3.0

  public init() {}
  public var elements: SplineElements { SplineElements(bins: bins, bound: bound) }
  public func validate() throws {
    try check(depth: depth)
    try check(hidden: hidden, context: context)
    let possible = SplineElements.possibleBins
    try check(
      possible.contains(bins), "bins", bins, "\(possible.lowerBound) to \(possible.upperBound)")
    try check(bound > 0 && bound.isFinite, "bound", bound, "a positive number")
  }
}
