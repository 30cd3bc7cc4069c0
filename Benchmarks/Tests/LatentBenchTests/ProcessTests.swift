// Processes that measure: how their ends are told, and what the program does with wrong arguments.

import ArgumentParser
import Foundation
import Latent
import LatentCommands
import Testing

@testable import latent_bench

@Suite struct ProcessTests {
  @Test(
    "A wait status is an exit code or a signal",
    arguments: [
      (0, .exited(code: 0), 0, "exit code 0"), (1 << 8, .exited(code: 1), 1, "exit code 1"),
      (65 << 8, .exited(code: 65), 65, "exit code 65"),
      (255 << 8, .exited(code: 255), 255, "exit code 255"),
      (9, .killed(signal: 9), 137, "signal 9 (Killed)"),
      (4 | 0x80, .killed(signal: 4), 132, "signal 4 (Illegal instruction)"),
    ] as [(Int32, ChildProcess.Ending, Int32, String)])
  func endings(status: Int32, ending: ChildProcess.Ending, code: Int32, words: String) {
    let found = ChildProcess.Ending(waitStatus: status)
    #expect(found == ending && found.code == code && found.sentence.hasSuffix(words))
  }

  @Test(
    "Low precision goes with inference of the workloads",
    arguments: [
      (
        "--precision float16 --op encode", "--precision float16: expected float32, bfloat16 or int8"
      ),
      ("--precision int8", "--precision int8 goes with --op encode, decode and generate"),
      ("--precision bfloat16 --op train", "--precision bfloat16 goes with"),
      ("--precision int8 --op encode,startup", "--precision int8 goes with"),
      ("--precision int8 --op all", "--precision int8 goes with"),
      ("--precision int8 --op encode --run run", "--precision int8 goes with"),
      ("--precision float32 --op train", nil), ("--precision float32 --run run", nil),
      ("--precision int8 --op encode,decode,generate", nil),
      ("--precision bfloat16 --op generate", nil),
    ] as [(String, String?)])
  func precision(arguments: String, words: String?) {
    func parse() throws {
      _ = try WorkloadsCommand.parse(arguments.split(separator: " ").map(String.init))
    }
    if let words {
      #expect {
        try parse()
      } throws: {
        WorkloadsCommand.exitCode(for: $0) == .validationFailure
          && WorkloadsCommand.message(for: $0).contains(words)
      }
    } else {
      #expect(throws: Never.self) { try parse() }
    }
  }

  /// What the program does, beside the test binary, in a folder with a run on whole numbers.
  private func bench(_ arguments: [String], in folder: String) throws -> (code: Int32, text: String)
  {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0])
      .deletingLastPathComponent().appendingPathComponent("latent-bench")
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let data = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: data, as: UTF8.self))
  }

  @Test("A run on whole numbers is measured, and a child's exit code is passed on")
  func runs() throws {
    let folder = FileManager.default.temporaryDirectory.path + "/latent-bench-\(UUID().uuidString)"
    try Folder.create(folder)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try NPY.write(NDArray((0..<36).map { Int32($0 % 2) }, shape: [6, 6]), to: "\(folder)/x.npy")
    let description = ModelDescription(MLPNetwork(hidden: [4], latentSize: 2), inputShape: [6])
    let configuration = RunConfiguration(data: "npy:x.npy", model: description)
    var random = RandomStream(seed: 1)
    let model = try description.makeModel(using: &random)
    var checkpoint = Checkpoint(texts: [RunConfiguration.textName: try configuration.encoded()])
    for (path, array) in model.namedArrays { checkpoint.arrays["model/\(path)"] = array }
    try checkpoint.write(to: "\(folder)/\(RunFolder.best)")
    let flags = ["--batch", "4", "--seconds", "0.001", "--warmup", "0", "--threads", "1"]
    let good = try bench(["--run", "."] + flags, in: folder)
    #expect(good.code == 0 && good.text.contains("| encode"), "\(good)")
    let missing = try bench(
      ["--run", ".", "--op", "encode", "--data", "npy:none.npy"] + flags, in: folder)
    #expect(missing.code == 66, "\(missing)")
    #expect(missing.text.contains("ended with exit code 66"), "\(missing)")
  }
}
