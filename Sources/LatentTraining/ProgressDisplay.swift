// Progress: a line that rewrites itself on a terminal, one plain line per epoch elsewhere.

import Foundation
import LatentStorage

/// Shows epoch, loss terms, examples per second and the time left on standard error, and why a run was
/// stopped.
public struct ProgressDisplay: TrainingEvent {
  private let isTerminal: Bool
  private let write: @Sendable (String) -> Void
  private let columns: @Sendable () -> Int?
  private var epochStart = Date()
  private var runStart = Date()
  private var firstStep = 0
  private var lastShown = Date.distantPast
  private var average = TermAverage()

  /// On standard error unless told otherwise.
  ///
  /// - Parameters:
  ///   - isTerminal: whether a line can be rewritten; nil asks the system, for which a terminal without
  ///     escape codes is none.
  ///   - write: takes the texts, in place of standard error. What that does not take at once is
  ///     dropped: no run waits for its display.
  ///   - columns: the width of the terminal at the moment, in place of asking standard error; nil
  ///     where it is not known.
  public init(
    isTerminal: Bool? = nil, write: (@Sendable (String) -> Void)? = nil,
    columns: (@Sendable () -> Int?)? = nil
  ) {
    self.isTerminal = isTerminal ?? StandardStream.error.isScreen
    self.write = write ?? { StandardStream.error.show($0) }
    self.columns = columns ?? { StandardStream.error.columns }
  }

  public mutating func runBegan(_ state: TrainingState) throws {
    runStart = Date()
    epochStart = runStart
    firstStep = state.step
  }

  public mutating func noted(_ state: TrainingState, _ note: DataNote) throws {
    write("note: \(note)\n")
  }

  public mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
    if !report.wasSkipped { average.add(report.ownLoss, report.terms, examples: report.examples) }
    let now = Date()
    guard isTerminal, now.timeIntervalSince(lastShown) > 0.1 else { return }
    lastShown = now
    let speed = Double(average.examples) / max(1e-9, now.timeIntervalSince(epochStart))
    let done = Double(state.step - firstStep)
    let left =
      Double(state.epochs - state.epoch) * Double(state.batchesPerEpoch) - Double(state.batch)
    let remaining = now.timeIntervalSince(runStart) / max(1, done) * left
    let line =
      "epoch \(state.epoch + 1)/\(state.epochs)  batch \(state.batch)/\(state.batchesPerEpoch)  "
      + "\(terms(average))  \(Int(speed)) items/s  ETA \(ProgressDisplay.clock(remaining))"
    // A line that wraps could not be rewritten, and the last column wraps on some terminals.
    write("\r\u{1B}[K" + line.prefix(columns().map { max(0, $0 - 1) } ?? line.count))
  }

  public mutating func epochSettled(_ state: TrainingState, _ metrics: EpochMetrics) throws {
    // Not the metrics' examples: a resumed epoch has some of an earlier session.
    let speed = Double(average.examples) / max(1e-9, metrics.seconds)
    let remaining = metrics.seconds * Double(state.epochs - metrics.epoch)
    var line = "epoch \(metrics.epoch)/\(state.epochs)  train \(terms(metrics.training))"
    if let validation = metrics.validation { line += "  validation \(terms(validation))" }
    line += "  \(Int(speed)) items/s  ETA \(ProgressDisplay.clock(remaining))"
    write((isTerminal ? "\r\u{1B}[K" : "") + line + "\n")
    average = TermAverage()
    epochStart = Date()
  }

  public mutating func runEnded(_ state: TrainingState) throws {
    guard let reason = state.stopReason else { return }
    write("stopped after epoch \(state.epoch) of \(state.epochs): \(reason)\n")
  }

  private func terms(_ average: TermAverage) -> String {
    average.values.map { "\($0.name) \(String(format: "%.2f", $0.value))" }.joined(separator: " ")
  }

  /// 1:02:03 or 02:03.
  static func clock(_ seconds: Double) -> String {
    let total = seconds.isFinite ? Int(min(1e15, max(0, seconds.rounded()))) : 0
    let rest = String(format: "%02d:%02d", total / 60 % 60, total % 60)
    return total >= 3600 ? "\(total / 3600):\(rest)" : rest
  }
}

extension TrainingEvent where Self == ProgressDisplay {
  /// A line on standard error.
  public static var showProgress: ProgressDisplay { ProgressDisplay() }
}
