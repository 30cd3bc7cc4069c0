// How speed and memory change with the sizes of things, as tables, JSON and pictures.

import ArgumentParser
import Foundation
import Latent
import LatentCommands

struct ScalingCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "scaling",
    abstract: "Throughput and memory against batch, width, threads and size of the data set.",
    discussion: """
      Every point of every round is a fresh process, so that its peak memory is its own; rounds are \
      interleaved and medians shown. Writes scaling.md, scaling.json and two pictures for each sweep \
      into the folder.

      SWEEPS
        batch     powers of 2 from 1 to --largest-batch
        width     the workload's hidden widths times 1/4, 1/2, 1, 2, 4
        threads   1 to the number of cores
        data      HDF5 and NPY files of 1024 examples of 28x28 bytes, and 4 times as many each \
      time up to --largest-data, read in shuffled batches of 128
      """)

  @Option(help: "The folder for the results.") var out = "scaling"
  @Option(help: "A comma list of workloads, or all.") var workload = "mlp,conv28"
  @Option(help: "A comma list of operations, or all.") var op = "train,encode,decode,generate"
  @Option(help: "A comma list of sweeps.") var sweep = "batch,width,threads,data"
  @Option(help: "The largest batch.") var largestBatch = 4096
  @Option(help: "The most examples in a data set.") var largestData = 1 << 18
  @Option(help: "Measured seconds of each process.") var seconds = 0.5
  @Option(help: "Least warm-up seconds of each process.") var warmup = 0.2
  @Option(help: "Rounds; medians over them are shown.") var rounds = 3
  @OptionGroup var threads: ThreadOptions

  private static let firstData = 1024
  private static let dataBatch = 128
  private static let widths = [0.25, 0.5, 1, 2, 4]

  /// One process to start.
  private struct Job {
    var sweep: Sweep
    var series: String
    var x: Double
    var arguments: [String]
  }

  func validate() throws {
    try checkRange("rounds", rounds, 1...(.max))
    try checkRange("largest-batch", largestBatch, 1...(.max))
    try checkRange("largest-data", largestData, ScalingCommand.firstData...(.max))
  }

  func run() throws {
    threads.apply()
    let sweeps = try sweep.split(separator: ",").map { name in
      guard let sweep = Sweep(rawValue: String(name)) else {
        throw ValidationError(
          "sweep '\(name)': expected \(Sweep.allCases.map(\.rawValue).joined(separator: ", "))")
      }
      return sweep
    }
    let files = try DataFiles()
    defer { files.remove() }
    let jobs = try sweeps.flatMap { try self.jobs($0, files) }
    var points: [ScalingPoint] = []
    for round in 0..<rounds {
      for job in jobs {
        printNote("round \(round + 1) of \(rounds): \(job.series), \(job.sweep.xLabel) \(job.x)")
        let text = try ChildProcess.output(of: job.arguments)
        let line = try JSONDecoder().decode(ResultLine.self, from: Data(text.utf8))
        points.append(
          ScalingPoint(
            sweep: job.sweep, series: job.series, x: job.x, items_per_s: line.items_per_s,
            peak_rss_mib: line.peak_rss_mib, foreign_cores: line.foreign_cores))
      }
    }
    try write(points, sweeps)
  }

  private func jobs(_ sweep: Sweep, _ files: DataFiles) throws -> [Job] {
    if sweep == .data { return try dataJobs(files) }
    return try Workloads.list(workload).flatMap { workload in
      return try Operation.list(op).filter { $0 != .startup }.flatMap { operation in
        xs(sweep).map { x in
          let batch = sweep == .batch ? Int(x) : workload.batch
          return Job(
            sweep: sweep, series: "\(workload.name) \(operation.rawValue)", x: x,
            arguments: [
              "--workload", workload.name, "--op", operation.rawValue, "--batch", "\(batch)",
              "--width",
              "\(sweep == .width ? x : 1)", "--threads",
              "\(sweep == .threads ? Int(x) : threads.count)", "--seconds", "\(seconds)",
              "--warmup",
              "\(warmup)",
            ])
        }
      }
    }
  }

  private func xs(_ sweep: Sweep) -> [Double] {
    switch sweep {
    case .batch: powers(from: 1, to: largestBatch, by: 2)
    case .width: ScalingCommand.widths
    case .threads: (1...Machine.cores).map(Double.init)
    case .data: powers(from: ScalingCommand.firstData, to: largestData, by: 4)
    }
  }

  private func powers(from first: Int, to last: Int, by factor: Int) -> [Double] {
    Array(sequence(first: first) { $0 * factor <= last ? $0 * factor : nil }).map(Double.init)
  }

  private func dataJobs(_ files: DataFiles) throws -> [Job] {
    try DataFiles.kinds.flatMap { kind in
      try xs(.data).map { count in
        Job(
          sweep: .data, series: kind, x: count,
          arguments: [
            "data", "--data", try files.source(kind, Int(count)), "--batch",
            "\(ScalingCommand.dataBatch)", "--seconds", "\(seconds)", "--threads",
            "\(threads.count)",
          ])
      }
    }
  }

  private func write(_ points: [ScalingPoint], _ sweeps: [Sweep]) throws {
    try Folder.create(out)
    var page =
      "# Scaling\n\n\(Machine.processor), \(threads.count) threads but for the sweep over them, batch of "
      + "the workload but for that sweep, medians of \(rounds) rounds.\n\n"
    for sweep in sweeps {
      let report = SweepReport(sweep, points)
      page += report.markdown
      for (file, chart) in report.pictures {
        try latent_bench.write(chart.svg, to: "\(out)/\(file)")
      }
    }
    try latent_bench.write(page, to: "\(out)/scaling.md")
    try latent_bench.write(JSON.document(points), to: "\(out)/scaling.json")
    printLine(page)
  }
}
