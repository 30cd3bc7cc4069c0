// A Transformer as a prior over codes, in words.

import LatentLayers
import LatentNumerics

/// Each code from all before it, row by row.
public struct TransformerPriorDescription: AutoregressiveCodePriorDescription {
  public static let name = "transformer"
  public static let origin = Origin(
    "each code from all before it, row by row", paper: "Esser, Rombach and Ommer 2021",
    equation: "section 3.2", test: "LatentModelsTests/Codes/CodeNetworkTests.swift")

  /// Numbers of a place.
  public var width = 64
  /// Heads of attention, which divide the width.
  public var heads = 4
  /// Blocks.
  public var layers = 3

  public init() {}
  var size: TransformerSize { TransformerSize(width: width, heads: heads, layers: layers) }
}
