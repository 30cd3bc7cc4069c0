// Other runs that a run looks through. Their weights are in the checkpoints of the run that does, among the
// objective's parts; what their networks are stands beside as a text, so that a run can be resumed where the
// folder of the other one is gone.

import Foundation
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage
import Synchronization

/// Opens the encoders of runs for `TrainingFacts.openFeatures`, and remembers which they were.
///
/// ```swift
/// let runs = FeatureRuns()
/// let facts = TrainingFacts(examples: 60_000, inputShape: [28, 28, 1], openFeatures: runs.open)
/// let rule = try description.make(for: model, facts)
/// trainer.descriptions[FeatureRuns.textName] = try runs.encoded()
/// ```
public final class FeatureRuns: Sendable {
  /// The name of the text in a checkpoint.
  public static let textName = "features"

  /// Of a resumed run: the networks that it began with.
  private let saved: [String: ModelDescription]?
  private let opened: Mutex<[String: ModelDescription]>

  /// For a run that begins: opens folders.
  public init() {
    saved = nil
    opened = Mutex([:])
  }

  /// For a run that goes on: makes the networks that its checkpoint describes, whose parameters
  /// `Trainer.resume` brings.
  /// - Throws: `RunError.wrongSettings`.
  public init(resuming checkpoint: Checkpoint, path: String) throws {
    var saved: [String: ModelDescription] = [:]
    if let text = checkpoint.texts[FeatureRuns.textName] {
      do {
        saved = try JSONDecoder().decode([String: ModelDescription].self, from: Data(text.utf8))
      } catch {
        throw RunError.wrongSettings(
          path: path, reason: ": the networks of its features cannot be read (\(error))")
      }
    }
    self.saved = saved
    opened = Mutex(saved)
  }

  /// The encoder of the run in a folder.
  /// - Throws: what `Run.init` throws, `ModelRequirementError` where the encoder cannot be looked through, and
  ///   `RunError.wrongSettings` for a run that the resumed one did not begin with.
  @Sendable public func open(_ run: String) throws -> RunFeatures {
    if let saved {
      guard let description = saved[run] else {
        throw RunError.wrongSettings(
          path: run, reason: ": the checkpoint does not say what the network of its features is")
      }
      var random = RandomStream(seed: 0)
      return try RunFeatures(
        description.makeModel(using: &random), inputShape: Shape(description.inputShape), run: run)
    }
    let other = try Run(path: run)
    let result = try other.features(named: run)
    opened.withLock { $0[run] = other.configuration.model }
    return result
  }

  /// The networks that were opened, as a text for checkpoints; nil where there are none.
  public func encoded() throws -> String? {
    let networks = opened.withLock { $0 }
    if networks.isEmpty { return nil }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(networks), as: UTF8.self)
  }
}

extension Run {
  /// The encoder, to be looked through: in float32, with averaged weights where the run has some. `name` is how errors
  /// call the run.
  /// - Throws: `ModelRequirementError` where the encoder cannot be looked through.
  public func features(named name: String) throws -> RunFeatures {
    func features(_ model: some LatentVariableModel) throws -> RunFeatures {
      try RunFeatures(
        model.converted(to: .float32), inputShape: Shape(configuration.model.inputShape), run: name)
    }
    return try features(model)
  }
}
