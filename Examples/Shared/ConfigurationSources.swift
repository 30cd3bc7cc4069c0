// Where the settings of a run come from: defaults of the network that is asked for, then a file, then
// flags, each over the ones before. What is wrong is reported where it was said.

import Foundation
import Latent

/// A key that a group of settings does not have.
private struct UnknownSetting: Error {
  let key: String
  /// What of the key is not there.
  let name: String
  let owner: String
  let members: [String]
}

/// A file and flags, to be laid over defaults.
public struct ConfigurationSources: Sendable {
  public let file: ConfigurationFile?
  public let flags: [FlagSetting]

  public init(file: ConfigurationFile?, flags: [FlagSetting]) {
    self.file = file
    self.flags = flags
  }

  static let architecture = "model.architecture"
  static let objective = "objective.name"
  static let posterior = "model.posterior.name"
  static let prior = "model.prior.name"
  static let beta = "objective.beta"
  /// Words that were looked up before the settings that they stand for are laid over each other.
  static let names = [architecture, objective, posterior, prior]

  static let objectiveGroup = "objective."
  static let codesGroup = "model.posterior.codes."
  /// The path of a setting of the objective within so many wrappers.
  static func objectiveKey(_ wrappers: Int, _ name: String) -> String {
    key(in: objectiveGroup, wrappers, name)
  }
  /// The path of a setting that is so deep inside of a group.
  private static func key(in group: String, _ depth: Int, _ name: String) -> String {
    group + String(repeating: "inside.", count: depth) + name
  }

  /// What is said about a setting: by the last flag, else by the file.
  private func value(_ key: String) -> ConfigurationValue? {
    flags.last { $0.key == key }?.value ?? file?.contents[key]
  }

  /// Whether adapters are asked for.
  public var adapts: Bool {
    if case .list(let patterns) = value("adapters.weights") { !patterns.isEmpty } else { false }
  }

  /// The configuration of a new run, for data of the shape; where it is not known yet, everything that
  /// can be checked without it is. `model` is the one where nothing else is said.
  /// - Throws: `CommandError`, `DatasetError`, `ModelDescriptionError`.
  public func configuration(
    inputShape: [Int]?, model: ModelDescription? = nil
  ) throws -> RunConfiguration {
    var standard = try RunConfiguration.standard(inputShape: inputShape ?? [])
    standard.model = model ?? standard.model
    let result = try configuration(over: standard, inputShape ?? [], isNew: true)
    guard let inputShape else { return result }
    if result.model.inputShape != inputShape {
      throw CommandError(
        "data \(result.data): examples of shape \(inputShape), "
          + "but the model is for \(result.model.inputShape)", .dataError)
    }
    try explaining { try result.model.validate() }
    return result
  }

  /// File and flags over the configuration of a run that exists. Only its length may change; a schedule
  /// that depends on it stays the one that the run began with.
  /// - Throws: `CommandError`.
  public func configuration(resuming saved: RunConfiguration) throws -> RunConfiguration {
    var asked = try configuration(over: saved, saved.model.inputShape, isNew: false)
    var allowed = saved
    allowed.epochs = asked.epochs
    allowed.patience = asked.patience
    let scheduled = saved.scheduleEpochs ?? saved.epochs
    if allowed.epochs != saved.epochs && saved.scheduleHasLength {
      allowed.scheduleEpochs = scheduled
    }
    // Files of the run's beginning leave these to be what they are.
    if asked.bytes == nil { asked.bytes = allowed.bytes }
    if (asked.scheduleEpochs ?? scheduled) == scheduled {
      asked.scheduleEpochs = allowed.scheduleEpochs
    }
    if asked != allowed {
      let (old, new) = (
        try ConfigurationValue(encoding: allowed).leaves, try ConfigurationValue(encoding: asked)
      )
      let difference = old.first { new[$0.path] != $0.value }
      throw CommandError(
        "a run keeps its settings: \(difference?.path ?? "the model") is "
          + "\(difference?.value.shown ?? "another"), but "
          + "\(new[difference?.path ?? ""]?.shown ?? "another") was asked for; "
          + "only epochs and patience may change", .usage)
    }
    return allowed
  }

  private func configuration(
    over base: RunConfiguration, _ inputShape: [Int], isNew: Bool
  ) throws -> RunConfiguration {
    var base = base
    try explaining {
      try named(ConfigurationSources.architecture, "network") {
        base.model = try ModelDescription(named: $0, inputShape: inputShape)
      }
      try named(ConfigurationSources.posterior, "posterior") {
        base.model.posterior = try PosteriorSettings(named: $0)
        base.model.prior = PriorSettings(base.model.posterior.description.standardPrior)
      }
      try nameCodes(&base.model.posterior)
      try named(ConfigurationSources.prior, "prior") {
        base.model.prior = try PriorSettings(named: $0)
      }
      try nameObjective(&base.objective)
      if isNew, var elbo = base.objective.innermost.description as? ELBODescription {
        if base.isText {
          elbo.freeBits = RunConfiguration.freeBitsOfText
        } else if case .text = value(ConfigurationSources.beta) {
          // A weight that is said as a schedule is to be that one, not a product of two.
        } else {
          elbo.warmupSteps = RunConfiguration.warmupStepsOfNumbers
        }
        base.objective.innermost = ObjectiveSettings(elbo)
      }
    }
    let wrappers = base.objective.chain.count - 1
    return try ConfigurationSources(file: file, flags: flags.map { $0.within(wrappers) })
      .laid(over: base)
  }

