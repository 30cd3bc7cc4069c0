// Objectives that take any other inside: in files a group within a group, on the command line a chain of names from
// outside to inside, such as `augmented:nested-dropout:elbo`.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The settings of an objective that takes any other inside.
///
/// `inside` is a stored property like every other: its keys are `objective.inside.name`, `objective.inside.beta` and so
/// on. Where the wrapper changes what is seen of a batch, or adds a term to the loss, it is a ``LensDescription``, and
/// has no rule of its own.
public protocol WrapperDescription: ObjectiveDescription {
  /// What is wrapped; the evidence lower bound where nothing is said.
  var inside: ObjectiveSettings { get set }
}

extension WrapperDescription {
  public static var requirement: String { "what the objective inside needs" }

  public var asksOnlyAboutTheBatch: Bool { inside.description.asksOnlyAboutTheBatch }

  /// Checks what is inside.
  /// - Throws: `SettingError` of keys below `inside`.
  func validateInside() throws {
    do {
      try inside.description.validate()
    } catch let error as SettingError {
      let (all, part) = ("objective.", "objective.inside.")
      guard error.key.hasPrefix(all) else { throw error }
      throw SettingError(
        key: part + error.key.dropFirst(all.count), found: error.found, expected: error.expected)
    }
  }

  /// A share of a batch, of examples or of batches.
  func check(share: Double, _ key: String) throws {
    try check((0...1).contains(share), key, share, "0 to 1")
  }

  /// `nested-dropout(probability: 1.0, ratio: 1.0, inside: ELBO(beta: 1.0))`.
  func summary(inside: String) -> String {
    let own = Mirror(reflecting: self).children.filter { $0.label != "inside" }
      .map { "\($0.label ?? ""): \($0.value)" }
    return "\(Self.name)(\((own + ["inside: \(inside)"]).joined(separator: ", ")))"
  }
}

/// The rule of a wrapper: what it does not say otherwise is what the objective inside says.
public protocol WrapperObjective<Model>: TrainingObjective {
  /// The wrapper in words.
  associatedtype Settings: WrapperDescription
  /// The rule inside.
  associatedtype Inner: TrainingObjective
  /// The wrapper's settings; what they say of the objective inside is not looked at.
  var settings: Settings { get }
  /// The objective inside.
  var inside: Inner { get }
}

extension WrapperObjective {
  public var summary: String { settings.summary(inside: inside.summary) }
  public var order: TurnOrder { inside.order }
  public var smallestBatch: Int { inside.smallestBatch }
  public var settlesParameters: Bool { inside.settlesParameters }
}

extension ObjectiveSettings {
  /// The names of the objectives that take others inside.
  public static var wrappers: [String] {
    all.filter { $0 is any WrapperDescription.Type }.map { $0.name }
  }

  /// What is inside; nil where the objective takes none.
  public var inside: ObjectiveSettings? {
    get { (description as? any WrapperDescription)?.inside }
    set {
      guard var wrapper = description as? any WrapperDescription, let newValue else { return }
      wrapper.inside = newValue
      description = wrapper
    }
  }

  /// What all wrappers are around; the objective itself where it is none.
  public var innermost: ObjectiveSettings {
    get { inside?.innermost ?? self }
    set {
      guard var inside else {
        self = newValue
        return
      }
      inside.innermost = newValue
      self.inside = inside
    }
  }

  /// The names from outside to inside.
  public var chain: [String] { [name] + (inside?.chain ?? []) }

  /// The objectives of these names, each around the next, with their standard settings.
  /// - Throws: `SettingError` for an unknown name, and for one that takes none inside before the last.
  public init(chain names: [String]) throws {
    guard let first = names.first else {
      self.init()
      return
    }
    try self.init(named: first)
    if names.count == 1 { return }
    guard inside != nil else {
      throw SettingError(
        key: "objective.name", found: "'\(names.joined(separator: ":"))'",
        expected: "only \(ObjectiveSettings.wrappers.joined(separator: ", ")) before a colon")
    }
    inside = try ObjectiveSettings(chain: Array(names.dropFirst()))
  }
}
