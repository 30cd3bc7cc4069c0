// Priors that are standard normals seen through a flow: what the aggregate of all posteriors looks like can be learned
// (Chen et al. 2017, section 3.2). In training latents come from the posterior and go back through the flow, so that the
// flow must be fast in that direction.
//
//   z = f(u),   log p(z) = log N(f^-1(z); 0, 1) + log |det df^-1/dz|

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The standard normal through a flow without conditions.
public struct FlowPrior<Map: Flow>: Prior where Map.Map: InvertibleBijection {
  /// The shape of one latent.
  public let eventShape: Shape
  /// Of vectors of as many elements, from the normal to latents.
  public var flow: Map

  /// N(0, I) over latents of this shape through a flow, which sees them as vectors. Traps where the flow wants
  /// conditions.
  public init(
    _ flow: Map, eventShape: Shape, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      flow.conditionCount == 0,
      "FlowPrior: a flow that wants \(flow.conditionCount) conditions, which a prior has not",
      file: file, line: line)
    (self.flow, self.eventShape) = (flow, eventShape)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&flow, "flow")
  }

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    TransformedDistribution(
      StandardNormal(eventShape: eventShape, dtype: dtype),
      FlattenedBijection(flow(nil), eventShape: eventShape))
  }
}

/// A flow prior, in words.
public struct FlowPriorDescription: PriorDescription {
  /// The flows whose density of given latents is computed at once.
  public enum Kind: String, SettingWord {
    /// Affine coupling steps.
    case coupling
    /// Coupling steps of splines, the identity beyond 3.
    case spline
    /// Masked autoregressive steps: generating takes a pass for each latent.
    case maf
  }

  public static let name = "flow"
  public static let origin = Origin(
    "a standard normal through a learned flow", paper: "arXiv 1611.02731", equation: "section 3.2",
    test: "LatentModelsTests/FlowPriorTests.swift")

  /// Which flow.
  public var bijection = Kind.coupling
  /// How many steps.
  public var depth = 4
  /// Widths of each step's network.
  public var hidden = [128]

  public init() {}
  public var factorizes: Bool { false }

  public func validate() throws {
    let limit = ModelDescription.maximumDepth
    try check((1...limit).contains(depth), "depth", depth, "1 to \(limit)")
    try check(hidden.count <= limit, "hidden", hidden, "fewer widths")
    for width in hidden { try check(size: width, "hidden") }
  }

  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws {
    if bijection != .maf && Shape(latentShape).count < 2 {
      throw ModelDescriptionError(
        key: "prior.bijection", found: "'\(bijection.rawValue)' for latents \(latentShape)",
        expected: "'maf', or two latents or more, of which one half changes the other")
    }
  }

  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    let size = Shape(latentShape).count
    switch bijection {
    case .coupling:
      return CouplingFlow.parameterCount(
        size: size, depth: depth, hidden: hidden, context: 0, elements: AffineElements())
    case .spline:
      return CouplingFlow.parameterCount(
        size: size, depth: depth, hidden: hidden, context: 0, elements: SplineElements())
    case .maf:
      return AutoregressiveFlow.parameterCount(
        size: size, depth: depth, hidden: hidden, context: 0)
    }
  }

  /// It starts as the standard normal: the networks' outputs start at 0.
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    let size = latentShape.count
    switch bijection {
    case .coupling:
      let flow = CouplingFlow(
        size: size, depth: depth, hidden: hidden, elements: AffineElements(), using: &random)
      return FlowPrior(flow, eventShape: latentShape)
    case .spline:
      let flow = CouplingFlow(
        size: size, depth: depth, hidden: hidden, elements: SplineElements(), using: &random)
      return FlowPrior(flow, eventShape: latentShape)
    case .maf:
      let flow = AutoregressiveFlow(
        size: size, depth: depth, hidden: hidden, scaling: .standardizing, using: &random)
      return FlowPrior(InvertedFlow(flow), eventShape: latentShape)
    }
  }
}
