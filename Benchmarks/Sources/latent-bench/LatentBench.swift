// The command: its flags are those of the peers' bench.py.

import ArgumentParser
import Foundation
import Latent

struct LatentBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "latent-bench",
    abstract: "Times training and inference of the benchmark workloads.",
    discussion: """
      Prints one JSON line for each measurement: median and least seconds per call over blocks of \
      20 ms, items per second, peak resident memory, and the cores that other processes used \
      meanwhile. Operations: train, encode, decode, generate, startup.
      """)

  @Option(help: "The workload: mlp.") var workload = "mlp"
  @Option(help: "train, encode, decode, generate, startup, a comma list, or all.") var op = "train"
  @Option(help: "Batch size or comma list; the sizes of the workload by default.")
  var batch: String?
  @Option(help: "Measured seconds per line.") var seconds = 5.0
  @Option(help: "Least warm-up seconds.") var warmup = 1.0
  @Option(help: "Threads that share the work.") var threads = 2
  @Flag(help: "Warm up, print a ready line, then measure once per line on standard input.")
  var serve = false
  @Option(help: .hidden) var startupChild: String?

  func run() throws {
    Threads.count = threads
    if let startupChild { return try Startup.child(startupChild) }
    guard workload == "mlp" else {
      throw ValidationError("workload '\(workload)': only 'mlp' is there so far")
    }
    let ops =
      op == "all" ? ["train", "encode", "decode", "generate"] : op.components(separatedBy: ",")
    for op in ops {
      let sizes = try batch.map { list in
        try list.split(separator: ",").map { item in
          guard let size = Int(item), size > 0 else {
            throw ValidationError("batch '\(item)': expected a positive number")
          }
          return size
        }
      }
      for size in op == "startup" ? [1] : sizes ?? defaultBatches(op) { try run(op, size) }
    }
  }

  private func defaultBatches(_ op: String) -> [Int] {
    switch op {
    case "encode", "decode": [1, 64, 512]
    case "generate": [64]
    default: [MLPWorkload.batch]
    }
  }

  private func run(_ op: String, _ size: Int) throws {
    if op == "startup" { return try startup() }
    let call = try MLPCalls.make(op, batch: size)
    let perBlock = warmUp(warmup, call)
    try repeated {
      _ = warmUp(0.2, call)
      emit(op, size, measure(seconds, perBlock: perBlock, call), peakResidentMiB())
    }
  }

  private func startup() throws {
    let startup = try Startup(threads: threads)
    defer { startup.remove() }
    _ = try startup.once()
    try repeated {
      let load = ForeignLoad()
      var times: [Double] = []
      var memory = 0.0
      let end = now() + seconds
      while times.count < 3 || now() < end {
        let begin = now()
        memory = max(memory, try startup.once())
        times.append(now() - begin)
      }
      times.sort()
      emit(
        "startup", 1,
        Timing(median: times[times.count / 2], least: times[0], foreign: load.cores), memory)
    }
  }

  private func repeated(_ once: () throws -> Void) throws {
    if !serve { return try once() }
    printLine("{\"ready\": true}")
    while readLine() != nil { try once() }
  }

  private func emit(_ op: String, _ size: Int, _ timing: Timing, _ memory: Double) {
    ResultLine(
      version: LibraryVersion.current, workload: workload, op: op, batch: size,
      median_s: timing.median, min_s: timing.least, items_per_s: Double(size) / timing.median,
      peak_rss_mib: memory, threads: threads, foreign_cores: timing.foreign,
      variant: Threads.kernelFamily
    ).emit()
  }
}
