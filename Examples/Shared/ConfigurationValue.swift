// Settings as a tree, between files, flags and the typed configuration of a run. Defaults, file and
// flags are laid over each other as trees; types are checked once, on the result.

import Foundation
import Latent

/// A value of a configuration file. Numbers keep their spelling, so that none loses a digit.
public enum ConfigurationValue: Sendable, Equatable {
  case null
  case boolean(Bool)
  case number(String)
  case text(String)
  case list([ConfigurationValue])
  case map([String: ConfigurationValue])

  /// What a value encodes itself as. Every key has to be encoded: absent ones are unknown.
  public init(encoding value: some Encodable) throws {
    let json = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    self = try ConfigurationValue(parsing: json)
  }

  /// The value at a path such as `model.hidden`; the whole for an empty one.
  public subscript(path: String) -> ConfigurationValue? {
    get {
      path.split(separator: ".").reduce(self) { value, name in
        if case .map(let members) = value { members[String(name)] } else { nil }
      }
    }
    set {
      let names = path.split(separator: ".", maxSplits: 1).map(String.init)
      guard case .map(var members) = self, let first = names.first else { return }
      if names.count == 1 {
        members[first] = newValue
      } else {
        members[first]?[names[1]] = newValue
      }
      self = .map(members)
    }
  }

  /// Everything but maps, by path, sorted.
  public var leaves: [(path: String, value: ConfigurationValue)] {
    guard case .map(let members) = self else { return [("", self)] }
    return members.sorted { $0.key < $1.key }.flatMap { name, value in
      value.leaves.map { ($0.path.isEmpty ? name : "\(name).\($0.path)", $0.value) }
    }
  }

  /// As JSON. A number that JSON cannot write, such as nan, becomes a text.
  public var json: String {
    switch self {
    case .null: "null"
    case .boolean(let value): "\(value)"
    case .number(let text): ConfigurationValue.isNumber(text) ? text : quoted(text)
    case .text(let text): quoted(text)
    case .list(let items): "[" + items.map(\.json).joined(separator: ",") + "]"
    case .map(let members):
      "{"
        + members.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\($0.value.json)" }
        .joined(separator: ",") + "}"
    }
  }

  /// For error messages.
  public var shown: String {
    switch self {
    case .null: "nothing"
    case .boolean(let value): "\(value)"
    case .number(let text): text
    case .text(let text): "'\(text)'"
    case .list(let items): "[" + items.map(\.shown).joined(separator: ", ") + "]"
    case .map: "a group of settings"
    }
  }

  /// Numbers are written as in JSON.
  static func isNumber(_ text: String) -> Bool {
    text.wholeMatch(of: /-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil
  }
}

extension RunConfiguration {
  /// As a configuration file that `latent-train --config` reads.
  public func yaml() throws -> String {
    try ConfigurationValue(encoding: self).yaml(order: RunConfiguration.keys)
  }
}
