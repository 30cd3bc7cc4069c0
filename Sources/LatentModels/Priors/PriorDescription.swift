// A prior in words: each brings its own, none is known here but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a prior: where latents are before any data.
public protocol PriorDescription: AxisDescription {
  /// Where its latents lie; all vectors where nothing is said.
  var space: LatentSpace { get }
  /// Whether it shows the encoder inputs of its own, which can only be numbers; false where nothing is said.
  var asksEncoder: Bool { get }
  /// Whether it is a product over latents, so that each has a divergence of its own, as free bits need it; true where
  /// nothing is said.
  var factorizes: Bool { get }
  /// The fields of a batch, beside its inputs, without which it cannot be trained; none where nothing is said.
  var fields: [String] { get }
  /// Checks every number with the shapes of a latent and of an example, whose sizes are positive, and that it
  /// can go with the posterior.
  /// - Throws: `ModelDescriptionError`, `SettingError`.
  func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription) throws
  /// Its parameters and buffers that can be large, in double. Called with valid settings only, as what follows.
  func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double
  /// The prior over latents of a shape, in a model of examples of a shape, with first values from `random`.
  func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior
  /// The same beside a posterior, for priors whose shapes follow from it, as those over codes: the number without it
  /// where nothing is said.
  func parameterCount(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) -> Double
  /// The same beside a posterior; the prior without it where nothing is said.
  func makePrior(
    latentShape: Shape, inputShape: Shape, posterior: any PosteriorDescription,
    using random: inout RandomStream
  ) -> any Prior
}

extension PriorDescription {
  public var space: LatentSpace { .vectors }
  public var asksEncoder: Bool { false }
  public var factorizes: Bool { true }
  public var fields: [String] { [] }
  public func validate() throws {}
  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws {}
  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double { 0 }
  public func parameterCount(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) -> Double { parameterCount(latentShape: latentShape, inputShape: inputShape) }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, posterior: any PosteriorDescription,
    using random: inout RandomStream
  ) -> any Prior { makePrior(latentShape: latentShape, inputShape: inputShape, using: &random) }

  // MARK: What descriptions share

  /// - Throws: `SettingError` of `model.prior.KEY` unless the condition holds.
  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw SettingError(key: "model.prior.\(key)", found: "\(found)", expected: expected())
    }
  }

  /// A number of components, widths, layers: positive and within the bound of all sizes.
  func check(size: Int, _ key: String) throws {
    let limit = ModelDescription.maximumParameters
    try check((1...limit).contains(size), key, size, "1 to \(limit)")
  }

  /// - Throws: `ModelDescriptionError` unless a latent is a vector.
  func requireVector(_ latentShape: [Int]) throws {
    if latentShape.count != 1 {
      throw ModelDescriptionError(
        key: "prior.name", found: "'\(Self.name)', of vectors, for latents \(latentShape)",
        expected: "a network whose latents are a vector, or another prior")
    }
  }
}

/// The standard normal.
public struct StandardPrior: PriorDescription {
  public static let name = "standard"
  public static let origin = Origin(
    "the standard normal", paper: "Kingma and Welling 2014", equation: "10",
    test: "LatentModelsTests/ELBOTests.swift")

  public init() {}
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { StandardNormalPrior(latentShape) }
}

/// Priors by their names.
public enum PriorAxis: Axis {
  public static var standard: any PriorDescription { StandardPrior() }

  /// A `ModelDescriptionError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    ModelDescriptionError(key: "prior.name", found: "'\(name)'", expected: expected)
  }
}

/// A prior of a model; the posterior says which where nothing is asked for.
public typealias PriorSettings = AxisSettings<PriorAxis>
