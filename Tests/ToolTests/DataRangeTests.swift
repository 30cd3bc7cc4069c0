// What latent-train says of the range of data, and of latents that a run did not use.

import Foundation
import Latent
import Testing

@Suite struct DataRangeTests {
  private func write(_ values: [Float], _ path: String) throws {
    let numbers = (0..<40 * 16).map { values[$0 % values.count] }
    try NPY.write(NDArray(numbers, shape: [40, 4, 4]), to: path)
  }

  struct Refusal: Sendable {
    let values: [Float]
    let flags: [String]
    let says: [String]
  }

  static let refusals = [
    Refusal(
      values: [0, 100, 255, 3], flags: [],
      says: [
        "numbers from 0 to 255, but the likelihood Bernoulli takes 0 and 1 and shares between them",
        "example 0, the first outside, has 255", "Divide them by 255", "--likelihood normal",
        "--transform threshold",
      ]),
    Refusal(
      values: [0, 100, 255, 3], flags: ["--transform", "binarize"],
      says: ["the transform binarize takes numbers from 0 to 1", "leave the transform out"]),
    Refusal(
      values: [-1, 0.5, 1], flags: ["--likelihood", "continuous-bernoulli"],
      says: [
        "numbers from -1 to 1, but the likelihood ContinuousBernoulli takes",
        "Add 1 and halve them",
      ]),
  ]

  @Test(arguments: refusals.indices) func refused(index: Int) throws {
    let row = DataRangeTests.refusals[index]
    try withTemporaryFolder { folder in
      try write(row.values, "\(folder)/x.npy")
      let ended = try Tool.train.run(
        ["--data", "npy:x.npy", "--out", "run"] + smallRun + row.flags, in: folder)
      #expect(ended.code == 65 && ended.errorLines.count == 1, "\(ended)")
      for part in row.says { #expect(ended.errors.contains(part), "\(ended.errors)") }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
    }
  }

  /// Other tools refuse data of other units than the run's.
  @Test func otherToolsRefuse() throws {
    try withTemporaryFolder { folder in
      try write([0, 0.5, 1], "\(folder)/x.npy")
      try write([0, 100, 255, 3], "\(folder)/bytes.npy")
      try Tool.train.run(["--data", "npy:x.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      for (tool, flags) in [
        (Tool.encode, ["--out", "z.npy"]), (.interpolate, ["--out", "p.npy"]),
        (.interpolate, ["--traverse", "1", "--out", "p.npy"]),
        (.quantize, ["--to", "int8", "--out", "small"]),
      ] {
        try tool.run(["run"] + flags, in: folder).succeeded()
        try? FileManager.default.removeItem(atPath: "\(folder)/small")
        let ended = try tool.run(["run", "--data", "npy:bytes.npy"] + flags, in: folder)
        #expect(ended.code == 65 && ended.errors.contains("numbers from 0 to 255"), "\(ended)")
      }
    }
  }

  /// The ways out are ways.
  @Test(arguments: [["--likelihood", "normal"], ["--transform", "threshold"]])
  func waysOut(flags: [String]) throws {
    try withTemporaryFolder { folder in
      try write([0, 100, 255, 3], "\(folder)/x.npy")
      try Tool.train.run(["--data", "npy:x.npy", "--out", "run"] + smallRun + flags, in: folder)
        .succeeded()
    }
  }

  private func summary(_ folder: String) throws -> [String: Any] {
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/summary.json"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  /// Bytes of 0 and 1 that are to be gray values: one line on standard error, and in what the run leaves.
  @Test func said() throws {
    try withTemporaryFolder { folder in
      let bytes = (0..<40 * 16).map { UInt8($0 % 3 == 0 ? 1 : 0) }
      try NPY.write(NDArray(bytes, shape: [40, 4, 4]), to: "\(folder)/x.npy")
      let ended = try Tool.train.run(
        ["--data", "npy:x.npy", "--bytes", "pictures", "--out", "run"]
          + smallRun.filter { $0 != "--quiet" }, in: folder)
      ended.succeeded()
      let notes = ended.errorLines.filter { $0.hasPrefix("note: ") }
      #expect(notes.count == 1 && notes[0].contains("go to 1 only"), "\(ended.errors)")
      #expect(try summary("\(folder)/run")["notes"] as? [String] == [String(notes[0].dropFirst(6))])
      let report = try String(contentsOfFile: "\(folder)/run/report.html", encoding: .utf8)
      #expect(report.contains("go to 1 only"))
    }
  }

  /// A weight of the divergence that no latent can pay: none is used, and the run says how to go on.
  @Test func unusedLatents() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/x.npy")
      let flags = ["--data", "npy:x.npy"] + smallRun.filter { $0 != "--quiet" }
      let idle = try Tool.train.run(
        flags + [
          "--out", "idle", "--beta", "1000", "--epochs", "60", "--learning-rate", "0.01",
        ], in: folder)
      idle.succeeded()
      let line = "0 of 2 latents are used (0.01 nats or more): try --beta 0.1, --free-bits 0.05"
      #expect(idle.errorLines.count { $0.hasPrefix(line) } == 1, "\(idle.errors)")
      let figures = try summary("\(folder)/idle")
      #expect(figures["activeLatents"] as? Int == 0 && figures["latents"] as? Int == 2)
      let used = try Tool.train.run(
        flags + ["--out", "used", "--beta", "0.01", "--epochs", "20"], in: folder)
      used.succeeded()
      #expect(!used.errors.contains("latents are used"), "\(used.errors)")
      #expect(try summary("\(folder)/used")["activeLatents"] as? Int == 2)
      let point = try Tool.train.run(
        flags + ["--out", "point", "--model", "mlp-autoencoder"], in: folder)
      point.succeeded()
      #expect(try summary("\(folder)/point")["activeLatents"] == nil)
    }
  }
}
