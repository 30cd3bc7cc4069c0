// Posteriors that are normals seen through a flow: what they have in common. Each flow is a file of its own.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A diagonal normal through a flow: means and log-variances first, then the conditions of the flow.
///
/// The normal starts as that of ``DiagonalHead``. Latents with places, `[height, width, channels]`, go through the
/// flow at each place.
public struct FlowHead<Map: Flow>: PosteriorHead {
  /// The flow.
  public var flow: Map

  /// A normal through this flow.
  public init(_ flow: Map) { self.flow = flow }

  public func outputs(latents: Int) -> [RawOutputs] {
    DiagonalHead().outputs(latents: latents) + flow.conditions
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&flow, "flow")
  }

  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> TransformedDistribution<DiagonalNormal, Map.Map> {
    let (all, conditions) = (raw.shape[-1], flow.conditionCount)
    let base = DiagonalHead()(
      raw.sliced(-1, 0..<all - conditions), eventRank: eventRank, &context)
    let own = conditions > 0 ? raw.sliced(-1, all - conditions..<all) : nil
    return TransformedDistribution(base, flow(own))
  }
}

/// A posterior that is a diagonal normal through a flow, in words.
public protocol FlowPosteriorDescription: PosteriorDescription {
  /// The flow.
  associatedtype Map: Flow
  /// The flow of vectors of so many latents, with first weights from `random`. Called with valid settings only.
  func makeFlow(latents: Int, using random: inout RandomStream) -> Map
  /// How many conditions it takes of an encoder, in double.
  func conditionCount(latents: Int) -> Double
}

extension FlowPosteriorDescription {
  public func outputCount(latents: Int) -> Double {
    2 * Double(latents) + conditionCount(latents: latents)
  }

  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead {
    FlowHead(makeFlow(latents: latentShape[-1], using: &random))
  }

  // MARK: What descriptions share

  /// A number of steps.
  func check(depth: Int) throws {
    let limit = ModelDescription.maximumDepth
    try check((1...limit).contains(depth), "depth", depth, "1 to \(limit)")
  }

  /// Widths of networks and the size of a context, which may be 0.
  func check(hidden: [Int], context: Int) throws {
    try check(hidden.count <= ModelDescription.maximumDepth, "hidden", hidden, "fewer widths")
    for width in hidden { try check(size: width, "hidden") }
    let limit = ModelDescription.maximumParameters
    try check((0...limit).contains(context), "context", context, "0 to \(limit)")
  }

  /// - Throws: `ModelDescriptionError` where a latent, or a place of it, has only one number.
  func requireTwoLatents(_ latentShape: [Int]) throws {
    if latentShape.last ?? 0 < 2 {
      throw ModelDescriptionError(
        key: "posterior.name", found: "'\(Self.name)' for latents \(latentShape)",
        expected: "two numbers or more, of which one half changes the other")
    }
  }
}
