// Why a training run ends before its time.

import Glibc

/// What stops a run that its program did not ask to stop.
public enum TrainingError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A NaN or an infinity, found before the optimiser touched the parameters.
  case nonFinite(step: Int, term: String, parameter: String?)
  /// A step that made a parameter NaN or infinite, or the moments that its rule keeps of it (nil).
  case nonFiniteUpdate(step: Int, parameter: String?)
  /// A term of the validation loss that is NaN or infinite.
  case nonFiniteValidation(epoch: Int, term: String)
  /// SIGINT, SIGTERM, SIGHUP or SIGXCPU; what the events saved is complete. Exit with `128 + signal`.
  case interrupted(signal: Int32, step: Int)
  /// The data set has no complete batch.
  case noBatches(dataset: String, count: Int, batchSize: Int)
  /// Batches of fewer examples than the objective compares with each other.
  case smallBatch(dataset: String, count: Int, smallest: Int)
  /// A run folder without a readable checkpoint.
  case noCheckpoint(folder: String, tried: [String])
  /// The run stopped at a batch that an epoch of these data does not have.
  case wrongPosition(batch: Int, batchesPerEpoch: Int)
  /// A checkpoint that is not one of a training run, or one of another kind of run.
  case wrongCheckpoint(path: String, found: String, expected: String)

  public var description: String {
    switch self {
    case .nonFinite(let step, let term, let parameter):
      "training step \(step): \(term) is not finite"
        + (parameter.map { ", first in parameter \($0)" } ?? "")
        + "; parameters are as before the step (try a lower learning rate or gradient clipping)"
    case .nonFiniteUpdate(let step, let parameter):
      "training step \(step): the update made "
        + (parameter.map { "parameter \($0)" } ?? "the moments of the optimizer")
        + " infinite or NaN; these parameters are of no use, go on from the last checkpoint (try a "
        + "lower learning rate or gradient clipping)"
    case .nonFiniteValidation(let epoch, let term):
      "validation after epoch \(epoch): \(term) is not finite; nothing was saved of this epoch (try a "
        + "lower learning rate or gradient clipping)"
    case .interrupted(let signal, let step):
      "training stopped by \(TrainingError.name(ofSignal: signal)) after step \(step)"
    case .noBatches(let dataset, let count, let batchSize):
      "training on \(dataset): \(count) examples make no batch of \(batchSize)"
    case .smallBatch(let dataset, let count, let smallest):
      "\(dataset): a batch of \(count) examples, but the objective compares examples with each other: "
        + "expected \(smallest) or more"
    case .noCheckpoint(let folder, let tried):
      "resuming from \(folder): found no readable checkpoint"
        + (tried.isEmpty ? "" : "; tried \(tried.joined(separator: "; "))")
    case .wrongPosition(let batch, let batchesPerEpoch):
      "resuming at batch \(batch) of an epoch: found \(batchesPerEpoch) batches, expected \(batch) "
        + "or more; use the data and the batch size that the run began with"
    case .wrongCheckpoint(let path, let found, let expected):
      "checkpoint \(path): found \(found), expected \(expected)"
    }
  }

  private static func name(ofSignal number: Int32) -> String {
    switch number {
    case SIGINT: "SIGINT"
    case SIGTERM: "SIGTERM"
    case SIGHUP: "SIGHUP"
    case SIGXCPU: "SIGXCPU, the limit on processor time,"
    default: "signal \(number)"
    }
  }
}
