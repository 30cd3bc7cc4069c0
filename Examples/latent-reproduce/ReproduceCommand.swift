// latent-reproduce: findings of the literature, run again and compared with what is claimed.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct ReproduceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-reproduce",
    abstract: "Runs a finding of the literature and compares it with what was claimed.",
    usage: "latent-reproduce <name> --data <data> [<options>]",
    discussion: """
      Trains every arm of the finding once for each seed, takes figures of it on
      test data, and prints what was expected beside what was found. Nothing is
      written but --out.

      FINDINGS
      \(Reproduction.all.map { line($0) }.joined(separator: "\n"))

      Their arms, settings and claims: latent-reproduce --list. An arm is what
      latent-train makes of the same settings.

      EXAMPLE
        latent-reproduce iwae --data mnist:mnist/ --seeds 1,2,3 --out iwae.json
        latent-reproduce wae --data mnist:fashion/ --set epochs=2
      """)

  private static func line(_ finding: Reproduction) -> String {
    "  \(finding.name.padding(toLength: 11, withPad: " ", startingAt: 0))\(finding.summary)"
  }

  @Argument(help: "The finding; see FINDINGS.") var name: String?
  @Flag(help: "Show every finding with its arms, settings and claims, and end.") var list = false
  @Option(help: "What to train on, with labels, such as mnist:DIR. (default: the finding's own)")
  var data: String?
  @Option(help: "Every arm is trained once for each: numbers such as 1,2,3.") var seeds = "1"
  @Option(
    name: .customLong("set"),
    help: "KEY=VALUE: changes a setting of all arms, as latent-train's; repeatable.")
  var settings: [String] = []
  @Option(help: "A JSON file for all figures.", transform: pathName) var out: String?
  @OptionGroup var overwriting: OverwriteArguments
  @Option(help: "Threads; 0 takes every CPU. Results are the same for any number.")
  var threads = 0
  @Flag(help: "No progress on standard error.") var quiet = false

  func validate() throws {
    try checkRange("threads", threads, 0...256)
    if list { return }
    guard let name else { throw ValidationError("Missing expected argument '<name>', or --list") }
    if finding == nil {
      let names = Reproduction.all.map(\.name).joined(separator: ", ")
      throw ValidationError("no finding '\(name)': expected one of \(names)")
    }
    if data == nil && finding?.data == nil {
      throw ValidationError("Missing expected argument '--data <data>'")
    }
    _ = try seedNumbers()
  }

  private var finding: Reproduction? { Reproduction.all.first { $0.name == name } }

  private func seedNumbers() throws -> [UInt64] {
    try seeds.split(separator: ",", omittingEmptySubsequences: false).map { text in
      guard let seed = UInt64(text) else {
        throw ValidationError("--seeds '\(seeds)': expected numbers such as 1,2,3")
      }
      return seed
    }
  }

  func run() throws {
    if list { return try printResult(Reproduction.all.map(\.page).joined(separator: "\n")) }
    guard let finding, let data = data ?? finding.data else { return }
    Threads.count = threads
    if let out { try overwriting.check(out, needed: DataSource(parsing: data).files) }
    let outcome = try ReproductionRun(
      finding: finding, data: data, changes: settings, seeds: try seedNumbers(), quiet: quiet
    ).outcome()
    if let out {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      encoder.nonConformingFloatEncodingStrategy = .convertToString(
        positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
      try AtomicFile.write(Array(try encoder.encode(outcome)), to: out)
      FileMark.set(on: out)
    }
    try printResult(outcome.table)
  }
}

extension Reproduction {
  /// The finding for people.
  fileprivate var page: String {
    var lines = ["\(name): \(summary) (\(paper)); about \(Int(minutes)) min a seed"]
    if let data { lines.append("  data: \(data)") }
    lines.append("  all arms: \(settings.joined(separator: " "))")
    lines += arms.map { "  \($0.page)" }
    lines += claims.map { "  claim: \($0.verdict { _, _ in [.nan] }.claim)" }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension Arm {
  /// The arm for people.
  fileprivate var page: String {
    var words = name
    if let digits { words += ", digits \(digits.lowerBound) to \(digits.upperBound)" }
    if let start { words += ", from \(start)" }
    let taken = figures.map(\.rawValue).joined(separator: ", ")
    return "\(words): \(settings.joined(separator: " ")) -> \(taken)"
  }
}
