// A posterior in words, as `ObjectiveDescription` is an objective: each brings its own, none is known here
// but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a posterior: what a ready encoder ends in.
public protocol PosteriorDescription: AxisDescription {
  /// The last step of an encoder.
  func makeHead() -> any PosteriorHead
}

/// The factorised normal.
public struct DiagonalPosterior: PosteriorDescription {
  public static let name = "diagonal"
  public static let origin = Origin(
    "a normal with a mean and a variance for each latent", paper: "Kingma and Welling 2014",
    equation: "9", test: "LatentModelsTests/ELBOTests.swift")

  public init() {}
  public func validate() {}
  public func makeHead() -> any PosteriorHead { DiagonalHead() }
}

/// A point in latent space, which has no density.
public struct PointPosterior: PosteriorDescription {
  public static let name = "point"
  public static let origin = Origin(
    "a point, without a density: a plain autoencoder", paper: "Hinton and Salakhutdinov 2006",
    equation: "-", test: "LatentModelsTests/RegularizedAutoencoderTests.swift")

  public init() {}
  public func validate() {}
  public func makeHead() -> any PosteriorHead { PointHead() }
}

/// Posteriors by their names.
public enum PosteriorAxis: Axis {
  public static let all: [any PosteriorDescription.Type] = [
    DiagonalPosterior.self, PointPosterior.self, SpherePointPosterior.self,
  ]

  public static var standard: any PosteriorDescription { DiagonalPosterior() }

  /// A `ModelDescriptionError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    ModelDescriptionError(key: "posterior.name", found: "'\(name)'", expected: expected)
  }
}

/// A posterior of a model, by default the diagonal normal.
public typealias PosteriorSettings = AxisSettings<PosteriorAxis>
