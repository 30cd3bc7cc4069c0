// Saving: a checkpoint every few epochs, the newest few and the best kept. An old file goes only
// after the newer one is on disk and has been read back.

import Foundation
import LatentStorage

/// Names of checkpoints in a run folder.
public enum RunFolder {
  /// The checkpoint of the epoch with the lowest loss.
  public static let best = "best.h5"
  /// The adapters of that checkpoint alone, of a run that trained some.
  public static let adapters = "adapters.h5"

  /// Such as `checkpoint-000001200.h5`.
  public static func checkpointName(step: Int) -> String {
    let digits = String(step)
    return "checkpoint-" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits + ".h5"
  }

  /// The step of a checkpoint's name, or nil for other files.
  public static func step(of name: String) -> Int? {
    guard name.hasPrefix("checkpoint-"), name.hasSuffix(".h5") else { return nil }
    return Int(name.dropFirst("checkpoint-".count).dropLast(".h5".count))
  }

  /// Paths of the checkpoints in a folder, newest first.
  public static func checkpoints(in folder: String) throws -> [String] {
    try Folder.names(in: folder)
      .compactMap { name in step(of: name).map { ($0, name) } }
      .sorted { $0.0 > $1.0 }
      .map { "\(folder)/\($0.1)" }
  }

  /// The newest checkpoint that can be read; damaged ones are passed over.
  /// - Throws: `TrainingError.noCheckpoint` with what was wrong with each.
  public static func newest(in folder: String) throws -> (path: String, checkpoint: Checkpoint) {
    var tried: [String] = []
    for path in try checkpoints(in: folder) {
      do {
        return (path, try Checkpoint(contentsOf: path))
      } catch {
        tried.append("\(error)")
      }
    }
    throw TrainingError.noCheckpoint(folder: folder, tried: tried)
  }
}

/// Writes checkpoints to a folder, as long as it is the one that was there when the run began.
public struct SaveCheckpoints: TrainingEvent {
  /// Epochs between two checkpoints.
  public let everyEpochs: Int
  /// Besides, after so many steps, where given.
  public let everySteps: Int?
  /// The run folder.
  public let folder: String
  /// How many of the newest are kept; `best.h5` is kept besides.
  public let keeping: Int
  private var best = Double.infinity
  private var bestIsNew = false
  private var lastSaved = -1
  private var held: HeldFolder?

  /// After each epoch unless told otherwise; the newest three are kept.
  public init(everyEpochs: Int = 1, everySteps: Int? = nil, to folder: String, keeping: Int = 3) {
    self.everyEpochs = max(1, everyEpochs)
    self.everySteps = everySteps.map { max(1, $0) }
    self.folder = folder
    self.keeping = max(1, keeping)
  }

  public mutating func runBegan(_ state: TrainingState) throws {
    try Folder.create(folder)
    held = try HeldFolder(folder)
    _ = try AtomicFile.sweepLeftovers(in: folder)
  }

  public mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    // At an epoch's end the checkpoint waits for the validation.
    guard let everySteps, state.step % everySteps == 0 else { return }
    if state.batch < state.batchesPerEpoch { try save(state) }
  }

  public mutating func epochEnded(
    _ state: TrainingState, _ metrics: EpochMetrics
  ) throws -> TrainingVerdict {
    // A loss that is no number can be no best one; `fit` has ended such a run before.
    bestIsNew = metrics.selectionLoss.isFinite && metrics.selectionLoss < best
    if bestIsNew { best = metrics.selectionLoss }
    return .goOn
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    if bestIsNew {
      try write(state, to: RunFolder.best)
      bestIsNew = false
    }
    if metrics.epoch % everyEpochs == 0 { try save(state) }
  }

  public mutating func interrupted(_ state: TrainingState) throws { try save(state) }
  public mutating func runEnded(_ state: TrainingState) throws { try save(state) }

  private mutating func save(_ state: TrainingState) throws {
    if lastSaved == state.step { return }
    let name = RunFolder.checkpointName(step: state.step)
    try write(state, to: name)
    lastSaved = state.step
    do {
      try held.map { try prune($0, sparing: "\(folder)/\(name)") }
    } catch {
      // Where the folder was removed meanwhile that is the reason, whatever could not be read.
      try held?.verify()
      throw error
    }
  }

  private mutating func write(_ state: TrainingState, to name: String) throws {
    let held = try held ?? HeldFolder(folder)
    self.held = held
    try held.write(try state.makeCheckpoint().encoded(), to: name)
  }

  private func prune(_ held: HeldFolder, sparing path: String) throws {
    let old = try RunFolder.checkpoints(in: folder).filter { $0 != path }
    guard old.count >= keeping else { return }
    _ = try Checkpoint(contentsOf: path)
    for path in old.dropFirst(keeping - 1) {
      held.remove(String(path.dropFirst(folder.count + 1)))
    }
  }

  public var saved: [String: Double] { ["best": best] }
  public mutating func restore(_ saved: [String: Double]) {
    if let best = saved["best"], !best.isNaN { self.best = best }
  }
}

extension TrainingEvent where Self == SaveCheckpoints {
  /// Writes checkpoints to `folder` every so many epochs and, where given, steps; keeps the newest
  /// few and the best.
  public static func saveEvery(
    epochs: Int = 1, steps: Int? = nil, to folder: String, keeping: Int = 3
  ) -> SaveCheckpoints {
    SaveCheckpoints(everyEpochs: epochs, everySteps: steps, to: folder, keeping: keeping)
  }
}
