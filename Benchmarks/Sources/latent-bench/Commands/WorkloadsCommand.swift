// The default command: its flags are those of the peers' bench.py.

import ArgumentParser
import Foundation
import Latent

struct WorkloadsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "workloads",
    abstract: "Times training and inference of the benchmark workloads, or of a run of your own.",
    discussion: """
      Prints one JSON line for each measurement: median and least seconds per call over blocks of \
      20 ms, items per second, peak resident memory, and the cores that other processes used \
      meanwhile.

      WORKLOADS
        mlp, conv28, conv64, resnet64, seq; a comma list, or all
        iwae50, vamp500, iaf2, btcvae, factor, vq28, hvae4, waemmd: other
        objectives, whose only operation is train
      OPERATIONS
        train, encode, decode, generate, nll, startup; a comma list, or all, which leaves out nll
        and startup

      With --run the model is one that latent-train saved, and the result a table: items per \
      second, percentiles of the time of single calls, peak memory. Its decoding gives means of the \
      likelihood, as the command-line tools do.
      """)

  @Option(help: "The workloads that are timed.") var workload = "mlp"
  @Option(help: "The operations that are timed; with --run encode,decode,generate by default.")
  var op: String?
  @Option(help: "Batch size or comma list; the sizes of the workload by default.")
  var batch: String?
  @Option(help: "Measured seconds per line.") var seconds = 5.0
  @Option(help: "Least warm-up seconds.") var warmup = 1.0
  @OptionGroup var threads: ThreadOptions
  @Option(help: "A factor of the workload's hidden widths.") var width = 1.0
  @Option(help: "Of the weights of encode, decode and generate: float32, bfloat16 or int8.")
  var precision = "float32"
  @Flag(help: "Measure the machine's peak before each line, and how close to it the operation is.")
  var limit = false
  @Flag(help: "Warm up, print a ready line, then measure once per line on standard input.")
  var serve = false
  @OptionGroup(title: "A run of your own") var own: RunOptions
  @Option(help: .hidden) var startupChild: String?

  func validate() throws {
    guard width > 0 && width <= 64 else {
      throw ValidationError("--width \(width): expected a positive factor of at most 64")
    }
    guard precision == "float32" || LowPrecision(rawValue: precision) != nil else {
      throw ValidationError("--precision \(precision): expected float32, bfloat16 or int8")
    }
    let isInference = try Operation.list(op ?? "train").allSatisfy { $0.isInference }
    guard precision == "float32" || (isInference && own.run == nil) else {
      throw ValidationError("--precision \(precision) goes with --op encode, decode and generate")
    }
    guard !limit || (precision == "float32" && own.run == nil) else {
      throw ValidationError("--limit counts the arithmetic of the workloads in float32")
    }
  }

  func run() throws {
    threads.apply()
    let sizes = try batch.map(BatchSizes.parse)
    if let folder = own.run {
      let operations = try Operation.list(op ?? "encode,decode,generate")
      return try RunMeasurement(
        folder: folder, options: own, seconds: seconds, warmup: warmup,
        operations: operations, batches: sizes ?? [1, 16, 64, 256]
      ).run()
    }
    if let objective = ObjectiveWorkload.all.first(where: { $0.name == workload }) {
      return try measure(objective, sizes ?? [objective.batch])
    }
    for workload in try Workloads.list(workload, width: width) {
      if let startupChild { return try Startup.child(workload, startupChild) }
      for operation in try Operation.list(op ?? "train") {
        for size in operation == .startup ? [1] : sizes ?? workload.batches(operation) {
          try measure(workload, operation, size)
        }
      }
    }
  }

  private func measure(_ workload: some Workload, _ operation: Operation, _ size: Int) throws {
    func emit(_ timing: Timing, _ memory: Double, _ peak: Peak? = nil) throws {
      var line = ResultLine(
        workload: workload.name, op: operation.rawValue, batch: size, timing, memory: memory,
        width: workload.width, precision: precision)
      if let peak {
        line.peak_gflops = peak.flops / 1e9
        line.peak_gb_per_s = peak.bandwidth / 1e9
        line.of_limit = workload.limit(operation, batch: size, peak) / timing.median
      }
      printLine(try JSON.line(line))
    }
    if operation == .startup {
      let startup = try Startup(workload, threads: threads.count)
      defer { startup.remove() }
      _ = try startup.once()
      return try repeated {
        let (timing, memory) = try startup.measure(seconds)
        try emit(timing, memory)
      }
    }
    let call = workload.call(
      operation, batch: size, precision: LowPrecision(rawValue: precision))
    let perBlock = warmUp(warmup, call)
    let reference = limit ? Reference() : nil
    try repeated {
      let peak = reference?.peak()
      _ = warmUp(0.2, call)
      let timing = measureBlocks(seconds, perBlock: perBlock, call)
      try emit(timing, Machine.peakResidentMiB, peak)
    }
  }

  private func measure(_ workload: ObjectiveWorkload, _ sizes: [Int]) throws {
    guard try Operation.list(op ?? "train") == [.train], width == 1, !limit else {
      throw ValidationError(
        "workload \(workload.name): expected --op train, without --width and --limit")
    }
    for size in sizes {
      let call = workload.step(batch: size)
      let perBlock = warmUp(warmup, call)
      try repeated {
        _ = warmUp(0.2, call)
        let timing = measureBlocks(seconds, perBlock: perBlock, call)
        printLine(
          try JSON.line(
            ResultLine(
              workload: workload.name, op: Operation.train.rawValue, batch: size, timing,
              memory: Machine.peakResidentMiB, width: 1, precision: precision)))
      }
    }
  }

  private func repeated(_ once: () throws -> Void) throws {
    if !serve { return try once() }
    printLine("{\"ready\": true}")
    while readLine() != nil { try once() }
  }
}