  /// File and flags over a configuration that has everything that is asked for by name.
  private func laid(over base: RunConfiguration) throws -> RunConfiguration {
    try explaining {
      let start = try ConfigurationValue(encoding: base)
      var tree = start
      for (path, value) in file?.contents.leaves ?? [] { try place(value, at: path, in: &tree) }
      for setting in flags {
        // A network with one width takes it from a list of one.
        if case .list(let items) = setting.value, items.count == 1, case .number = tree[setting.key]
        {
          try place(items[0], at: setting.key, in: &tree)
        } else {
          try place(setting.value, at: setting.key, in: &tree)
        }
      }
      let result = try decoded(tree, from: start)
      try result.validate()
      return result
    }
  }

  /// Looks up the objective and what it takes inside.
  private func nameObjective(_ objective: inout ObjectiveSettings) throws {
    let names = try chain(
      known: objective.chain, in: ConfigurationSources.objectiveGroup, "objective",
      takesOthers: ObjectiveSettings.wrappers.contains
    ) { _ = try ObjectiveSettings(chain: $0) }
    if names != objective.chain { objective = try ObjectiveSettings(chain: names) }
  }

  /// Looks up what finds the codes of a posterior that has some, and what that is made of.
  private func nameCodes(_ posterior: inout PosteriorSettings) throws {
    guard var codes = posterior.description as? CodesPosterior else { return }
    let names = try chain(
      known: codes.codes.chain, in: ConfigurationSources.codesGroup, "codes",
      takesOthers: { (try? CodesSettings(named: $0))?.inside != nil }
    ) { _ = try CodesSettings(chain: $0) }
    if names != codes.codes.chain { codes.codes = try CodesSettings(chain: names) }
    posterior.description = codes
  }

  /// Names from outside to inside. Each may itself be a chain of names; those that nobody says are as known, as far as
  /// all before them are.
  private func chain(
    known: [String], in group: String, _ kind: String, takesOthers: (String) -> Bool,
    check: ([String]) throws -> Void
  ) throws -> [String] {
    var names: [String] = []
    while names.last.map(takesOthers) ?? true {
      let key = ConfigurationSources.key(in: group, names.count, "name")
      var said: [String] = []
      try named(key, kind) {
        said = $0.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      }
      if said.isEmpty && names.count < known.count && names == Array(known.prefix(names.count)) {
        said = [known[names.count]]
      }
      if said.isEmpty { break }
      do {
        try check(said)
      } catch let error as SettingError {
        throw SettingError(key: key, found: error.found, expected: error.expected)
      }
      names += said
    }
    return names
  }

  /// Looks up what is asked for by name, whose settings are then laid over.
  private func named(_ key: String, _ kind: String, _ body: (String) throws -> Void) throws {
    switch value(key) {
    case nil: break
    case .text(let name): try body(name)
    case let other?:
      throw SettingError(key: key, found: other.shown, expected: "the name of the \(kind)")
    }
  }

  private func place(
    _ value: ConfigurationValue, at path: String, in tree: inout ConfigurationValue
  ) throws {
    // A name of a network is more than its architecture: it was looked up before.
    if ConfigurationSources.names.contains(path) { return }
    if isNameOfObjective(path) || isNameOfCodes(path), tree[path] != nil { return }
    // The longest part of the path that there is: all of it, or the group that lacks the rest.
    var known = path
    while tree[known] == nil {
      known = String(known[..<(known.lastIndex(of: ".") ?? known.startIndex)])
    }
    switch (tree[known], known == path) {
    case (.map, true) where value == .null: return
    case (.map(let members), true):
      throw SettingError(
        key: path, found: value.shown,
        expected: "a group of \(members.keys.sorted().joined(separator: ", "))")
    case (.map(let members), false):
      var owner = known.isEmpty ? "a run" : known
      if known == "model", case .text(let name) = tree[ConfigurationSources.architecture] {
        owner = "the network \(name)"
      }
      if isNameOfObjective("\(known).name"), case .text(let name) = tree["\(known).name"] {
        owner = "the objective \(name)"
      }
      let missing = path.dropFirst(known.isEmpty ? 0 : known.count + 1).prefix { $0 != "." }
      throw UnknownSetting(
        key: path, name: String(missing), owner: owner, members: members.keys.sorted())
    case (_, false):
      throw SettingError(key: known, found: "a group of settings", expected: "one value")
    default: tree[path] = value
    }
  }

  /// Whether the path is `objective.name`, `objective.inside.name` and so on.
  private func isNameOfObjective(_ path: String) -> Bool {
    path.wholeMatch(of: /objective(\.inside)*\.name/) != nil
  }

