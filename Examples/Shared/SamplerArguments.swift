// Where latents come from that are decoded: the prior, or a sampler that is fitted once to the codes of a run's training
// data and kept beside the run.

import ArgumentParser
import Foundation
import Latent

/// The options of tools that draw latents.
public struct SamplerArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Where latents are from: "
        + SamplerSettings.all.map { $0.name }.joined(separator: ", ")
        + ". All but prior are fitted to codes of the training data at first use and kept as "
        + "sampler-NAME.h5 in the run's folder."))
  public var sampler = SamplerSettings().name

  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: "A setting of the sampler, as sampler.components=20; can be repeated.")
  public var settings: [String] = []

  @Flag(help: "Fit the sampler again, in place of the one that is kept.")
  public var refit = false

  @Option(help: "Draw latents of this class, 0 or more, where the sampler knows classes.")
  public var label: Int?

  public init() {}

  /// Whether anything is said of a sampler.
  public var isAsked: Bool {
    sampler != SamplerSettings().name || !settings.isEmpty || refit || label != nil
  }

  public func validate() throws {
    do {
      _ = try SamplerSettings(named: sampler)
    } catch let error as SettingError {
      throw ValidationError("--sampler \(error.found): expected \(error.expected)")
    }
    if let label { try checkRange("label", label, 0...Int(Int32.max)) }
  }

  /// The sampler for an opened run: the one that is kept, else one that is fitted and kept.
  /// - Throws: `CommandError`, `RunError.wrongSampler`, what reading and fitting throw.
  public func open(_ opened: OpenRun, seed: UInt64) throws -> any LatentSampler {
    let sampler = try find(opened, seed: seed)
    if let label {
      let count = SamplerArguments.classCount(of: sampler, opened)
      if label >= count {
        throw CommandError(
          "--label \(label): the sampler '\(self.sampler)' of this run knows \(count) classes",
          .usage)
      }
    }
    return sampler
  }

  /// Labels that the sampler of a run can draw by are 0 to one less.
  public static func classCount(of sampler: any LatentSampler, _ opened: OpenRun) -> Int {
    guard sampler is PriorSampler else { return sampler.classCount }
    let prior = opened.configuration.model.prior.description
    return (prior as? HierarchicalPriorDescription)?.classes ?? 0
  }

  /// The fields of so many latents: their labels where one is asked for.
  public func fields(_ count: Int) -> [String: Tensor] {
    guard let label else { return [:] }
    return [Field.labels: Tensor([Int32](repeating: Int32(label), count: count))]
  }

  private func find(_ opened: OpenRun, seed: UInt64) throws -> any LatentSampler {
    let standard = try SamplerSettings(named: sampler)
    let description = standard.description
    func isFitted<D: SamplerDescription>(_ description: D) -> Bool { D.isFitted }
    if !isFitted(description) {
      if refit { throw CommandError("--refit: the sampler '\(sampler)' is not fitted", .usage) }
      var random = RandomStream(seed: seed)
      let asked = try changed(standard)
      return asked.description.makeSampler(
        SamplerFacts(latentShape: [], examples: 0, classes: 0), using: &random)
    }
    func draws<D: SamplerDescription>(_ description: D, on space: LatentSpace) -> Bool {
      D.draws(on: space)
    }
    let space = opened.configuration.model.posterior.description.space
    if !draws(description, on: space) {
      let names = SamplerSettings.all.filter { $0.draws(on: space) }.map { $0.name }
      throw CommandError(
        "--sampler \(sampler): latents of this run lie on \(space), where only "
          + "\(names.joined(separator: ", ")) draw", .usage)
    }
    let path = "\(opened.folder)/\(RunFolder.sampler(sampler))"
    let isThere = FileManager.default.fileExists(atPath: path)
    if isThere && !refit {
      let saved = try SavedSampler(contentsOf: path)
      let asked = settings.isEmpty ? saved.record.settings : try changed(saved.record.settings)
      do {
        return try saved.sampler(for: opened.model, settings: asked, path: path)
      } catch let error as RunError {
        throw CommandError("\(error) with --refit", .dataError)
      }
    }
    if isThere && !FileMark.holds(for: path) && (try? SavedSampler(contentsOf: path)) == nil {
      throw CommandError(
        "--refit: \(path) is no sampler, and was not made by this tool; it stays", .usage)
    }
    let asked = try changed(standard)
    let data = try opened.trainingData()
    printNote("fitting the sampler '\(sampler)' to the codes of \(data.name)")
    let saved = try fitted(asked, opened.model, data, seed)
    try saved.write(to: path)
    FileMark.set(on: path)
    return try saved.sampler(for: opened.model, path: path)
  }

  private func fitted(
    _ settings: SamplerSettings, _ model: some LatentVariableModel, _ data: some Dataset,
    _ seed: UInt64
  ) throws -> SavedSampler {
    try SavedSampler(fitting: settings, to: model, on: data, seed: seed) { printNote($0) }
  }

  /// Settings with what `--set` says.
  private func changed(_ base: SamplerSettings) throws -> SamplerSettings {
    let group = "sampler."
    var tree = try ConfigurationValue(encoding: base)
    let known = tree.leaves.map(\.path).filter { $0 != "name" }
    for text in settings {
      let setting = try FlagSetting(assignment: text)
      let key = String(setting.key.dropFirst(group.count))
      guard setting.key.hasPrefix(group), known.contains(key) else {
        throw CommandError(
          "\(setting.flag): the sampler '\(sampler)' has "
            + (known.isEmpty
              ? "no settings" : "only \(known.map { group + $0 }.joined(separator: ", "))"),
          .usage)
      }
      tree[key] = setting.value
      do {
        _ = try JSONDecoder().decode(SamplerSettings.self, from: Data(tree.json.utf8))
      } catch let error as SettingError {
        throw CommandError("\(setting.flag) \(error.found): expected \(error.expected)", .usage)
      } catch {
        let old = try ConfigurationValue(encoding: base)[key]?.shown ?? ""
        throw CommandError(
          "\(setting.flag) \(setting.value.shown): expected a value such as \(old)", .usage)
      }
    }
    let result = try JSONDecoder().decode(SamplerSettings.self, from: Data(tree.json.utf8))
    do {
      try result.description.validate()
    } catch let error as SettingError {
      throw CommandError("--set \(error.key) \(error.found): expected \(error.expected)", .usage)
    }
    return result
  }
}

extension OpenRun {
  /// What the run was trained on, without its validation part, as the model knows it but for what is random.
  public func trainingData() throws -> any Dataset {
    let (all, _) = try DataSource(parsing: configuration.data).open(bytes: configuration.bytes)
    if all.inputShape != Shape(configuration.model.inputShape) {
      throw CommandError(
        "data \(configuration.data): examples of shape \(all.inputShape), but the model was trained on "
          + "\(configuration.model.inputShape)", .dataError)
    }
    let training = try all.split(
      validation: configuration.validation, seed: configuration.seed
    ).training
    return training.seen(through: try run.transform)
  }
}
