// Has anything become slower? Answered by ratios, so that the answer holds on another day and under
// some load.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct CheckCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Compares the speed of every operation with a baseline, by ratios.",
    discussion: """
      Each operation's time is divided by that of a reference kernel measured around it: a pass over \
      256 MiB for what streams through memory, a float32 product of 512^3 for all else. What looks \
      slower is measured again twice, and the least ratio counts. Exits with 1 where an operation \
      is slower than the tolerance allows, or is missing on one of the two sides.
      """)

  @Argument(help: "The file of ratios.") var baseline = "Benchmarks/baseline.json"
  @Flag(help: "Write what is measured as the new baseline.") var update = false
  @Option(help: "How much a ratio may grow; the baseline's own tolerance by default.")
  var tolerance: Double?
  @Option(help: "Only operations whose name contains this text.") var only: String?
  @Option(help: "Rounds for each operation.") var rounds = 7
  @OptionGroup var threads: ThreadOptions

  private static let usualTolerance = 0.25
  private static let attempts = 3

  func validate() throws {
    try checkRange("rounds", rounds, 1...(.max))
    if let tolerance, tolerance <= 0 {
      throw ValidationError("--tolerance \(tolerance): expected a positive number")
    }
  }

  func run() throws {
    threads.apply()
    let isNew = update && !FileManager.default.fileExists(atPath: baseline)
    var known =
      isNew
      ? Baseline(tolerance: CheckCommand.usualTolerance) : try Baseline(contentsOf: baseline)
    if let tolerance { known.tolerance = tolerance }
    let reference = Reference()
    let operations = CheckedOperation.all.filter { isChosen($0.name) }
    var verdicts = operations.map { verdict($0, known, reference) }
    let names = Set(operations.map(\.name))
    verdicts += known.operations.filter { isChosen($0.key) && !names.contains($0.key) }
      .sorted { $0.key < $1.key }
      .map { Verdict($0.key, baseline: $0.value, now: nil, tolerance: known.tolerance) }
    guard !verdicts.isEmpty else {
      throw ValidationError("--only '\(only ?? "")': no operation's name contains it")
    }
    printLine(Verdict.table(verdicts).text)
    if let caution = known.caution { printLine("Caution: \(caution).") }
    if update { return try write(verdicts, over: known) }
    let bad = verdicts.filter { !$0.isGood }
    if bad.isEmpty { return printLine("\(verdicts.count) operations, none slower.") }
    printLine("\(bad.count) of \(verdicts.count) operations are not as the baseline has them.")
    throw ExitCode.failure
  }

  private func isChosen(_ name: String) -> Bool { only.map { name.contains($0) } ?? true }

  private func verdict(
    _ operation: CheckedOperation, _ known: Baseline, _ reference: Reference
  ) -> Verdict {
    printNote(operation.name)
    let entry = known.operations[operation.name]
    let kind = entry?.reference ?? operation.reference
    var ratio = operation.ratio(to: kind, reference, rounds: rounds)
    func result() -> Verdict {
      Verdict(
        operation.name, baseline: entry, now: Baseline.Entry(reference: kind, ratio: ratio),
        tolerance: known.tolerance)
    }
    for _ in 1..<CheckCommand.attempts where result().kind == .slower {
      ratio = min(ratio, operation.ratio(to: kind, reference, rounds: rounds))
    }
    return result()
  }

  /// Operations that were not chosen keep their ratios.
  private func write(_ verdicts: [Verdict], over known: Baseline) throws {
    var new = Baseline(tolerance: known.tolerance)
    new.operations = known.operations
    for verdict in verdicts {
      new.operations[verdict.name] = verdict.now.map {
        Baseline.Entry(
          reference: $0.reference, ratio: Double(String(format: "%.4g", $0.ratio)) ?? $0.ratio)
      }
    }
    try latent_bench.write(JSON.document(new), to: baseline)
    printLine("\(new.operations.count) ratios written to \(baseline).")
  }
}
