/// Ends a run when the selection loss has not fallen for `patience` epochs.
public struct EarlyStopping: TrainingEvent {
  public let patience: Int
  /// A fall by less than this does not count, nats.
  public let threshold: Double
  private var best = Double.infinity
  private var epochsWithout = 0

  public init(patience: Int, threshold: Double = 0) {
    self.patience = patience
    self.threshold = threshold
  }

  public mutating func epochEnded(
    _ state: TrainingState, _ metrics: EpochMetrics
  ) throws -> TrainingVerdict {
    if metrics.selectionLoss < best - threshold {
      best = metrics.selectionLoss
      epochsWithout = 0
    } else {
      epochsWithout += 1
    }
    return epochsWithout > patience
      ? .stop(reason: "no progress for \(epochsWithout) epochs; best loss \(best)") : .goOn
  }

  public var saved: [String: Double] { ["best": best, "epochsWithout": Double(epochsWithout)] }

  public mutating func restore(_ saved: [String: Double]) {
    best = saved["best"] ?? best
    epochsWithout = Int(saved["epochsWithout"] ?? 0)
  }
}

extension TrainingEvent where Self == EarlyStopping {
  public static func stopEarly(patience: Int, threshold: Double = 0) -> EarlyStopping {
    EarlyStopping(patience: patience, threshold: threshold)
  }
}
