// The command-line tools as child processes: what they print, how they end, what they leave.

import Foundation
import Latent
import Testing

/// One of the executables, which lie beside the test binary.
enum Tool: String, CaseIterable, Sendable {
  case train = "latent-train"
  case encode = "latent-encode"
  case interpolate = "latent-interpolate"
  case generate = "latent-generate"
  case quantize = "latent-quantize"
  case merge = "latent-merge"
  case reproduce = "latent-reproduce"
  case stylize = "latent-stylize"
  case search = "latent-search"
  case map = "latent-map"
  case explore = "latent-explore"
  case evaluate = "latent-evaluate"

  static let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()

  var path: URL { Tool.folder.appendingPathComponent(rawValue) }

  /// Runs the tool to its end.
  @discardableResult
  func run(_ arguments: [String], in folder: String) throws -> Ended {
    try start(arguments, in: folder).wait()
  }

  /// Starts the tool.
  func start(_ arguments: [String], in folder: String) throws -> Running {
    try Running(self, arguments, folder)
  }
}

/// How a tool ended.
struct Ended: Sendable {
  /// The exit code; 128 + its number where a signal ended the process, and `bySignal` says so.
  let code: Int32
  let bySignal: Bool
  let output: String
  let errors: String

  /// Standard error line by line.
  var errorLines: [String] { errors.split(separator: "\n").map(String.init) }

  /// Standard output as one JSON object.
  func json() throws -> [String: Any] {
    try #require(
      JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any], "\(output)")
  }

  /// Expects success, and shows what was printed where there is none.
  func succeeded(_ location: SourceLocation = #_sourceLocation) {
    #expect(code == 0 && !bySignal, "\(code): \(errors)", sourceLocation: location)
  }
}

/// A tool at work. Its output goes to files, so that no full pipe can stop it.
final class Running {
  private let process = Process()
  private let files: [String]

  init(_ tool: Tool, _ arguments: [String], _ folder: String) throws {
    files = ["out", "err"].map { "\(folder)/.\(UUID().uuidString).\($0)" }
    for file in files { try Data().write(to: URL(fileURLWithPath: file)) }
    process.executableURL = tool.path
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    var environment = ProcessInfo.processInfo.environment
    environment["SWIFT_BACKTRACE"] = "enable=no"
    process.environment = environment
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: files[0])
    process.standardError = FileHandle(forWritingAtPath: files[1])
    try process.run()
  }

  func signal(_ number: Int32) { kill(process.processIdentifier, number) }

  var isRunning: Bool { process.isRunning }
  /// What was printed so far.
  var output: String { (try? String(contentsOfFile: files[0], encoding: .utf8)) ?? "" }
  var identifier: Int32 { process.processIdentifier }

  /// Waits for the end, at most a minute.
  func wait() throws -> Ended {
    let deadline = Date() + 60
    while process.isRunning && Date() < deadline { usleep(2_000) }
    if process.isRunning {
      signal(SIGKILL)
      Issue.record("\(process.arguments ?? []) did not end within a minute")
    }
    process.waitUntilExit()
    let texts = try files.map { try String(contentsOfFile: $0, encoding: .utf8) }
    for file in files { try? FileManager.default.removeItem(atPath: file) }
    let bySignal = process.terminationReason == .uncaughtSignal
    return Ended(
      code: process.terminationStatus + (bySignal ? 128 : 0), bySignal: bySignal, output: texts[0],
      errors: texts[1])
  }
}

/// Runs `body` with the path of an empty folder and removes it afterwards.
func withTemporaryFolder<Result>(_ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent(
    "latent-tools-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

func bytes(_ path: String) throws -> [UInt8] {
  try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
}

/// Gray pictures of 8 by 8, bytes: a bright bar of one of two directions on noise.
func writePictures(_ count: Int, to path: String, seed: UInt64 = 1) throws {
  var random = RandomStream(seed: seed)
  let noise = random.uniform([count, 8, 8]).floats
  let pixels = (0..<count * 64).map { index in
    let (example, row, column) = (index / 64, index / 8 % 8, index % 8)
    let line = example % 2 == 0 ? row : column
    return UInt8((line == example / 2 % 8 ? 200 : 20) + noise[index] * 50)
  }
  try NPY.write(NDArray(pixels, shape: [count, 8, 8]), to: path)
}

/// A NumPy file of 64-bit integers, which is what NumPy makes of whole numbers.
func writeIntegers(_ values: [Int64], shape: String, to path: String) throws {
  let text = "{'descr': '<i8', 'fortran_order': False, 'shape': \(shape), }"
  let header = text + String(repeating: " ", count: 118 - text.utf8.count - 1) + "\n"
  var bytes: [UInt8] = [0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8)
  for value in values { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
}

/// Flags of a run that is over at once.
let smallRun = [
  "--latent", "2", "--hidden", "12", "--batch", "16", "--epochs", "2", "--threads", "1", "--quiet",
]
