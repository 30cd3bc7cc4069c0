// The gated PixelCNN as a prior over codes, in words.

import LatentLayers
import LatentNumerics

/// Each code of a map from those above it and to its left.
public struct PixelCNNPriorDescription: AutoregressiveCodePriorDescription {
  public static let name = "pixelcnn"
  public static let origin = Origin(
    "each code from those above it and to its left", paper: "van den Oord et al. 2016",
    equation: "2, 4", test: "LatentModelsTests/Codes/CodeNetworkTests.swift")

  /// Numbers of a place.
  public var channels = 32
  /// Layers of both stacks.
  public var layers = 5
  /// How wide filters are, an odd number.
  public var kernel = 5

  public init() {}
  var size: PixelCNNSize { PixelCNNSize(channels: channels, layers: layers, kernel: kernel) }
}
