// What a number of an evaluation is: its definition apart from its value, so that two numbers of one name and one
// version may be compared, and no others.

/// The definition of a number that an evaluation reports.
///
/// Each stands beside the code that computes it; ``all`` lists them, and `docs/evaluation.md` is written from that
/// list.
public struct Metric: Sendable, Hashable {
  /// What the number is measured in.
  public enum Unit: String, Sendable, Hashable, Codable {
    /// Nats for an example.
    case nats
    /// Bits for one number of an example.
    case bitsPerDimension
    /// A part of one: probabilities, accuracies, scores.
    case share
    /// How many.
    case count
    /// A number without a unit, or in the square of the features' own.
    case plain
  }

  /// Which numbers are better.
  public enum Direction: String, Sendable, Hashable, Codable {
    /// Large ones.
    case higher
    /// Small ones.
    case lower
    /// Neither: the number describes.
    case neither
  }

  /// How files and the command line call it, such as `mig`.
  public let name: String
  /// Another number whenever the same model and data would give another value.
  public let version: Int
  /// How people call it.
  public let title: String
  /// What is computed, in a sentence or a formula, with the settings that belong to it.
  public let formula: String
  /// Paper and equation, or `own`.
  public let paper: String
  /// What it is measured in.
  public let unit: Unit
  /// Which numbers are better.
  public let direction: Direction
  /// What a model that knows nothing has.
  public let chance: String
  /// What a perfect model has.
  public let ceiling: String
  /// What it takes, as a function of the data.
  public let cost: String
  /// The file of its tests, relative to `Tests`.
  public let test: String

  /// The definition of a number; the words are for `docs/evaluation.md`.
  public init(
    _ name: String, version: Int = 1, title: String, formula: String, paper: String, unit: Unit,
    better direction: Direction, chance: String, ceiling: String, cost: String, test: String
  ) {
    self.name = name
    self.version = version
    self.title = title
    self.formula = formula
    self.paper = paper
    self.unit = unit
    self.direction = direction
    self.chance = chance
    self.ceiling = ceiling
    self.cost = cost
    self.test = test
  }
}
