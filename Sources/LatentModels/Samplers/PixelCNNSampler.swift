// The gated PixelCNN as a sampler, in words.

import LatentLayers
import LatentNumerics

/// Codes of a map, each from those above it and to its left, learned after the autoencoder.
public struct PixelCNNSamplerDescription: CodeSamplerDescription {
  public static let name = "pixelcnn"
  public static let origin = Origin(
    "codes row by row, by convolutions that look back", paper: "van den Oord et al. 2016",
    equation: "2, 4", test: "LatentModelsTests/Samplers/CodeSamplerTests.swift")

  /// Numbers of a place.
  public var channels = 32
  /// Layers of both stacks.
  public var layers = 5
  /// How wide filters are, an odd number.
  public var kernel = 5
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
  var size: PixelCNNSize { PixelCNNSize(channels: channels, layers: layers, kernel: kernel) }
}
