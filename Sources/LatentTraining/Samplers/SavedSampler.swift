// A fitted sampler in a file of its own beside the run: it says whose codes it has learned, and draws for no other
// parameters.

import Foundation
import LatentAutodiff
import LatentDatasets
import LatentEvaluation
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage

/// A sampler that has learned the codes of a model, without the model.
///
/// ```swift
/// let saved = try SavedSampler(fitting: SamplerSettings(named: "gmm"), to: run.model, on: dataset)
/// try saved.write(to: "run/sampler-gmm.h5")
/// let z = try saved.sampler(for: run.model).latents(64, of: run.model, fields: [:], using: &random)
/// ```
public struct SavedSampler: Sendable {
  /// What belongs to the numbers, as JSON under the name "sampler" in the file.
  public struct Record: Codable, Sendable, Equatable {
    /// `fingerprint` of the model whose codes it has learned.
    public let base: String
    /// What was fitted, and how it is drawn from.
    public let settings: SamplerSettings
    /// What its shapes follow from.
    public let facts: SamplerFacts
    /// The data whose codes they are.
    public let data: String
    /// What the randomness of fitting followed from.
    public let seed: UInt64
  }

  /// Whose it is, and what it was fitted with.
  public let record: Record
  /// Its numbers by path.
  public let arrays: [String: NDArray]

  /// The name of the text in the file.
  private static let textName = "sampler"
  /// What stands before the paths of numbers.
  private static let prefix = "state/"

  /// Fits a sampler to the codes that a model gives to data. `progress` hears from time to time how far it is.
  /// - Throws: `ModelRequirementError` where the sampler cannot draw for the model, what the data set throws, and what makes
  ///   codes unfit for it.
  public init(
    fitting settings: SamplerSettings, to model: some LatentVariableModel,
    on dataset: some Dataset, seed: UInt64 = 0, progress: (String) -> Void = { _ in }
  ) throws {
    let description = settings.description
    try description.validate(for: model)
    let data = try model.encoded(dataset)
    var random = RandomStream(seed: seed).split("sampler")
    let sampler = try description.fit(data, using: &random, progress: progress)
    record = Record(
      base: model.fingerprint, settings: settings, facts: data.facts, data: dataset.name,
      seed: seed)
    arrays = sampler.namedArrays
  }

  /// Reads a file.
  /// - Throws: `StorageError`, and `RunError.wrongSampler` where it holds none.
  public init(contentsOf path: String) throws {
    let checkpoint = try Checkpoint(contentsOf: path)
    guard let text = checkpoint.texts[SavedSampler.textName] else {
      throw RunError.wrongSampler(path: path, reason: ": there is none in this file")
    }
    do {
      record = try JSONDecoder().decode(Record.self, from: Data(text.utf8))
      try record.settings.description.validate()
    } catch {
      throw RunError.wrongSampler(
        path: path, reason: ": what belongs to it cannot be read (\(error))")
    }
    arrays = checkpoint.arrays(under: SavedSampler.prefix)
  }

  /// Writes a file, atomically.
  /// - Throws: `StorageError`.
  public func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var checkpoint = Checkpoint()
    checkpoint.texts[SavedSampler.textName] = String(
      decoding: try encoder.encode(record), as: UTF8.self)
    for (name, array) in arrays { checkpoint.arrays[SavedSampler.prefix + name] = array }
    try checkpoint.write(to: path)
  }

  /// The sampler, for the model whose codes it has learned. `settings`, where they are given, may differ from those that it
  /// was fitted with in how it is drawn from; `path` is what messages call it.
  /// - Throws: `RunError.wrongSampler` where it belongs to another model or was fitted with other settings,
  ///   `ParameterMismatch`.
  public func sampler(
    for model: some LatentVariableModel, settings: SamplerSettings? = nil,
    path: String = "in memory"
  ) throws -> any LatentSampler {
    let found = model.fingerprint
    guard found == record.base else {
      throw RunError.wrongSampler(
        path: path,
        reason: ": it has learned the codes of parameters of fingerprint "
          + "\(record.base.prefix(8)), but this model has \(found.prefix(8)); fit it anew")
    }
    let asked = settings ?? record.settings
    func ofFit(_ settings: SamplerSettings) -> SamplerSettings {
      func open(_ description: some SamplerDescription) -> SamplerSettings {
        SamplerSettings(description.ofFit)
      }
      return open(settings.description)
    }
    guard ofFit(asked) == ofFit(record.settings) else {
      throw RunError.wrongSampler(
        path: path,
        reason: ": it was fitted with \(record.settings.description), but "
          + "\(asked.description) is asked for; fit it anew")
    }
    let facts = record.facts
    guard Shape(facts.latentShape) == model.latentShape, facts.examples > 0, facts.classes >= 0
    else {
      throw RunError.wrongSampler(
        path: path, reason: ": it draws latents \(facts.latentShape), not \(model.latentShape)")
    }
    var random = RandomStream(seed: 0)
    func loaded(_ sampler: some LatentSampler) throws -> any LatentSampler {
      var sampler = sampler
      try sampler.load(arrays)
      return sampler
    }
    return try loaded(asked.description.makeSampler(facts, using: &random))
  }
}

extension LatentVariableModel {
  /// The posteriors of a whole data set, so many examples at a time, with labels where they are known.
  /// - Throws: what the data set throws, and `DatasetError` for numbers that are none.
  public func encoded(_ dataset: some Dataset, batch: Int = 512) throws -> EncodedData {
    var data = EncodedData()
    for start in stride(from: 0, to: dataset.count, by: batch) {
      let rows = try dataset.batch(start..<min(start + batch, dataset.count))
      try rows.requireFinite(in: dataset)
      data.add(
        encode(Tensor(rows.inputs), fields: rows.tensors), labels: rows.labels.map { Tensor($0) })
    }
    return data
  }
}

extension RunFolder {
  /// The file of a fitted sampler in a run folder, such as `sampler-gmm.h5`.
  public static func sampler(_ name: String) -> String { "sampler-\(name).h5" }

  /// Whether a file of this name is one.
  public static func isSampler(_ name: String) -> Bool {
    name.hasPrefix("sampler-") && name.hasSuffix(".h5")
  }
}
