// What goes wrong in a run can be seen while it runs: in a sentence, with what to do about it.

import Foundation
import LatentStorage

/// Something that goes wrong in a run.
public enum TrainingAlarm: Sendable, Equatable, CustomStringConvertible {
  /// The divergence from the prior is next to nothing: latents say nothing about the data.
  case collapse(nats: Double)
  /// Steps were left out, because a number was not finite.
  case skipped(steps: Int, of: Int)
  /// The validation loss has been rising for epochs in which the training loss fell.
  case overfitting(epochs: Int, sinceLoss: Double)
  /// Most codes are never used.
  case deadCodes(used: Double)

  /// What is compared over epochs: an alarm of one kind is raised once until it is over.
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// Latents say nothing.
    case collapse
    /// Steps were left out.
    case skipped
    /// The validation loss rises while the training loss falls.
    case overfitting
    /// Most codes are not used.
    case deadCodes
  }

  /// Which of them it is.
  public var kind: Kind {
    switch self {
    case .collapse: .collapse
    case .skipped: .skipped
    case .overfitting: .overfitting
    case .deadCodes: .deadCodes
    }
  }

  public var description: String {
    func short(_ value: Double) -> String { String(format: "%.3g", value) }
    switch self {
    case .collapse(let nats):
      return "the divergence is \(short(nats)) nats: latents say nothing about the data. "
        + "Let its weight rise more slowly (warmupSteps), lower it (beta), or give free bits"
    case .skipped(let steps, let all):
      return "\(steps) of \(all) steps were left out, as numbers were not finite. "
        + "Lower the learning rate, or clip the gradient"
    case .overfitting(let epochs, let loss):
      return
        "the validation loss has been rising for \(epochs) epochs (from \(short(loss)) nats) while the training "
        + "loss falls. Stop early (patience), use more data, or a smaller decoder"
    case .deadCodes(let used):
      return "\(short(100 * used)) % of the codes are used. "
        + "Restart dead codes, begin with k-means, or use fewer codes or 'simvq', 'fsq'"
    }
  }
}

/// Watches the epochs of a run and says when something goes wrong.
///
/// Alarms are heard after an epoch, each kind once until it is over, and again by a resumed run only where they are
/// new.
public struct TrainingAlarms: TrainingEvent {
  /// Below so many nats of divergence latents say nothing.
  public static let collapse = 0.05
  /// More than this share of steps that are left out is too many.
  public static let skippedShare = 0.01
  /// So many epochs of a rising validation loss are no accident.
  public static let risingEpochs = 3
  /// Less than this share of codes in use is too few.
  public static let usedCodes = 0.1

  private let hear: @Sendable (TrainingAlarm) -> Void
  private var heard: Set<TrainingAlarm.Kind> = []
  private var steps = 0
  private var skipped = 0
  private var rising = 0
  private var best = Double.infinity
  private var last: (training: Double, validation: Double)?

  /// Says alarms on standard error unless told otherwise.
  ///
  /// - Parameter hear: takes each alarm, in place of a line on standard error.
  public init(hear: (@Sendable (TrainingAlarm) -> Void)? = nil) {
    self.hear = hear ?? { StandardStream.error.show("alarm: \($0)\n") }
  }

  public mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    steps += 1
    if report.wasSkipped { skipped += 1 }
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    let alarms = alarms(metrics)
    for alarm in alarms where !heard.contains(alarm.kind) { hear(alarm) }
    heard = Set(alarms.map(\.kind))
    (steps, skipped) = (0, 0)
  }

  /// What is wrong after an epoch.
  private mutating func alarms(_ metrics: EpochMetrics) -> [TrainingAlarm] {
    var alarms: [TrainingAlarm] = []
    // In the first epoch a warm-up may have let latents rest.
    if let nats = metrics.training["kl"], metrics.epoch > 1, nats < TrainingAlarms.collapse {
      alarms.append(.collapse(nats: nats))
    }
    if Double(skipped) > TrainingAlarms.skippedShare * Double(steps) {
      alarms.append(.skipped(steps: skipped, of: steps))
    }
    if let used = metrics.training["usage"], used < TrainingAlarms.usedCodes {
      alarms.append(.deadCodes(used: used))
    }
    if let validation = metrics.validation?.loss {
      if let last, validation > last.validation, metrics.training.loss < last.training {
        rising += 1
      } else {
        rising = 0
        best = validation
      }
      last = (metrics.training.loss, validation)
      if rising >= TrainingAlarms.risingEpochs {
        alarms.append(.overfitting(epochs: rising, sinceLoss: best))
      }
    }
    return alarms
  }

  public var saved: [String: Double] {
    var saved: [String: Double] = [
      "alarmSteps": Double(steps), "alarmSkipped": Double(skipped), "alarmRising": Double(rising),
      "alarmBest": best, "alarmTraining": last?.training ?? .nan,
      "alarmValidation": last?.validation ?? .nan,
    ]
    for kind in TrainingAlarm.Kind.allCases {
      saved["alarm.\(kind.rawValue)"] = heard.contains(kind) ? 1 : 0
    }
    return saved
  }

  public mutating func restore(_ saved: [String: Double]) {
    steps = Int(saved["alarmSteps"] ?? 0)
    skipped = Int(saved["alarmSkipped"] ?? 0)
    rising = Int(saved["alarmRising"] ?? 0)
    best = saved["alarmBest"] ?? .infinity
    if let training = saved["alarmTraining"], let validation = saved["alarmValidation"],
      !validation.isNaN
    {
      last = (training, validation)
    }
    heard = Set(TrainingAlarm.Kind.allCases.filter { saved["alarm.\($0.rawValue)"] == 1 })
  }
}

extension TrainingEvent where Self == TrainingAlarms {
  /// Says on standard error when latents collapse, steps are left out, a run overfits or codes die.
  public static var raiseAlarms: TrainingAlarms { TrainingAlarms() }
}
