// A run, opened for use: what latent-train (or latent-quantize) left in a folder, as a model with what
// belongs to it. Programs that serve a model and the command-line tools open runs by this one type.

import Foundation
import LatentAutodiff
import LatentDatasets
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage

/// A trained model with the settings of its run.
///
/// ```swift
/// let run = try Run(path: "run/")
/// let x = try run.input.checked(request)
/// let codes = run.model.codes(of: x)
/// ```
public struct Run: Sendable {
  /// Which checkpoint of a folder.
  public enum Choice: Sendable, Hashable {
    /// The one with the lowest validation loss, `best.h5`.
    case best
    /// The newest that can be read.
    case latest
    /// A file, wherever it lies.
    case file(String)
  }

  /// The checkpoint that was read.
  public let checkpointPath: String
  /// What the run was asked to do.
  public let configuration: RunConfiguration
  /// With the averaged weights where the run has some, and with adapters merged into them.
  public let model: any LatentVariableModel
  /// What is known of the adapters in `model`, nil where there are none.
  public let adapters: SavedAdapters.Record?
  /// The names of the labels 0, 1, ..., where the data had names.
  public let classNames: [String]

  /// Opens the run in a folder, or the checkpoint that `path` is.
  ///
  /// - Parameter adapters: a file of adapters that were trained from this run, to be put on its model.
  /// - Throws: `StorageError` for files, `RunError` for checkpoints that are not of a described run and
  ///   for adapters of another one, `TrainingError.noCheckpoint`, `ModelDescriptionError`,
  ///   `ParameterMismatch`.
  public init(
    path: String, checkpoint choice: Choice = .best, adapters file: String? = nil
  ) throws {
    let contents: Checkpoint
    (checkpointPath, contents) = try Run.read(path, choice)
    configuration = try RunConfiguration(from: contents, path: checkpointPath)
    var random = RandomStream(seed: 0)
    let own = try SavedAdapters(in: contents, path: checkpointPath)
    var model = try Run.loaded(
      configuration.model.makeModel(using: &random),
      contents.trained.filter { own?.factors[$0.key] == nil })
    if let own { model = try Run.merged(model, own, checkpointPath, checkpointPath) }
    let added = try file.map { try SavedAdapters(contentsOf: $0) }
    if let file, let added { model = try Run.merged(model, added, file, checkpointPath) }
    self.model = model
    adapters = (added ?? own)?.record
    classNames = try Run.names(contents.texts[Run.labelsName], checkpointPath)
  }

  /// The shape and type of examples and of latents.
  public var input: InputForm {
    InputForm(
      shape: Shape(configuration.model.inputShape),
      dtype: configuration.isText ? .int32 : .float32, latentShape: model.latentShape)
  }

  /// What the run does to data before the model sees them, nil for nothing. Random ones are left out
  /// where a trained model is used (`Dataset.seen(through:)`).
  public var transform: (any BatchTransform)? {
    get throws { try BatchTransforms.parse(configuration.transform) }
  }

  // MARK: Reading

  /// The name under which a checkpoint keeps the names of labels, a list in JSON.
  public static let labelsName = "labels"

  private static func read(
    _ path: String, _ choice: Choice
  ) throws -> (path: String, checkpoint: Checkpoint) {
    if case .file(let file) = choice { return (file, try Checkpoint(contentsOf: file)) }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder.boolValue {
      return (path, try Checkpoint(contentsOf: path))
    }
    let names = try Folder.names(in: path)
    let hasBest = names.contains(RunFolder.best)
    let best = "\(path)/\(RunFolder.best)"
    // A run that was not trained here, such as a quantised one, has a single checkpoint.
    if choice == .latest, !hasBest || names.contains(where: { RunFolder.step(of: $0) != nil }) {
      return try RunFolder.newest(in: path)
    }
    guard hasBest else { throw RunError.noBest(folder: path) }
    return (best, try Checkpoint(contentsOf: best))
  }

  private static func loaded(
    _ model: some LatentVariableModel, _ arrays: [String: NDArray]
  ) throws -> any LatentVariableModel {
    var model = model
    try model.load(arrays)
    return model
  }

  private static func merged(
    _ model: some LatentVariableModel, _ adapters: SavedAdapters, _ path: String, _ owner: String
  ) throws -> any LatentVariableModel {
    try adapters.adapting(model, path: path, owner: owner).merged
  }

  private static func names(_ text: String?, _ path: String) throws -> [String] {
    guard let text else { return [] }
    guard let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
      throw RunError.wrongSettings(path: path, reason: ": the names of its labels are no list")
    }
    return names
  }
}

/// Why a folder or a checkpoint cannot be opened as a run.
public enum RunError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A checkpoint that does not say what it holds, or not in a way that can be read.
  case wrongSettings(path: String, reason: String)
  /// A run without `best.h5`.
  case noBest(folder: String)
  /// Adapters that cannot be read, or that belong to another model.
  case wrongAdapters(path: String, reason: String)
  /// A sampler that cannot be read, that belongs to another model or was fitted with other settings.
  case wrongSampler(path: String, reason: String)

  public var description: String {
    switch self {
    case .wrongSettings(let path, let reason): "checkpoint \(path)\(reason)"
    case .wrongAdapters(let path, let reason): "adapters \(path)\(reason)"
    case .wrongSampler(let path, let reason): "sampler \(path)\(reason)"
    case .noBest(let folder):
      "\(folder) holds no \(RunFolder.best): no epoch is complete yet (try the latest checkpoint)"
    }
  }
}
