// What the system says about the machine and this process.

import Foundation

enum Machine {
  /// The CPU's name as the system has it.
  static var processor: String { line("/proc/cpuinfo", "model name") ?? "unknown" }

  static var cores: Int { ProcessInfo.processInfo.activeProcessorCount }

  /// Peak resident memory of this process. From VmHWM: getrusage's would survive exec and so hold
  /// the peak of a parent process.
  static var peakResidentMiB: Double {
    let words = (line("/proc/self/status", "VmHWM") ?? "").split(separator: " ")
    return (words.first.flatMap { Double($0) } ?? .nan) / 1024
  }

  /// What stands behind `name:` in a file of the system.
  private static func line(_ path: String, _ name: String) -> String? {
    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
    return line?.split(separator: ":").last?.trimmingCharacters(in: .whitespaces)
  }
}

/// CPU use of everything but this process since construction, time stolen by the host included.
struct ForeignLoad {
  private let start = Self.reading()

  private static func reading() -> (time: Double, foreign: Double) {
    let text = (try? String(contentsOfFile: "/proc/stat", encoding: .utf8)) ?? ""
    let words = text.split(separator: "\n").first?.split(separator: " ") ?? []
    // user nice system idle iowait irq soft steal
    let ticks = words.dropFirst().prefix(8).compactMap { Double($0) }
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
