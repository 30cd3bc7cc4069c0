// A masked autoregressive flow fitted to codes, in words.

import LatentLayers
import LatentNumerics

/// Codes through a masked autoregressive flow: their density takes one pass, a draw one for each number.
public struct MaskedAutoregressiveSamplerDescription: FlowSamplerDescription {
  public static let name = "maf"
  public static let origin = Origin(
    "a normal through a masked autoregressive flow", paper: "Papamakarios et al. 2017",
    equation: "3-5", test: "LatentModelsTests/Samplers/FlowSamplerTests.swift")
  /// Draws take a pass of the network for each number.
  public static let largestLatent = 4096

  /// How many steps the flow has.
  public var depth = 4
  /// Widths of the network of each.
  public var hidden = [128, 128]
  /// Updates, each of a batch of codes.
  public var steps = 3000
  /// Codes of an update.
  public var batchSize = 256
  /// Of Adam, at the beginning.
  public var learningRate = 1e-3

  public init() {}

  func makeFlow(
    size: Int, using random: inout RandomStream
  ) -> InvertedFlow<AutoregressiveFlow> {
    InvertedFlow(
      AutoregressiveFlow(
        size: size, depth: depth, hidden: hidden, scaling: .standardizing, using: &random))
  }
}
