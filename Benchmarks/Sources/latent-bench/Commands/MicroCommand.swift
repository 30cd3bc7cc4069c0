// Kernels, layers and distributions one by one, beside what the machine can do.

import ArgumentParser
import Latent
import LatentCommands

struct MicroCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "micro",
    abstract: "Times kernels, layers and distributions beside the machine's measured peak.",
    discussion: """
      The peak is measured again before each group in each round: a float32 product of 512^3 for \
      arithmetic, a pass over 256 MiB for memory. "of limit" is the least time for the counted \
      arithmetic and traffic at these peaks over the time taken; what fits the caches can exceed \
      100 %.
      """)

  @Option(help: "Only those whose group or name contains this text.") var only: String?
  @Option(help: "Rounds; medians over them are shown.") var rounds = 3
  @Option(help: "Measured seconds for each and round.") var seconds = 0.1
  @OptionGroup var threads: ThreadOptions
  @Option(help: "Also write one JSON line for each to this file.") var json: String?

  struct Line: Codable {
    var group: MicroBenchmark.Group
    var name: String
    var median_s: Double
    var gb_per_s: Double
    var gflop_per_s: Double?
    /// Of the machine's peak in the same round.
    var share: Double
    var peak_gb_per_s, peak_gflop_per_s: Double
    var threads: Int
    var foreign_cores: Double
  }

  /// One round's reading.
  private struct Reading {
    var timing: Timing
    var peak: Peak
  }

  func validate() throws {
    try checkRange("rounds", rounds, 1...(.max))
  }

  func run() throws {
    threads.apply()
    let chosen = MicroBenchmark.all.filter { $0.matches(only) }
    guard !chosen.isEmpty else {
      throw ValidationError("--only '\(only ?? "")': no group and no name contains it")
    }
    let reference = Reference()
    var readings = [[Reading]](repeating: [], count: chosen.count)
    for round in 0..<rounds {
      printNote("round \(round + 1) of \(rounds)")
      for group in MicroBenchmark.Group.allCases {
        let members = chosen.indices.filter { chosen[$0].group == group }
        if members.isEmpty { continue }
        let peak = reference.peak()
        for index in members {
          let call = chosen[index].prepare()
          let perBlock = warmUp(0.02, call)
          let timing = measureBlocks(seconds, perBlock: perBlock, call)
          readings[index].append(Reading(timing: timing, peak: peak))
        }
      }
    }
    let lines = zip(chosen, readings).map(line)
    printLine(
      "peak \(digits(lines[0].peak_gflop_per_s)) GFLOP/s, \(digits(lines[0].peak_gb_per_s)) GB/s, "
        + "\(threads.count) threads, \(Machine.processor)\n\n" + MicroCommand.table(lines).text)
    if let json { try write(lines.map { try JSON.line($0) + "\n" }.joined(), to: json) }
  }

  private func line(_ benchmark: MicroBenchmark, _ readings: [Reading]) -> Line {
    let time = median(readings.map(\.timing.median))
    let shares = readings.map {
      $0.peak.limit(operations: benchmark.operations, bytes: benchmark.bytes) / $0.timing.median
    }
    return Line(
      group: benchmark.group, name: benchmark.name, median_s: time,
      gb_per_s: benchmark.bytes / time * 1e-9,
      gflop_per_s: benchmark.operations > 0 ? benchmark.operations / time * 1e-9 : nil,
      share: median(shares), peak_gb_per_s: median(readings.map(\.peak.bandwidth)) * 1e-9,
      peak_gflop_per_s: median(readings.map(\.peak.flops)) * 1e-9, threads: threads.count,
      foreign_cores: median(readings.map(\.timing.foreign)))
  }

  private static func table(_ lines: [Line]) -> MarkdownTable {
    var table = MarkdownTable(
      header: ["group", "what", "us", "GB/s", "GFLOP/s", "of limit"], words: 2)
    table.rows = lines.map { line in
      [
        line.group.rawValue, line.name, digits(line.median_s * 1e6), digits(line.gb_per_s),
        line.gflop_per_s.map(digits) ?? "", "\(Int((100 * line.share).rounded())) %",
      ]
    }
    return table
  }
}

extension MicroBenchmark {
  func matches(_ text: String?) -> Bool {
    guard let text else { return true }
    return group.rawValue.contains(text) || name.contains(text)
  }
}
