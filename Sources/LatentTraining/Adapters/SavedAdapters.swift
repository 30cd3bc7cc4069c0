// Adapters in files: alone, a few kilobytes that belong to a model which lies elsewhere, or with their base
// in the checkpoints of their run. Either way it is said whose they are, and they are put on no other model.

import Foundation
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage

/// The factors of a model's adapters without the model.
///
/// ```swift
/// try SavedAdapters(of: adapted).write(to: "digits.h5")
/// let again = try SavedAdapters(contentsOf: "digits.h5").adapting(model)
/// ```
public struct SavedAdapters: Sendable, Equatable {
  /// What belongs to the factors, as JSON under the name "adapters" in checkpoints.
  public struct Record: Codable, Sendable, Equatable {
    /// `fingerprint` of the module that they belong to.
    public let base: String
    /// As of `Adapted`.
    public let rank: Int
    /// As of `Adapted`.
    public let scale: Double
    /// The paths of the adapted weights.
    public let weights: [String]

    /// As JSON with sorted keys: the same adapters are the same text.
    public func encoded() throws -> String {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
      return String(decoding: try encoder.encode(self), as: UTF8.self)
    }

    /// The paths of the factors.
    var paths: [String] { weights.flatMap { ["\($0).down", "\($0).up"] } }
  }

  /// Whose they are, and how they count.
  public let record: Record
  /// The factors by path.
  public let factors: [String: NDArray]

  /// The name of the text in a checkpoint.
  public static let textName = "adapters"
  /// What stands before the factors' paths in a file of their own.
  private static let prefix = "factors/"

  /// The adapters of `model`.
  public init(of model: Adapted<some Module>) {
    record = Record(
      base: model.base.fingerprint, rank: model.rank, scale: model.scale,
      weights: model.adapters.map(\.path))
    let paths = Set(record.paths)
    factors = model.namedArrays.filter { paths.contains($0.key) }
  }

  /// Those of a checkpoint that is a file of adapters alone, or one of the run that trained them; nil
  /// where it has none.
  /// - Throws: `RunError.wrongAdapters` where they cannot be read.
  public init?(in checkpoint: Checkpoint, path: String) throws {
    guard let text = checkpoint.texts[SavedAdapters.textName] else { return nil }
    guard let record = try? JSONDecoder().decode(Record.self, from: Data(text.utf8)),
      record.scale > 0 && record.scale.isFinite
    else {
      throw RunError.wrongAdapters(path: path, reason: ": what belongs to them cannot be read")
    }
    self.record = record
    let alone = checkpoint.arrays(under: SavedAdapters.prefix)
    let paths = Set(record.paths)
    factors = (alone.isEmpty ? checkpoint.trained : alone).filter { paths.contains($0.key) }
  }

  /// Reads a file of adapters, or those of a checkpoint.
  /// - Throws: `StorageError`, and `RunError.wrongAdapters` where there are none.
  public init(contentsOf path: String) throws {
    guard let found = try SavedAdapters(in: Checkpoint(contentsOf: path), path: path) else {
      throw RunError.wrongAdapters(path: path, reason: ": there are none in this file")
    }
    self = found
  }

  /// Writes a file of these alone, atomically.
  /// - Throws: `StorageError`.
  public func write(to path: String) throws {
    var checkpoint = Checkpoint()
    checkpoint.texts[SavedAdapters.textName] = try record.encoded()
    for (name, array) in factors { checkpoint.arrays[SavedAdapters.prefix + name] = array }
    try checkpoint.write(to: path)
  }

  /// `model` with these adapters. `path` is what messages call them, and `owner` the model.
  /// - Throws: `RunError.wrongAdapters` where they belong to another model, `AdapterError`,
  ///   `ParameterMismatch`.
  public func adapting<Base: Module>(
    _ model: Base, path: String = "in memory", owner: String = "this model"
  ) throws -> Adapted<Base> {
    let found = model.fingerprint
    guard found == record.base else {
      throw RunError.wrongAdapters(
        path: path,
        reason:
          ": they belong to parameters of fingerprint \(record.base.prefix(8)), but \(owner) "
          + "has \(found.prefix(8)); open them beside the run that they were trained from")
    }
    var random = RandomStream(seed: 0)
    var adapted = try Adapted(
      model, weights: record.weights.map { PathPattern($0) }, rank: record.rank,
      scale: record.scale, using: &random)
    try adapted.load(model.namedArrays.merging(factors) { _, new in new })
    return adapted
  }
}

extension Checkpoint {
  /// The parameters of a run's model: the averaged ones where there are some.
  var trained: [String: NDArray] {
    let averaged = arrays(under: "average/")
    return averaged.isEmpty ? arrays(under: "model/") : averaged
  }
}
