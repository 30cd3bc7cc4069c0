// What looks through another run, from the shell: objectives, which need its folder once, and latent-stylize.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct FeatureTests {
  /// Pictures `[16, 16, 1]`, bytes, and a small convolutional run on them.
  private func writeRun(_ name: String, in folder: String, _ flags: [String] = []) throws {
    var random = RandomStream(seed: 3)
    let noise = random.uniform([48, 16, 16, 1]).floats
    let pixels = noise.enumerated().map { UInt8(($0 / 16 % 16 < 6 ? 180 : 20) + $1 * 60) }
    try NPY.write(NDArray(pixels, shape: [48, 16, 16, 1]), to: "\(folder)/data.npy")
    try Tool.train.run(
      ["--data", "npy:data.npy", "--model", "conv", "--set", "model.channels=[4,6]", "--out", name]
        + smallRun + flags, in: folder
    ).succeeded()
  }

  /// Stripes of one width, gray or coloured.
  private func writeStripes(_ path: String, side: Int, width: Int, channels: Int = 1) throws {
    let pixels = (0..<side * side).flatMap { index in
      (0..<channels).map { UInt8((index % side / width + $0) % 2 * 200 + 20) }
    }
    try PNG.write(NDArray(pixels, shape: [side, side, channels]), to: path)
  }

  /// A run that looks through another one goes on to the same bits where that one's folder is gone.
  @Test func aRunThatIsGone() throws {
    try withTemporaryFolder { folder in
      try writeRun("other", in: folder)
      let flags = [
        "--data", "npy:data.npy", "--model", "mlp", "--objective", "perceptual", "--set",
        "objective.features=other/", "--set", "objective.layers=[convolutions.0=0.5,hidden]",
      ]
      try Tool.train.run(flags + ["--out", "whole"] + smallRun, in: folder).succeeded()
      try Tool.train.run(flags + ["--out", "part"] + smallRun + ["--epochs", "1"], in: folder)
        .succeeded()
      try FileManager.default.removeItem(atPath: "\(folder)/other")
      try Tool.train.run(["--out", "part", "--resume", "--epochs", "2", "--quiet"], in: folder)
        .succeeded()
      func arrays(_ run: String) throws -> [String: NDArray] {
        try RunFolder.newest(in: "\(folder)/\(run)").checkpoint.arrays.filter {
          !$0.key.hasPrefix("progress/")
        }
      }
      let whole = try arrays("whole")
      #expect(try arrays("part") == whole)
      #expect(whole.keys.contains("objective/features.convolutions.0.weight"))
      #expect(!whole.keys.contains { $0.hasPrefix("optimizer/") && $0.contains("features") })
      try Tool.generate.run(["part", "--count", "2", "--out", "g.npy"], in: folder).succeeded()
      // A new run needs the folder.
      let gone = try Tool.train.run(flags + ["--out", "new"] + smallRun, in: folder)
      #expect(gone.code == 66 && gone.errors.contains("other"), "\(gone.code): \(gone.errors)")
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/new"))
    }
  }

  @Test func whatCannotBeLookedThrough() throws {
    try withTemporaryFolder { folder in
      try writeRun("other", in: folder)
      let colours = [UInt8](repeating: 9, count: 20 * 192) + [200]
      try NPY.write(
        NDArray(Array(colours.dropFirst()), shape: [20, 8, 8, 3]), to: "\(folder)/colours.npy")
      func refused(_ data: String, _ settings: [String], code: Int32 = 78) throws -> String {
        let ended = try Tool.train.run(
          ["--data", data, "--objective", "style", "--out", "new"]
            + settings.flatMap { ["--set", $0] } + smallRun, in: folder)
        #expect(ended.code == code && ended.errorLines.count == 1, "\(ended.code)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/new"))
        return ended.errors
      }
      let shape = try refused("npy:colours.npy", ["objective.features=other"])
      #expect(
        shape.contains("objective.features is the run other on data of shape [16, 16, 1]")
          && shape.contains("data of shape [8, 8, 3]: of 3 channels"), "\(shape)")
      let layer = try refused(
        "npy:data.npy", ["objective.features=other", "objective.layers=[convolutions.7]"])
      #expect(layer.contains("convolutions.0, convolutions.1, hidden"), "\(layer)")
      let word = try refused("npy:data.npy", ["objective.layers=[a=-1]"], code: 64)
      #expect(word.contains("objective.layers") && word.contains("'a=-1'"), "\(word)")
      let seed = try refused("npy:data.npy", ["objective.features=random:x"], code: 64)
      #expect(seed.contains("random:SEED"), "\(seed)")
    }
  }

  @Test(.enabled(if: PNG.canDecode)) func stylizes() throws {
    try withTemporaryFolder { folder in
      try writeRun("run", in: folder)
      try writeStripes("\(folder)/a.png", side: 24, width: 8)
      try writeStripes("\(folder)/b.png", side: 20, width: 2, channels: 3)
      let flags = [
        "--content", "a.png", "--style", "b.png", "--features", "run", "--steps", "20", "--threads",
        "1",
      ]
      for optimizer in ["lbfgs", "adam"] {
        let made = try Tool.stylize.run(
          flags + ["--optimizer", optimizer, "--out", "c.png"], in: folder)
        made.succeeded()
        #expect(made.errors.contains("step 10 of 20: content ") && made.errors.contains("style "))
        let figures = try made.json()
        let (before, after) = (figures["styleBefore"] as? Double, figures["style"] as? Double)
        #expect(try #require(after) < 0.5 * #require(before), "\(optimizer): \(figures)")
        #expect(figures["contentBefore"] as? Double == 0 && figures["out"] as? String == "c.png")
        let picture = try PNG.decode(contentsOf: "\(folder)/c.png")
        #expect(picture.shape == [24, 24, 1])
      }
      // Noise follows from the seed, the size from --size.
      func noise(_ seed: String, _ threads: String) throws -> [UInt8] {
        try Tool.stylize.run(
          flags + [
            "--start", "noise", "--seed", seed, "--size", "16", "--quiet", "--threads", threads,
            "--style-layers", "convolutions.0=2,hidden", "--content-layers", "convolutions.0",
            "--out", "n.png",
          ], in: folder
        ).succeeded()
        return try bytes("\(folder)/n.png")
      }
      let first = try noise("1", "1")
      #expect(try noise("1", "2") == first && noise("2", "1") != first)
      #expect(try PNG.decode(contentsOf: "\(folder)/n.png").shape == [16, 16, 1])
    }
  }

  @Test(.enabled(if: PNG.canDecode)) func refusals() throws {
    try withTemporaryFolder { folder in
      try writeRun("run", in: folder)
      try Tool.train.run(
        ["--data", "npy:data.npy", "--out", "dense"] + smallRun, in: folder
      ).succeeded()
      try writeStripes("\(folder)/a.png", side: 24, width: 8)
      try Data("precious".utf8).write(to: URL(fileURLWithPath: "\(folder)/mine.png"))
      func refused(
        _ code: Int32, _ change: [String: String], _ expected: String,
        _ location: SourceLocation = #_sourceLocation
      ) throws {
        var flags = [
          "--content": "a.png", "--style": "a.png", "--features": "run", "--out": "c.png",
          "--steps": "2",
        ]
        flags.merge(change) { $1 }
        let ended = try Tool.stylize.run(
          flags.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }, in: folder)
        #expect(
          ended.code == code && ended.errors.contains(expected), "\(ended.code): \(ended.errors)",
          sourceLocation: location)
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/c.png"))
      }
      try refused(
        64, ["--style-layers": "conv9"],
        "no layer is called 'conv9': there are convolutions.0, convolutions.1")
      try refused(64, ["--style-layers": "a=x"], "expected NAME or NAME=WEIGHT")
      try refused(
        65, ["--features": "dense"],
        "the encoder of dense is fully connected and takes 16 x 16 only: say --size 16")
      try refused(64, ["--out": "mine.png"], "add --overwrite")
      try refused(64, ["--out": "a.png", "--style": "a.png"], "still needed")
      try refused(64, ["--out": "c.npy"], "ends in .png")
      try refused(66, ["--content": "nothing.png"], "nothing.png")
      try refused(65, ["--content": "mine.png"], "mine.png")
      try refused(66, ["--features": "nowhere"], "nowhere")
      try refused(64, ["--style-weight": "-1"], "expected 0 or more")
      try refused(64, ["--size": "4"], "8 to 2048")
      #expect(try bytes("\(folder)/mine.png") == Array("precious".utf8))
      let small = try Tool.stylize.run(
        [
          "--content", "a.png", "--style", "a.png", "--features", "dense", "--size", "16",
          "--steps",
          "2", "--out", "d.png", "--quiet", "--style-layers", "hidden.0",
        ], in: folder)
      small.succeeded()
    }
  }
}
