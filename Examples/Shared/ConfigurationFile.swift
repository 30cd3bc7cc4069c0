// Configuration files: YAML or JSON, which is read as the part of YAML that it is. Of YAML's scalars only
// those are special that JSON knows (numbers, true, false, null); everything else is text, so that no
// country code becomes a truth value and no time a number.

import Foundation
import Latent
import Yams

/// A file of settings.
public struct ConfigurationFile: Sendable {
  public let path: String
  public let contents: ConfigurationValue

  /// The largest file that is read, in bytes.
  public static let maximumSize = 1 << 16

  /// - Throws: `CommandError`.
  public init(contentsOf path: String) throws {
    self.path = path
    func wrong(_ reason: String, _ status: ExitStatus = .configuration) -> CommandError {
      CommandError("\(path): \(reason)", status)
    }
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue
    else { throw wrong("there is no such file", .noInput) }
    guard let file = FileHandle(forReadingAtPath: path),
      let data = try? file.read(upToCount: ConfigurationFile.maximumSize + 1) ?? Data()
    else { throw wrong("the file cannot be read", .noInput) }
    if data.count > ConfigurationFile.maximumSize {
      throw wrong("more than \(ConfigurationFile.maximumSize) bytes are no configuration")
    }
    guard let text = String(data: data, encoding: .utf8) else { throw wrong("no UTF-8 text") }
    let value: ConfigurationValue
    do {
      value = try ConfigurationValue(parsing: text)
    } catch let error as ConfigurationSyntaxError {
      throw wrong(error.description)
    }
    switch value {
    case .map: contents = value
    case .null: contents = .map([:])
    default: throw wrong("found \(value.shown), expected settings such as 'epochs: 10'")
    }
  }
}

/// A text that is no YAML, or not of the kind that configurations are.
struct ConfigurationSyntaxError: Error, CustomStringConvertible {
  let description: String
}

extension ConfigurationValue {
  /// The most values a text may hold, with repeated references counted each time.
  static let maximumCount = 10_000

  /// - Throws: `ConfigurationSyntaxError`.
  init(parsing text: String) throws {
    do {
      var count = 0
      self =
        try Yams.compose(yaml: text, .basic).map { try ConfigurationValue($0, &count) } ?? .null
    } catch let error as YamlError {
      throw ConfigurationSyntaxError(description: ConfigurationValue.sentence(error))
    }
  }

  private init(_ node: Node, _ count: inout Int) throws {
    count += 1
    if count > ConfigurationValue.maximumCount {
      throw ConfigurationSyntaxError(
        description: "more than \(ConfigurationValue.maximumCount) values are no configuration")
    }
    switch node {
    case .scalar(let scalar): self.init(scalar)
    case .sequence(let nodes): self = .list(try nodes.map { try ConfigurationValue($0, &count) })
    case .mapping(let pairs):
      var members: [String: ConfigurationValue] = [:]
      for (key, value) in pairs {
        guard case .scalar(let name) = key, !name.string.contains(".") else {
          throw ConfigurationSyntaxError(
            description: "line \(key.mark?.line ?? 0): a key is one word without dots")
        }
        members[name.string] = try ConfigurationValue(value, &count)
      }
      self = .map(members)
    case .alias:
      throw ConfigurationSyntaxError(description: "a reference to a value that is not there")
    }
  }

  private init(_ scalar: Node.Scalar) {
    switch scalar.string {
    case let text where scalar.style != .plain: self = .text(text)
    case "", "~", "null": self = .null
    case "true": self = .boolean(true)
    case "false": self = .boolean(false)
    case let text: self = ConfigurationValue.isNumber(text) ? .number(text) : .text(text)
    }
  }

  private static func sentence(_ error: YamlError) -> String {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      "line \(mark.line), column \(mark.column): \(problem)"
    case .duplicatedKeysInMapping(let names, let context):
      "line \(context.mark.line): \(names.joined(separator: ", ")) more than once"
    case .reader(let problem, _, _, _): problem
    default: "no YAML"
    }
  }

  /// As YAML, a setting on a line, lists in brackets. Keys are sorted, but for the first level, which
  /// follows `order`.
  public func yaml(order: [String] = []) -> String { lines(order, "") }

  private func lines(_ order: [String], _ indentation: String) -> String {
    guard case .map(let members) = self else { return "\(indentation)\(inline)\n" }
    func rank(_ key: String) -> Int { order.firstIndex(of: key) ?? order.count }
    return members.sorted { (rank($0.key), $0.key) < (rank($1.key), $1.key) }.map { key, value in
      if case .map = value {
        return "\(indentation)\(key):\n" + value.lines([], indentation + "  ")
      }
      return "\(indentation)\(key): \(value.inline)\n"
    }.joined()
  }

  private var inline: String {
    switch self {
    case .list(let items): return "[" + items.map(\.inline).joined(separator: ", ") + "]"
    case .text(let text):
      // Words that some reader of YAML takes for something else are quoted.
      let special = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
      let isPlain = text.wholeMatch(of: /[A-Za-z\/]([A-Za-z0-9_.\/:-]*[A-Za-z0-9_.\/-])?/) != nil
      return isPlain && !special.contains(text.lowercased()) ? text : json
    default: return json
    }
  }
}
