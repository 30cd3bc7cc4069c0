// Early stopping by patience (Prechelt 1998): the count of epochs without progress is saved, so that a
// run that was stopped stays stopped.

import LatentNumerics

/// Ends a run when the selection loss has not fallen for `patience` epochs in succession. A loss that
/// is NaN or infinite says nothing about progress and counts as no epoch at all: `fit` ends such runs.
public struct EarlyStopping: TrainingEvent {
  /// Epochs without progress that are waited for.
  public let patience: Int
  /// A fall by less than this does not count, nats.
  public let threshold: Double
  private var best = Double.infinity
  private var epochsWithout = 0

  /// Traps unless `patience` is positive.
  public init(
    patience: Int, threshold: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      patience > 0, "early stopping after \(patience) epochs: expected at least 1", file: file,
      line: line)
    self.patience = patience
    self.threshold = threshold
  }

  public mutating func epochEnded(
    _ state: TrainingState, _ metrics: EpochMetrics
  ) throws -> TrainingVerdict {
    guard metrics.selectionLoss.isFinite else { return verdict }
    if metrics.selectionLoss < best - threshold {
      best = metrics.selectionLoss
      epochsWithout = 0
    } else {
      epochsWithout += 1
    }
    return verdict
  }

  public var verdict: TrainingVerdict {
    epochsWithout < patience
      ? .goOn
      : .stop(
        reason: "no progress for \(epochsWithout) epoch\(epochsWithout == 1 ? "" : "s"); "
          + "best loss \(best)")
  }

  public var saved: [String: Double] { ["best": best, "epochsWithout": Double(epochsWithout)] }

  public mutating func restore(_ saved: [String: Double]) {
    best = saved["best"] ?? best
    epochsWithout = Int(saved["epochsWithout"] ?? 0)
  }
}

extension TrainingEvent where Self == EarlyStopping {
  /// Traps unless `patience` is positive.
  public static func stopEarly(
    patience: Int, threshold: Double = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> EarlyStopping {
    EarlyStopping(patience: patience, threshold: threshold, file: file, line: line)
  }
}
