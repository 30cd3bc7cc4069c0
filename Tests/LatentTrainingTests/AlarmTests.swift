// What goes wrong in a run, as epochs that show it.

import Foundation
import Latent
import Synchronization
import Testing

@Suite struct AlarmTests {
  /// An epoch with these averages, one example each.
  private static func epoch(
    _ number: Int, _ terms: [String: Double], validation: Double? = nil
  ) -> EpochMetrics {
    var training = TermAverage()
    training.add(
      terms["loss"] ?? 1, terms.filter { $0.key != "loss" }.map { ($0.key, $0.value) }, examples: 1)
    var other = TermAverage()
    if let validation { other.add(validation, examples: 1) }
    return EpochMetrics(
      epoch: number, step: number, training: training, validation: validation.map { _ in other },
      learningRate: 1e-3, seconds: 1)
  }

  private static func state(_ epoch: Int) -> TrainingState {
    TrainingState(epoch: epoch, batch: 0, batchesPerEpoch: 4, epochs: 99, step: epoch * 4) {
      Checkpoint()
    }
  }

  private static func heard(_ epochs: [EpochMetrics], skipped: Int = 0) throws -> [TrainingAlarm] {
    let list = Mutex<[TrainingAlarm]>([])
    var alarms = TrainingAlarms { alarm in list.withLock { $0.append(alarm) } }
    for metrics in epochs {
      for step in 0..<4 {
        let report = StepReport(
          step: step, examples: 1, loss: 1, learningRate: 1e-3, wasSkipped: step < skipped)
        try alarms.stepEnded(state(metrics.epoch), report)
      }
      try alarms.epochSettled(state(metrics.epoch), metrics)
      // A run that is killed after each epoch and resumed hears nothing twice.
      var resumed = TrainingAlarms { alarm in list.withLock { $0.append(alarm) } }
      resumed.restore(alarms.saved)
      alarms = resumed
    }
    return list.withLock { $0 }
  }

  @Test("Each kind of failure is said once, after the epoch that shows it")
  func kinds() throws {
    let healthy = (1...6).map {
      AlarmTests.epoch($0, ["loss": 9 - Double($0), "kl": 3, "usage": 0.5], validation: 10)
    }
    #expect(try AlarmTests.heard(healthy).isEmpty)
    let collapsed = (1...3).map { AlarmTests.epoch($0, ["kl": 0.001]) }
    #expect(try AlarmTests.heard(collapsed) == [.collapse(nats: 0.001)])
    let dead = (1...3).map { AlarmTests.epoch($0, ["usage": 0.02]) }
    #expect(try AlarmTests.heard(dead) == [.deadCodes(used: 0.02)])
    #expect(try AlarmTests.heard([healthy[0]], skipped: 2) == [.skipped(steps: 2, of: 4)])
    let overfitted = (1...6).map {
      AlarmTests.epoch($0, ["loss": 9 - Double($0), "kl": 3], validation: 10 + Double($0))
    }
    #expect(try AlarmTests.heard(overfitted) == [.overfitting(epochs: 3, sinceLoss: 11)])
  }

  @Test("What is over may be said again")
  func again() throws {
    let nats = [3, 0.001, 0.001, 3, 0.002]
    let epochs = nats.enumerated().map { AlarmTests.epoch($0 + 1, ["kl": $1]) }
    #expect(try AlarmTests.heard(epochs) == [.collapse(nats: 0.001), .collapse(nats: 0.002)])
  }

  @Test("A validation loss that rises with the training loss is no overfitting")
  func rising() throws {
    let epochs = (1...6).map {
      AlarmTests.epoch($0, ["loss": Double($0), "kl": 3], validation: Double($0))
    }
    #expect(try AlarmTests.heard(epochs).isEmpty)
  }
}
