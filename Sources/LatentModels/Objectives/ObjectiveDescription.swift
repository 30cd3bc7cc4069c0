// An objective in words: its numbers as a plain value that stands in files, on the command line and in
// checkpoints, checked before anything is made, and made for a model. Each objective brings its own; none
// is known here but by the list.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of an objective.
///
/// Most objectives need more than any model has: those conform to a refinement, such as
/// `ReparameterizedObjectiveDescription`, whose `make` may ask for it.
public protocol ObjectiveDescription: AxisDescription {
  /// What it needs of a model, in a few words.
  static var requirement: String { get }
  /// Whether the loss asks the model for nothing but the posterior of the batch and likelihoods of its draws, and
  /// compares pictures of any size; true where nothing is said.
  var asksOnlyAboutTheBatch: Bool { get }
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
  /// The test that holds it to the formula, in the same form.
  public let test: String

  /// A formula from a paper, said in the file that implements it.
  public init(
    _ summary: String, paper: String, equation: String, test: String,
    file: StaticString = #fileID
  ) {
    self.summary = summary
    self.paper = paper
    self.equation = equation
    self.test = test
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
  public var asksOnlyAboutTheBatch: Bool { true }

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

/// Objectives by their names.
public enum ObjectiveAxis: Axis {
  public static var standard: any ObjectiveDescription { ELBODescription() }

  /// A `SettingError`.
  public static func unknown(_ name: String, expected: String) -> any Error {
    SettingError(key: "objective.name", found: "'\(name)'", expected: expected)
  }
}

/// An objective of a run, by default the evidence lower bound.
public typealias ObjectiveSettings = AxisSettings<ObjectiveAxis>

extension ObjectiveSettings {
  /// Each latent sample takes the memory of a batch.
  public static var maximumSamples: Int { 10_000 }
}
