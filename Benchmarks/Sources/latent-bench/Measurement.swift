// How a call is timed: warmed up, then in blocks that fill 20 ms; the median block counts. The
// same method, fields and units as the peers' bench.py, so that compare.py can mix the two.

import Foundation

func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// CPU use of everything but this process since construction.
struct ForeignLoad {
  private let start = Self.reading()

  private static func reading() -> (time: Double, foreign: Double) {
    let line =
      (try? String(contentsOfFile: "/proc/stat", encoding: .utf8))?
      .split(separator: "\n").first ?? ""
    let ticks = line.split(separator: " ").dropFirst().prefix(8).compactMap { Double($0) }
    let busy = ticks.count == 8 ? ticks.reduce(0, +) - ticks[3] - ticks[4] : 0
    var own = tms()
    times(&own)
    let ownTicks = Double(own.tms_utime + own.tms_stime + own.tms_cutime + own.tms_cstime)
    return (now(), (busy - ownTicks) / Double(sysconf(Int32(_SC_CLK_TCK))))
  }

  var cores: Double {
    let end = Self.reading()
    return max(0, (end.foreign - start.foreign) / (end.time - start.time))
  }
}

func peakResidentMiB() -> Double {
  let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
  let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM") } ?? ""
  return
    (Double(line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first ?? "0") ?? 0)
    / 1024
}

struct Timing {
  var median: Double
  var least: Double
  var foreign: Double
}

/// Calls for `seconds`, until calls stopped being slow; gives calls per 20 ms block.
func warmUp(_ seconds: Double, _ call: () throws -> Void) rethrows -> Int {
  let start = now()
  var times: [Double] = []
  while times.count < 2 || now() - start < seconds {
    let begin = now()
    try call()
    times.append(now() - begin)
  }
  let late = times[(times.count / 2)...].sorted()
  return max(1, Int((0.02 / late[times.count / 4 < late.count ? times.count / 4 : 0]).rounded()))
}

func measure(_ seconds: Double, perBlock: Int, _ call: () throws -> Void) rethrows -> Timing {
  let load = ForeignLoad()
  var blocks: [Double] = []
  let end = now() + seconds
  while blocks.count < 3 || now() < end {
    let begin = now()
    for _ in 0..<perBlock { try call() }
    blocks.append((now() - begin) / Double(perBlock))
  }
  blocks.sort()
  return Timing(median: blocks[blocks.count / 2], least: blocks[0], foreign: load.cores)
}

/// Prints at once: whoever reads us through a pipe waits for the line.
func printLine(_ line: String) {
  FileHandle.standardOutput.write(Data((line + "\n").utf8))
}

/// One line of results, as bench.py prints it.
struct ResultLine: Encodable {
  var peer = "latent"
  var version: String
  var workload: String
  var op: String
  var batch: Int
  var median_s: Double
  var min_s: Double
  var items_per_s: Double
  var peak_rss_mib: Double
  var threads: Int
  var foreign_cores: Double
  var variant: String

  func emit() {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = (try? encoder.encode(self)).flatMap { String(data: $0, encoding: .utf8) } ?? "{}"
    printLine(line)
  }
}
