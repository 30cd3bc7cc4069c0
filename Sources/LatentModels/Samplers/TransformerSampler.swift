// A Transformer over codes as a sampler, in words.

import LatentLayers
import LatentNumerics

/// Codes, each from all before it, learned after the autoencoder.
public struct TransformerSamplerDescription: CodeSamplerDescription {
  public static let name = "transformer"
  public static let origin = Origin(
    "codes row by row, by attention to all before", paper: "Esser, Rombach and Ommer 2021",
    equation: "section 3.2", test: "LatentModelsTests/Samplers/CodeSamplerTests.swift")

  /// Numbers of a place.
  public var width = 64
  /// Heads of attention, which divide the width.
  public var heads = 4
  /// Blocks.
  public var layers = 3
  /// Updates, each of a batch of codes.
  public var steps = 3000
  /// Examples of an update.
  public var batchSize = 64
  /// Of Adam, at the beginning.
  public var learningRate = 1e-3
  /// What logits are divided by in draws: below 1, probable codes come more often.
  public var temperature = 1.0
  /// How much more codes shall be of their class than the class is, where they are drawn by labels.
  public var guidance = 0.0

  public init() {}
  var size: TransformerSize { TransformerSize(width: width, heads: heads, layers: layers) }
}
