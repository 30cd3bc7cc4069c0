// The speed of a user's own model, opened from the folder of its run: what somebody who serves it
// wants to know, throughput and the tail of the latencies.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct RunOptions: ParsableArguments {
  @Option(help: "The folder of a run, as latent-train leaves it.", transform: folderName)
  var run: String?
  @Option(help: "Which checkpoint: best, latest, or the path of a file.") var checkpoint = "best"
  @Option(help: "Data that are encoded; the run's own by default.") var data: String?
  @Option(help: "Write the table as JSON too.") var json: String?
  /// Measure in this process and print a line: what the table starts for each of its rows.
  @Flag(help: .hidden) var row = false
}

struct RunMeasurement {
  let folder: String
  let options: RunOptions
  let seconds, warmup: Double
  let operations: [Operation]
  let batches: [Int]

  struct Row: Codable {
    var op: String
    var batch: Int
    var calls: Int
    var items_per_s: Double
    var p50_s, p90_s, p99_s: Double
    var peak_rss_mib: Double
    var foreign_cores: Double
  }

  private struct Document: Encodable {
    var checkpoint: String
    var model: ModelDescription
    var parameters: Int
    var threads: Int
    var version = LibraryVersion.current
    var kernels = Threads.kernelFamily
    var processor = Machine.processor
    var rows: [Row]
  }

  func run() throws {
    for operation in operations where ![.encode, .decode, .generate].contains(operation) {
      throw ValidationError("--run measures encode, decode and generate, not \(operation)")
    }
    let opened = try OpenRun(folder: folder, checkpoint: options.checkpoint)
    if options.row {
      let row = try measure(opened.model, opened, operations[0], batches[0])
      return printLine(try JSON.line(row))
    }
    var rows: [Row] = []
    for operation in operations {
      for batch in batches {
        let text = try ChildProcess.output(of: command(operation, batch))
        rows.append(try JSONDecoder().decode(Row.self, from: Data(text.utf8)))
      }
    }
    let document = Document(
      checkpoint: opened.path, model: opened.configuration.model,
      parameters: opened.model.parameterCount, threads: Threads.count, rows: rows)
    printLine(
      "\(opened.path): \(document.parameters) parameters, \(document.threads) threads\n\n"
        + RunMeasurement.table(rows).text)
    if let path = options.json { try write(JSON.document(document), to: path) }
  }

  /// Each row in a fresh process, so that its peak memory is its own.
  private func command(_ operation: Operation, _ batch: Int) -> [String] {
    [
      "--run", folder, "--row", "--checkpoint", options.checkpoint, "--op", operation.rawValue,
      "--batch", "\(batch)", "--seconds", "\(seconds)", "--warmup", "\(warmup)", "--threads",
      "\(Threads.count)",
    ] + (options.data.map { ["--data", $0] } ?? [])
  }

  private func measure(
    _ model: some LatentVariableModel, _ opened: OpenRun, _ operation: Operation, _ batch: Int
  ) throws -> Row {
    let call = try call(model, opened, operation, batch)
    _ = warmUp(warmup, call)
    let load = ForeignLoad()
    var times: [Double] = []
    let (start, end) = (now(), now() + seconds)
    while times.count < 3 || now() < end { times.append(block(1, call)) }
    let passed = now() - start
    let percentiles = Percentiles(times)
    return Row(
      op: operation.rawValue, batch: batch, calls: times.count,
      items_per_s: Double(batch * times.count) / passed, p50_s: percentiles[50],
      p90_s: percentiles[90], p99_s: percentiles[99], peak_rss_mib: Machine.peakResidentMiB,
      foreign_cores: load.cores)
  }

  private func call(
    _ model: some LatentVariableModel, _ opened: OpenRun, _ operation: Operation, _ batch: Int
  ) throws -> () -> Void {
    if operation == .generate {
      var random = RandomStream(seed: 3)
      return { blackHole(model.generate(batch, using: &random)) }
    }
    // The first examples of the data, over again where there are fewer.
    let data = try opened.data(options.data)
    let x = Tensor(try data.batch(at: (0..<batch).map { $0 % data.count }).inputs)
    if operation == .encode { return { blackHole(model.codes(of: x)) } }
    let z = model.codes(of: x)
    return { blackHole(model.decode(z).pointEstimate ?? z) }
  }

  static func table(_ rows: [Row]) -> MarkdownTable {
    var table = MarkdownTable(header: [
      "operation", "batch", "items/s", "p50 ms", "p90 ms", "p99 ms", "peak MiB",
    ])
    table.rows = rows.map { row in
      [row.op, "\(row.batch)", digits(row.items_per_s)]
        + [row.p50_s, row.p90_s, row.p99_s].map { digits($0 * 1e3) }
        + ["\(Int(row.peak_rss_mib.rounded()))"]
    }
    return table
  }
}

/// Values below which so many per cent of a sample lie, by the nearest rank.
struct Percentiles {
  private let sorted: [Double]

  init(_ values: [Double]) { sorted = values.sorted() }

  subscript(percent: Double) -> Double {
    let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
    return sorted[min(max(rank, 1), sorted.count) - 1]
  }
}
