// An inverse autoregressive flow fitted to codes, in words.

import LatentLayers
import LatentNumerics

/// Codes through an inverse autoregressive flow: a draw takes one pass, the density of a code one for each number, and so
/// does each update.
public struct InverseAutoregressiveSamplerDescription: FlowSamplerDescription {
  public static let name = "iaf"
  public static let origin = Origin(
    "a normal through an inverse autoregressive flow", paper: "Kingma et al. 2016",
    equation: "10-14", test: "LatentModelsTests/Samplers/FlowSamplerTests.swift")
  /// An update remembers a pass of the network for each number.
  public static let largestLatent = 128

  /// How many steps the flow has.
  public var depth = 2
  /// Widths of the network of each.
  public var hidden = [128]
  /// Updates, each of a batch of codes.
  public var steps = 3000
  /// Codes of an update.
  public var batchSize = 256
  /// Of Adam, at the beginning.
  public var learningRate = 1e-3

  public init() {}

  func makeFlow(size: Int, using random: inout RandomStream) -> AutoregressiveFlow {
    AutoregressiveFlow(
      size: size, depth: depth, hidden: hidden, scaling: .exponential, using: &random)
  }
}
