// An objective whose settings are its description: what stands in files and on the command line is what the
// rule computes with, written and checked once.

import LatentNumerics

/// A rule that is its description on a type of models.
///
///     FactorVAE { $0.gamma = 20 }
///
/// A rule holds the description and reads its numbers there; names, defaults, limits and words for them are the
/// description's alone.
public protocol DescribedObjective<Model>: TrainingObjective {
  /// The settings, and the objective in words.
  associatedtype Settings: ObjectiveDescription
  /// The rule's numbers.
  var settings: Settings { get }
  /// The rule with these numbers, which are valid.
  init(_ settings: Settings)
}

extension DescribedObjective {
  /// The standard settings, but for what `change` changes. Traps where one is out of its range.
  public init(
    file: StaticString = #fileID, line: UInt = #line, _ change: (inout Settings) -> Void = { _ in }
  ) {
    self.init(Settings.standard(file: file, line: line, change))
  }

  /// `factor(gamma: 35, criticHidden: [1000, 1000])`: the objective's word and all its numbers.
  public var summary: String {
    let numbers = Mirror(reflecting: settings).children.map { "\($0.label ?? ""): \($0.value)" }
    return "\(Settings.name)(\(numbers.joined(separator: ", ")))"
  }
}

extension ObjectiveDescription {
  /// The standard settings, but for what `change` changes. Traps where one is out of its range.
  static func standard(
    file: StaticString = #fileID, line: UInt = #line, _ change: (inout Self) -> Void
  ) -> Self {
    var settings = Self()
    change(&settings)
    do {
      try settings.validate()
    } catch {
      require(false, "\(purpose): \(error)", file: file, line: line)
    }
    return settings
  }
}
