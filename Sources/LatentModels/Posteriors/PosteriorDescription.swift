// A posterior in words, as `ObjectiveDescription` is an objective: each brings its own, none is known here
// but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of a posterior: what a ready encoder ends in.
public protocol PosteriorDescription: Sendable, Hashable, Codable {
  /// The word for the posterior.
  static var name: String { get }
  /// What it is, in a few words for help texts, and where it is from.
  static var origin: Origin { get }
  /// Every setting as it is where nothing is said.
  init()
  /// Checks every number. - Throws: `SettingError` of the keys.
  func validate() throws
  /// The last step of an encoder.
  func makeHead() -> any PosteriorHead
}

/// The factorised normal.
public struct DiagonalPosterior: PosteriorDescription {
  public static let name = "diagonal"
  public static let origin = Origin(
    "a normal with a mean and a variance for each latent", paper: "Kingma and Welling 2014",
    equation: "9")

  public init() {}
  public func validate() {}
  public func makeHead() -> any PosteriorHead { DiagonalHead() }
}

/// A point in latent space, which has no density.
public struct PointPosterior: PosteriorDescription {
  public static let name = "point"
  public static let origin = Origin(
    "a point, without a density: a plain autoencoder", paper: "Hinton and Salakhutdinov 2006",
    equation: "-")

  public init() {}
  public func validate() {}
  public func makeHead() -> any PosteriorHead { PointHead() }
}

/// A posterior of a model: any description, as a value of files.
public struct PosteriorSettings: Sendable, Hashable, Codable {
  /// The posterior and its numbers.
  public var description: any PosteriorDescription

  /// The diagonal normal where nothing else is said.
  public init(_ description: any PosteriorDescription = DiagonalPosterior()) {
    self.description = description
  }

  /// Every posterior that can be asked for by name. A new one is a file with its head and description, and
  /// a line here.
  public static let all: [any PosteriorDescription.Type] = [
    DiagonalPosterior.self, PointPosterior.self, SpherePointPosterior.self,
  ]

  /// The posterior of this name with its standard settings.
  /// - Throws: `ModelDescriptionError`, which lists the names.
  public init(named name: String) throws {
    guard let type = PosteriorSettings.all.first(where: { $0.name == name }) else {
      throw ModelDescriptionError(
        key: "posterior.name", found: "'\(name)'",
        expected: PosteriorSettings.all.map { $0.name }.joined(separator: ", "))
    }
    self.init(type.init())
  }

  /// The word for the posterior.
  public var name: String { type(of: description).name }

  public static func == (first: PosteriorSettings, second: PosteriorSettings) -> Bool {
    AnyHashable(first.description) == AnyHashable(second.description)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(description)) }

  private enum CodingKeys: String, CodingKey { case name }

  public init(from decoder: any Swift.Decoder) throws {
    let name = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .name)
    description = try type(of: PosteriorSettings(named: name).description).init(from: decoder)
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try description.encode(to: encoder)
  }
}