  /// Whether the path is `model.posterior.codes.name`, `model.posterior.codes.inside.name` and so on.
  private func isNameOfCodes(_ path: String) -> Bool {
    path.wholeMatch(of: /model\.posterior\.codes(\.inside)*\.name/) != nil
  }

  /// The configuration that `tree` is, which came from the valid `start`.
  private func decoded(
    _ tree: ConfigurationValue, from start: ConfigurationValue
  ) throws -> RunConfiguration {
    let families = ModelDescription.Likelihood.allCases.map(\.rawValue)
    if case .text(let name) = tree["model.likelihood"], !families.contains(name) {
      throw SettingError(
        key: "model.likelihood", found: "'\(name)'", expected: families.joined(separator: ", "))
    }
    let scales = ByteScale.allCases.map(\.rawValue)
    if case .text(let word) = tree["bytes"], !scales.contains(word) {
      throw SettingError(
        key: "bytes", found: "'\(word)'", expected: scales.joined(separator: " or "))
    }
    func wrong(_ path: [any CodingKey], _ expected: String) -> SettingError {
      let key = path.filter { $0.intValue == nil }.map(\.stringValue).joined(separator: ".")
      let isElement = path.contains { $0.intValue != nil }
      return SettingError(
        key: key, found: tree[key]?.shown ?? "nothing",
        expected: isElement ? "a list of \(expected)s" : "a \(expected)")
    }
    do {
      return try JSONDecoder().decode(RunConfiguration.self, from: Data(tree.json.utf8))
    } catch DecodingError.typeMismatch(let type, let context) {
      throw wrong(context.codingPath, ConfigurationSources.words(for: type))
    } catch DecodingError.valueNotFound(let type, let context) {
      throw wrong(context.codingPath, ConfigurationSources.words(for: type))
    } catch DecodingError.dataCorrupted(_) {
      // A number that its type cannot hold, of which the decoder does not say where it stands.
      throw ConfigurationSources.unfitNumber(in: tree, from: start)
    }
  }

  /// The first of the new values that cannot be decoded by itself.
  private static func unfitNumber(
    in tree: ConfigurationValue, from start: ConfigurationValue
  ) -> SettingError {
    let unfit = tree.leaves.first { path, value in
      var probe = start
      probe[path] = value
      let decoded = try? JSONDecoder().decode(RunConfiguration.self, from: Data(probe.json.utf8))
      return start[path] != value && decoded == nil
    }
    let expected: String
    switch unfit?.value {
    case .number(let text):
      let number = Double(text) ?? .infinity
      expected = number == number.rounded() ? "a number in range" : "a whole number"
    default: expected = "a list of whole numbers"
    }
    return SettingError(
      key: unfit?.path ?? "", found: unfit?.value.shown ?? "nothing", expected: expected)
  }

  private static func words(for type: any Any.Type) -> String {
    switch type {
    case is String.Type: "text"
    case is Double.Type: "number"
    case is any FixedWidthInteger.Type: "whole number"
    default: "list"
    }
  }

  /// Says which flag or file a wrong setting comes from.
  private func explaining<Value>(_ body: () throws -> Value) throws -> Value {
    do {
      return try body()
    } catch let error as SettingError {
      throw explained(error)
    } catch let error as UnknownSetting {
      throw explained(error)
    } catch let error as ModelDescriptionError {
      let key = "model.\(error.key)"
      if value(key) == nil && file == nil { throw error }
      throw explained(SettingError(key: key, found: error.found, expected: error.expected))
    } catch let error as DatasetError {
      guard let file, let key = ["data", "transform"].first(where: { isWrong($0, error) }) else {
        throw error
      }
      throw CommandError("\(file.path): \(key): \(error)", .configuration)
    }
  }

  /// Whether the error is about this text of the file.
  private func isWrong(_ key: String, _ error: DatasetError) -> Bool {
    guard !flags.contains(where: { $0.key == key }), case .text(let text) = file?.contents[key]
    else {
      return false
    }
    switch error {
    case .badSource(text, _): return key == "data"
    case .badTransform(text): return key == "transform"
    default: return false
    }
  }

  private func explained(_ error: UnknownSetting) -> CommandError {
    let words = "\(error.owner) has no \(error.name), only \(error.members.joined(separator: ", "))"
    if let flag = flags.last(where: { $0.key == error.key }) {
      return CommandError("\(flag.flag) \(flag.value.shown): \(words)", .usage)
    }
    let place = file.map { "\($0.path): " } ?? ""
    return CommandError("\(place)\(error.key) is unknown: \(words)", .configuration)
  }

  private func explained(_ error: SettingError) -> CommandError {
    if let flag = flags.last(where: { $0.key == error.key }) {
      return CommandError("\(flag.flag) \(error.found): expected \(error.expected)", .usage)
    }
    let place = file.map { "\($0.path): " } ?? ""
    return CommandError(
      "\(place)\(error.key) is \(error.found), expected \(error.expected)", .configuration)
  }
}
