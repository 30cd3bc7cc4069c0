// One setting that is wrong, for whoever knows where it came from: a flag, a file, a checkpoint.

/// A setting that cannot be used.
public struct SettingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// Its path, such as `objective.beta`.
  public let key: String
  /// What it was.
  public let found: String
  /// What it may be.
  public let expected: String

  /// A setting that was `found` where `expected` was wanted.
  public init(key: String, found: String, expected: String) {
    self.key = key
    self.found = found
    self.expected = expected
  }

  public var description: String { "\(key) is \(found), expected \(expected)" }
}
