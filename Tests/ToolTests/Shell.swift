// Tools started by a shell, with the redirections and limits that only a shell makes short.

import Foundation

/// Runs a line of `sh` in a folder; the tools are found by their names. Ends with the line's own code,
/// as shells count it: 128 + the number of a signal.
func shell(
  _ line: String, in folder: String, _ environment: [String: String] = [:]
) throws -> Ended {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/sh")
  process.arguments = ["-c", line]
  process.currentDirectoryURL = URL(fileURLWithPath: folder)
  var variables = ProcessInfo.processInfo.environment
  variables["SWIFT_BACKTRACE"] = "enable=no"
  variables["PATH"] = "\(Tool.folder.path):\(variables["PATH"] ?? "/usr/bin:/bin")"
  process.environment = variables.merging(environment) { $1 }
  process.standardInput = FileHandle.nullDevice
  let paths = ["out", "err"].map { "\(folder)/.\(UUID().uuidString).\($0)" }
  for path in paths { try Data().write(to: URL(fileURLWithPath: path)) }
  process.standardOutput = FileHandle(forWritingAtPath: paths[0])
  process.standardError = FileHandle(forWritingAtPath: paths[1])
  try process.run()
  process.waitUntilExit()
  let texts = try paths.map { String(decoding: try bytes($0), as: UTF8.self) }
  for path in paths { try FileManager.default.removeItem(atPath: path) }
  let bySignal = process.terminationReason == .uncaughtSignal
  return Ended(
    code: process.terminationStatus + (bySignal ? 128 : 0), bySignal: bySignal, output: texts[0],
    errors: texts[1])
}

/// The contents of all files below a folder, by name; folders are listed with nothing in them.
func contents(_ folder: String) throws -> [String: [UInt8]] {
  var found: [String: [UInt8]] = [:]
  for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
    found[name] = (try? bytes("\(folder)/\(name)")) ?? []
  }
  return found
}
