// Lines and files of results.

import Foundation
import Latent

/// Prints at once: whoever reads us through a pipe waits for the line.
func printLine(_ line: String) {
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// What is happening, beside the results.
func printNote(_ line: String) {
  FileHandle.standardError.write(Data((line + "\n").utf8))
}

enum JSON {
  /// One line.
  static func line(_ value: some Encodable) throws -> String { try text(value, []) }

  /// A document to be read and compared by people too.
  static func document(_ value: some Encodable) throws -> String {
    try text(value, .prettyPrinted) + "\n"
  }

  private static func text(
    _ value: some Encodable, _ options: JSONEncoder.OutputFormatting
  ) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = options.union([.sortedKeys, .withoutEscapingSlashes])
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

func write(_ text: String, to path: String) throws {
  try AtomicFile.write(Array(text.utf8), to: path)
}

/// One line of results, with the fields of the peers' bench.py.
struct ResultLine: Codable {
  var peer = "latent"
  var version = LibraryVersion.current
  var workload: String
  var op: String
  var batch: Int
  var median_s: Double
  var min_s: Double
  var items_per_s: Double
  var peak_rss_mib: Double
  var threads: Int
  var foreign_cores: Double
  var variant = Threads.kernelFamily
  /// Of a workload, the factor of its hidden widths.
  var width: Double?
  /// Of a workload, what its weights are at.
  var precision: String?
  /// With --limit: GFLOP/s and GB/s of the reference kernels around the measurement, and the limit of
  /// the call on such a machine over its time.
  var peak_gflops: Double?
  var peak_gb_per_s: Double?
  var of_limit: Double?

  init(
    workload: String, op: String, batch: Int, _ timing: Timing, memory: Double,
    width: Double? = nil, precision: String? = nil
  ) {
    self.workload = workload
    self.op = op
    self.batch = batch
    median_s = timing.median
    min_s = timing.least
    items_per_s = Double(batch) / timing.median
    peak_rss_mib = memory
    threads = Threads.count
    foreign_cores = timing.foreign
    self.width = width
    self.precision = precision
  }
}

/// A size as people write it: 1048576, 0.25.
func plain(_ value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }

/// Three significant digits, for tables.
func digits(_ value: Double) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  let decimals = max(0, 2 - Int(log10(abs(value)).rounded(.down)))
  return String(format: "%.\(decimals)f", value)
}
