// A setting as it is said on the command line.

import Foundation
import Latent

/// A setting given on the command line.
public struct FlagSetting: Sendable {
  /// As typed, with its dashes.
  public let flag: String
  /// The path in the configuration.
  public let key: String
  public let value: ConfigurationValue

  public init(_ flag: String, _ key: String, _ value: ConfigurationValue) {
    self.flag = flag
    self.key = key
    self.value = value
  }

  public init?(_ flag: String, _ key: String, _ text: String?) {
    guard let text else { return nil }
    self.init(flag, key, .text(text))
  }

  public init?(_ flag: String, _ key: String, _ number: (some Numeric)?) {
    guard let number else { return nil }
    self.init(flag, key, .number("\(number)"))
  }

  public init?(_ flag: String, _ key: String, _ numbers: [Int]?) {
    guard let numbers else { return nil }
    self.init(flag, key, .list(numbers.map { .number("\($0)") }))
  }

  /// A flag of its own for a setting of the objective is about the innermost one, within so many wrappers.
  func within(_ wrappers: Int) -> FlagSetting {
    let group = ConfigurationSources.objectiveGroup
    guard !flag.hasPrefix("--set "), key.hasPrefix(group), key != ConfigurationSources.objective
    else { return self }
    let inside = ConfigurationSources.objectiveKey(wrappers, "")
    return FlagSetting(flag, inside + key.dropFirst(group.count), value)
  }

  /// `KEY=VALUE`, the value as in a file.
  /// - Throws: `CommandError`.
  /// `flag` is what was typed, where it is not `--set KEY`.
  public init(assignment text: String, flag: String? = nil) throws {
    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
    guard parts.count == 2, let value = try? ConfigurationValue(parsing: parts[1]) else {
      throw CommandError(
        "\(flag.map { "\($0) " } ?? "--set ")'\(text)': expected KEY=VALUE", .usage)
    }
    self.init(flag ?? "--set \(parts[0])", parts[0], value)
  }
}
