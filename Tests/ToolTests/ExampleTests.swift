// The teaching examples do what their first lines say, on short settings.

import Foundation
import Latent
import Testing

@Suite struct ExampleTests {
  /// Runs an example with `input` on standard input.
  private func run(
    _ name: String, _ arguments: [String], input: String = "", in folder: String
  ) throws -> (code: Int32, output: String, errors: String) {
    let process = Process()
    process.executableURL = Tool.folder.appendingPathComponent(name)
    process.arguments = arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    process.environment = ["SWIFT_BACKTRACE": "enable=no", "LATENT_THREADS": "1"]
    for file in ["in", "out", "err"] {
      try Data((file == "in" ? input : "").utf8)
        .write(to: URL(fileURLWithPath: "\(folder)/.\(file)"))
    }
    process.standardInput = FileHandle(forReadingAtPath: "\(folder)/.in")
    process.standardOutput = FileHandle(forWritingAtPath: "\(folder)/.out")
    process.standardError = FileHandle(forWritingAtPath: "\(folder)/.err")
    try process.run()
    process.waitUntilExit()
    let texts = try ["out", "err"].map {
      try String(contentsOfFile: "\(folder)/.\($0)", encoding: .utf8)
    }
    return (process.terminationStatus, texts[0], texts[1])
  }

  @Test(arguments: ["custom-model", "conditional-model"]) func modelsOfOnesOwn(name: String) throws
  {
    try withTemporaryFolder { folder in
      let ended = try run(name, ["1", "picture.png"], in: folder)
      #expect(ended.code == 0, "\(ended.errors)")
      do {
        let picture = try PNG.decode(contentsOf: "\(folder)/picture.png")
        #expect(picture.shape.rank == 3 && picture.shape[0] > 64 && picture.shape[1] > 64)
        let pixels = Set(picture.doubles)
        #expect(pixels.count > 20, "a picture of \(pixels.count) gray values")
      } catch StorageError.needsTrait {
        // What this build cannot read it has written all the same.
        #expect(try bytes("\(folder)/picture.png").count > 500)
      }
    }
  }

  @Test func resumedRun() throws {
    try withTemporaryFolder { folder in
      let ended = try run("resume-run", ["2"], in: folder)
      #expect(ended.code == 0, "\(ended.errors)")
    }
  }

  /// A server answers every line, whatever it is.
  @Test func serving() throws {
    try withTemporaryFolder { folder in
      try writePictures(40, to: "\(folder)/x.npy")
      try Tool.train.run(["--data", "npy:x.npy", "--out", "run"] + smallRun, in: folder).succeeded()
      let good = "[" + (0..<64).map { "\(Double($0) / 64)" }.joined(separator: ",") + "]"
      let requests = [good, "[1, 2]", "hello", "[" + good, "", good, "[1e999]"]
      let ended = try run(
        "serve-model", ["run"], input: requests.joined(separator: "\n") + "\n", in: folder)
      #expect(ended.code == 0, "\(ended.errors)")
      let answers = ended.output.split(separator: "\n").map(String.init)
      #expect(answers.count == requests.count, "\(answers)")
      let latents = try [answers[0], answers[5]].map {
        let object = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: [Double]]
        return try #require(object?["latent"])
      }
      #expect(latents[0].count == 2 && latents[0] == latents[1])
      #expect(
        answers[1]
          == #"{"error": "inputs of shape [2]: expected one or more of [8, 8, 1], as [batch] + [8, 8, 1]"}"#
      )
      for wrong in [2, 3, 4, 6] {
        #expect(answers[wrong] == #"{"error": "a request is a list of 64 numbers"}"#)
      }
      #expect(try run("serve-model", ["nowhere"], in: folder).code == 66)
      #expect(try run("serve-model", [], in: folder).code == 64)
    }
  }
}
