// A posterior in words, as `ObjectiveDescription` is an objective: each brings its own, none is known here
// but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a posterior: what a ready encoder ends in.
public protocol PosteriorDescription: AxisDescription {
  /// Where its latents lie; all vectors where nothing is said.
  var space: LatentSpace { get }
  /// The prior of models for which none is asked for.
  var standardPrior: any PriorDescription { get }
  /// Checks every number with the shape of a latent, whose sizes are positive.
  /// - Throws: `ModelDescriptionError`, `SettingError`.
  func validate(latentShape: [Int]) throws
  /// The raw outputs of the head for so many latents, in double, because products of sizes that fit need not
  /// fit themselves. Called with valid settings only, as what follows.
  func outputCount(latents: Int) -> Double
  /// Weights and biases of the head, and of what `completed` adds.
  func parameterCount(latents: Int) -> Double
  /// The last step of an encoder of latents of a shape, with first weights from `random`.
  func makeHead(latentShape: Shape, using random: inout RandomStream) -> any PosteriorHead
  /// The model that a network with the head becomes: itself, unless the posterior needs more of a model than its
  /// encoder.
  func completed(
    _ model: some LatentVariableModel, latentShape: Shape
  ) throws -> any LatentVariableModel
}

extension PosteriorDescription {
  public var space: LatentSpace { .vectors }
  public var standardPrior: any PriorDescription { StandardPrior() }
  public func validate() throws {}
  public func validate(latentShape: [Int]) throws {}
  public func parameterCount(latents: Int) -> Double { 0 }
  public func completed(
    _ model: some LatentVariableModel, latentShape: Shape
  ) throws -> any LatentVariableModel { model }

  // MARK: What descriptions share

  /// - Throws: `SettingError` of `model.posterior.KEY` unless the condition holds.
  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw SettingError(key: "model.posterior.\(key)", found: "\(found)", expected: expected())
    }
  }

  /// A number of layers, widths, classes: positive and within the bound of all sizes.
  func check(size: Int, _ key: String) throws {
    let limit = ModelDescription.maximumParameters
    try check((1...limit).contains(size), key, size, "1 to \(limit)")
  }

  /// - Throws: `ModelDescriptionError` unless a latent is a vector.
  func requireVector(_ latentShape: [Int]) throws {
    if latentShape.count != 1 {
      throw ModelDescriptionError(
        key: "posterior.name", found: "'\(Self.name)', of vectors, for latents \(latentShape)",
        expected: "a network whose latents are a vector, or another posterior")
    }
  }
}

/// The factorised normal.
public struct DiagonalPosterior: PosteriorDescription {
  public static let name = "diagonal"
  public static let origin = Origin(
    "a normal with a mean and a variance for each latent", paper: "Kingma and Welling 2014",
    equation: "9", test: "LatentModelsTests/ELBOTests.swift")

  public init() {}
  public func outputCount(latents: Int) -> Double { 2 * Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { DiagonalHead() }
}

/// A point in latent space, which has no density.
public struct PointPosterior: PosteriorDescription {
  public static let name = "point"
  public static let origin = Origin(
    "a point, without a density: a plain autoencoder", paper: "Hinton and Salakhutdinov 2006",
    equation: "-", test: "LatentModelsTests/RegularizedAutoencoderTests.swift")

  public init() {}
  public func outputCount(latents: Int) -> Double { Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { PointHead() }
}

/// Posteriors by their names.
public enum PosteriorAxis: Axis {
  public static var standard: any PosteriorDescription { DiagonalPosterior() }

  /// A `ModelDescriptionError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    ModelDescriptionError(key: "posterior.name", found: "'\(name)'", expected: expected)
  }
}

/// A posterior of a model, by default the diagonal normal.
public typealias PosteriorSettings = AxisSettings<PosteriorAxis>
