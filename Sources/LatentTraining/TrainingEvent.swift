// What happens beside the steps: saving, stopping early, showing progress, logging. Each is a small
// value; the trainer calls all of them in order.

import LatentLayers
import LatentStorage

/// The position of a run, and a way to a checkpoint of it.
public struct TrainingState {
  /// Epochs completed.
  public let epoch: Int
  /// The batch that comes next in the current epoch: `batchesPerEpoch` between the last step of an
  /// epoch and its end.
  public let batch: Int
  /// The number of steps of an epoch.
  public let batchesPerEpoch: Int
  /// The epochs that the run is to complete.
  public let epochs: Int
  /// Steps done.
  public let step: Int
  /// Why the run ends before its epochs are complete, once an event has asked for that.
  public let stopReason: String?
  /// The complete state of the run, events included.
  public let makeCheckpoint: () throws -> Checkpoint
  /// The model as it is evaluated: with its averaged weights where the run has some. Nil where a loop of one's own
  /// does not say.
  public var model: (any Module)? { makeModel?() }
  private let makeModel: (() -> any Module)?

  /// For training loops of one's own, which call the events as `Trainer.fit` does: `runBegan`,
  /// `stepEnded` after each step, `epochEnded` of all events and then `epochSettled` of all after each
  /// epoch, `runEnded`.
  public init(
    epoch: Int, batch: Int, batchesPerEpoch: Int, epochs: Int, step: Int, stopReason: String? = nil,
    model: (() -> any Module)? = nil, makeCheckpoint: @escaping () throws -> Checkpoint
  ) {
    makeModel = model
    self.epoch = epoch
    self.batch = batch
    self.batchesPerEpoch = batchesPerEpoch
    self.epochs = epochs
    self.step = step
    self.stopReason = stopReason
    self.makeCheckpoint = makeCheckpoint
  }
}

/// Whether the run goes on between two epochs.
public enum TrainingVerdict: Sendable, Equatable {
  /// Another epoch.
  case goOn
  /// The run ends here.
  case stop(reason: String)
}

/// Something that watches a run.
public protocol TrainingEvent: Sendable {
  /// Before the first step of a call of `fit`, of a resumed run too.
  mutating func runBegan(_ state: TrainingState) throws
  /// Something about the data is odd; before the first step of a run that is not resumed.
  mutating func noted(_ state: TrainingState, _ note: DataNote) throws
  /// After each step, skipped ones too.
  mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws
  /// The event decides on the metrics; nothing is written yet.
  mutating func epochEnded(_ state: TrainingState, _ metrics: EpochMetrics) throws
    -> TrainingVerdict
  /// After every event has seen the epoch: the time to write files.
  mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws
  /// A signal came: the last call before the run ends.
  mutating func interrupted(_ state: TrainingState) throws
  /// After the last epoch, or the one after which an event asked to stop.
  mutating func runEnded(_ state: TrainingState) throws

  /// What the event thinks of the run as it remembers it. Asked when a run begins between two epochs:
  /// one that was stopped has nothing to do when it is resumed.
  var verdict: TrainingVerdict { get }
  /// Numbers that a resumed run needs (best so far, epochs without progress).
  var saved: [String: Double] { get }
  /// Takes back what was `saved`.
  mutating func restore(_ saved: [String: Double])
}

extension TrainingEvent {
  public mutating func runBegan(_ state: TrainingState) throws {}
  public mutating func noted(_ state: TrainingState, _ note: DataNote) throws {}
  public mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {}
  public mutating func epochEnded(
    _ state: TrainingState, _ metrics: EpochMetrics
  ) throws -> TrainingVerdict { .goOn }
  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {}
  public mutating func interrupted(_ state: TrainingState) throws {}
  public mutating func runEnded(_ state: TrainingState) throws {}
  public var verdict: TrainingVerdict { .goOn }
  public var saved: [String: Double] { [:] }
  public mutating func restore(_ saved: [String: Double]) {}
}
