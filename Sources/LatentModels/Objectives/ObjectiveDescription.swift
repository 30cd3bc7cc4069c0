// An objective in words: its numbers as a plain value that stands in files, on the command line and in
// checkpoints, checked before anything is made, and made for a model. Each objective brings its own; none
// is known here but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of an objective.
///
/// Stored properties are the keys of files and of the command line (`--set objective.beta=4`), beside
/// `name`. Most objectives need more than any model has: those conform to a refinement, such as
/// `ReparameterizedObjectiveDescription`, whose `make` may ask for it.
public protocol ObjectiveDescription: Sendable, Hashable, Codable {
  /// The word for the objective.
  static var name: String { get }
  /// What it is, in a few words for help texts, and where it is from.
  static var origin: Origin { get }
  /// What it needs of a model, in a few words.
  static var requirement: String { get }
  /// Every setting as it is where nothing is said.
  init()
  /// Checks every number. - Throws: `SettingError` of the keys.
  func validate() throws
  /// The objective for a model.
  /// - Throws: `ModelRequirementError` where the model lacks what it needs.
  func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model>
}

/// Where a formula is from.
public struct Origin: Sendable, Hashable {
  /// What it is, in a few words.
  public let summary: String
  /// The paper: authors and year.
  public let paper: String
  /// The equation, algorithm or section that is implemented.
  public let equation: String
  /// The source file of the implementation, as `Module/File.swift`.
  public let file: String

  /// A formula from a paper, said in the file that implements it.
  public init(
    _ summary: String, paper: String, equation: String, file: StaticString = #fileID
  ) {
    self.summary = summary
    self.paper = paper
    self.equation = equation
    self.file = "\(file)"
  }
}

/// What is known of a run before it starts.
public struct TrainingFacts: Sendable {
  /// Examples of the training set.
  public var examples: Int
  /// Shape of one example.
  public var inputShape: Shape
  /// Opens the network of another run by its name, for objectives that look through one; nil where nothing does.
  public var openFeatures: (@Sendable (_ run: String) throws -> RunFeatures)?

  /// Of a run on so many examples of this shape.
  public init(
    examples: Int, inputShape: Shape,
    openFeatures: (@Sendable (_ run: String) throws -> RunFeatures)? = nil
  ) {
    self.examples = examples
    self.inputShape = inputShape
    self.openFeatures = openFeatures
  }
}

/// An objective that differentiates through draws of the posterior.
public protocol ReparameterizedObjectiveDescription: ObjectiveDescription {
  /// As of `ObjectiveDescription`, for a model whose posterior allows it.
  func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model>
}

extension ReparameterizedObjectiveDescription {
  public static var requirement: String { "a reparameterised posterior" }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    func open<Opened: ReparameterizedModel>(_ model: Opened) throws -> any TrainingObjective {
      try makeReparameterized(for: model, facts)
    }
    return try cast(open(try model.reparameterized(for: Self.purpose)), for: model)
  }
}

extension ObjectiveDescription {
  public static var requirement: String { "nothing" }

  /// For errors: `objective 'elbo'`.
  public static var purpose: String { "objective '\(name)'" }

  /// What was made for `model` under a constraint is an objective for its type.
  func cast<Model>(
    _ objective: any TrainingObjective, for model: Model
  ) -> any TrainingObjective<Model> {
    guard let result = objective as? any TrainingObjective<Model> else {
      fatalError("\(type(of: objective)) is no objective for \(Model.self)")
    }
    return result
  }

  // MARK: What descriptions share

  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw SettingError(key: "objective.\(key)", found: "\(found)", expected: expected())
    }
  }

  /// A weight that is never negative.
  func check(weight: WeightSchedule, _ key: String) throws {
    try check(weight.isPossible, key, weight, WeightSchedule.forms)
    try check(weight.values.allSatisfy { $0 >= 0 }, key, weight, "0 or more")
  }

  /// A number that is never negative.
  func check(weight: Double, _ key: String) throws {
    try check(weight >= 0 && weight.isFinite, key, weight, "0 or more")
  }

  /// A number of samples, each of which takes the memory of a batch.
  func check(samples: Int, _ key: String, least: Int = 1) throws {
    let limit = ObjectiveSettings.maximumSamples
    try check((least...limit).contains(samples), key, samples, "\(least) to \(limit)")
  }
}

/// An objective of a run: any description, as a value of files.
public struct ObjectiveSettings: Sendable, Hashable, Codable {
  /// The objective and its numbers.
  public var description: any ObjectiveDescription

  /// The evidence lower bound where nothing else is said.
  public init(_ description: any ObjectiveDescription = ELBODescription()) {
    self.description = description
  }

  /// The objective of this name with its standard settings.
  /// - Throws: `SettingError`, which lists the names.
  public init(named name: String) throws {
    guard let type = ObjectiveSettings.all.first(where: { $0.name == name }) else {
      throw SettingError(
        key: "objective.name", found: "'\(name)'",
        expected: ObjectiveSettings.all.map { $0.name }.joined(separator: ", "))
    }
    self.init(type.init())
  }

  /// The word for the objective.
  public var name: String { type(of: description).name }

  /// Each latent sample takes the memory of a batch.
  public static let maximumSamples = 10_000

  public static func == (first: ObjectiveSettings, second: ObjectiveSettings) -> Bool {
    AnyHashable(first.description) == AnyHashable(second.description)
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(AnyHashable(description)) }

  private enum CodingKeys: String, CodingKey { case name }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    // The first versions had one objective, and no word for it.
    let name = try container.decodeIfPresent(String.self, forKey: .name) ?? ELBODescription.name
    description = try type(of: ObjectiveSettings(named: name).description).init(from: decoder)
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(name, forKey: .name)
    try description.encode(to: encoder)
  }
}
