// Speed as a file under version control: for each operation the ratio of its time to that of a
// kernel which stands for the machine. Seconds belong to a machine and a moment, ratios mostly to the
// code.

import Foundation
import Latent
import LatentCommands

struct Baseline: Codable {
  struct Entry: Codable {
    var reference: Reference.Kind
    /// Time of the operation over time of the reference.
    var ratio: Double
  }

  var processor = Machine.processor
  var kernels = Threads.kernelFamily
  var threads = Threads.count
  /// How much a ratio may grow before it counts as slower.
  var tolerance: Double
  var operations: [String: Entry] = [:]

  init(tolerance: Double) { self.tolerance = tolerance }

  init(contentsOf path: String) throws {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw CommandError(
        "baseline '\(path)' cannot be read: write one with 'latent-bench check \(path) --update'",
        .noInput)
    }
    do {
      self = try JSONDecoder().decode(Baseline.self, from: data)
    } catch {
      throw CommandError("baseline '\(path)' is no baseline: \(error)", .dataError)
    }
  }

  /// Why ratios may differ though the code does not; nil where nothing is known.
  var caution: String? {
    let differences = [
      ("processor", processor, Machine.processor), ("kernels", kernels, Threads.kernelFamily),
      ("threads", "\(threads)", "\(Threads.count)"),
    ].filter { $0.1 != $0.2 }
    if differences.isEmpty { return nil }
    return "another machine than the baseline's, ratios agree only roughly: "
      + differences.map { "\($0.0) \($0.2), there \($0.1)" }.joined(separator: "; ")
  }
}

/// What became of one operation.
struct Verdict {
  enum Kind: String {
    case same, faster, slower
    /// Not in the baseline.
    case new
    /// In the baseline, but measured no more.
    case gone
  }

  var name: String
  var baseline: Baseline.Entry?
  var now: Baseline.Entry?
  let kind: Kind

  init(_ name: String, baseline: Baseline.Entry?, now: Baseline.Entry?, tolerance: Double) {
    self.name = name
    self.baseline = baseline
    self.now = now
    guard let baseline else {
      kind = .new
      return
    }
    guard let now else {
      kind = .gone
      return
    }
    let change = now.ratio / baseline.ratio
    kind = change > 1 + tolerance ? .slower : change < 1 / (1 + tolerance) ? .faster : .same
  }

  /// Whether the check passes; a name that is in one place only would pass for ever.
  var isGood: Bool { kind == .same || kind == .faster }

  static func table(_ verdicts: [Verdict]) -> MarkdownTable {
    var table = MarkdownTable(
      header: ["operation", "over", "baseline", "now", "change", "verdict"], words: 2)
    table.rows = verdicts.map { verdict in
      let (old, new) = (verdict.baseline, verdict.now)
      let change =
        if let old, let new { String(format: "%.2fx", new.ratio / old.ratio) } else { "" }
      return [
        verdict.name, (new ?? old)?.reference.rawValue ?? "", old.map { digits($0.ratio) } ?? "",
        new.map { digits($0.ratio) } ?? "", change,
        verdict.isGood ? verdict.kind.rawValue : "**\(verdict.kind.rawValue)**",
      ]
    }
    return table
  }
}
