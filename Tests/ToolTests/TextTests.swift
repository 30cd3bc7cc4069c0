// Text from end to end: a run on a file of bytes through all tools, and what does not go together.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct TextTests {
  static let length = 8

  /// Narrow versions, and the number of latents.
  static let rows: [(name: String, flags: String, latents: Int)] = [
    (
      "transformer-text",
      "--set model.width=8 --set model.heads=2 --set model.layers=1 --hidden 12 --latent 3", 3
    ),
    ("seq", "--set model.width=4 --set model.heads=1 --hidden 4 --set model.positions=rotary", 32),
    ("gru-text", "--set model.width=4 --hidden 6 --latent 2", 2),
  ]

  static let small = rows[0].flags.split(separator: " ").map(String.init)

  /// A text with signs of HTML, characters of several bytes and bytes that are none.
  private func writeText(_ count: Int = 40, to path: String) throws {
    let line = Array("a <b> & \"c\"\t\u{e4}\u{2028}\\\n".utf8) + [0, 0xff]
    let bytes = (0..<(count * TextTests.length)).map { line[$0 % line.count] }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  private func train(_ flags: [String], _ out: String, in folder: String) throws {
    try Tool.train.run(
      ["--data", "text:a.txt:\(TextTests.length)", "--batch", "8", "--quiet", "--threads", "1"]
        + flags + ["--out", out], in: folder
    ).succeeded()
  }

  @Test(arguments: rows.indices) func everyName(index: Int) throws {
    let row = TextTests.rows[index]
    try withTemporaryFolder { folder in
      try writeText(to: "\(folder)/a.txt")
      let flags = ["--model", row.name] + row.flags.split(separator: " ").map(String.init)
      try train(
        flags + ["--epochs", "2", "--warmup-steps", "4", "--free-bits", "0.1", "--average", "0.5"],
        "run", in: folder)
      try run("\(folder)/run")
      let encoded = try Tool.encode.run(["run", "--out", "z.csv"], in: folder)
      encoded.succeeded()
      #expect(try encoded.json()["latents"] as? Int == row.latents)
      #expect(try text("\(folder)/z.csv").split(separator: "\n").count == 41)
      try interpolate(folder, latents: row.latents)
      try generate(folder, latents: row.latents)
    }
  }

  private func run(_ folder: String) throws {
    #expect(!FileManager.default.fileExists(atPath: "\(folder)/pictures"))
    let pairs = try text("\(folder)/texts/reconstructions.txt")
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(pairs.count == 4 * 3)  // the validation part: a tenth of 40
    for start in stride(from: 0, to: pairs.count - 2, by: 3) {
      #expect(pairs[start].hasPrefix("data           "))
      #expect(pairs[start + 1].hasPrefix("reconstruction "))
      #expect(pairs[start + 2].isEmpty)
    }
    #expect(try text("\(folder)/texts/samples.txt").split(separator: "\n").count == 20)
    let paths = try text("\(folder)/texts/interpolation.txt")
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(paths.count == 2 * (7 + 1) && paths[7].isEmpty)
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/summary.json"))
    let summary = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    let figures = try #require(summary["natsPerExample"] as? [String: Double])
    // Nats of all bytes of an example together; before anything is learned, log 256 for each.
    let loss = try #require(figures["validation_reconstruction"])
    #expect(loss > 2.5 * Double(TextTests.length) && loss < 6.5 * Double(TextTests.length))
    #expect(figures["train_kl"]?.isFinite == true)
    let report = try text("\(folder)/report.html")
    #expect(report.contains(">data           ") && !report.contains("<b>"))
    #expect(
      pairs[0].contains("\\") || pairs[3].contains("\\"), "bytes that cannot be seen: \(pairs)")
  }

  private func interpolate(_ folder: String, latents: Int) throws {
    let ended = try Tool.interpolate.run(
      ["run", "--pairs", "0:1,5:5", "--steps", "3", "--out", "s.txt"], in: folder)
    ended.succeeded()
    #expect(try ended.json()["rows"] as? Int == 2)
    let printed = try Tool.interpolate.run(
      ["run", "--pairs", "0:1,5:5", "--steps", "3", "--out", "-"], in: folder)
    printed.succeeded()
    #expect(try printed.output == text("\(folder)/s.txt"))
    let lines = printed.output.split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines.count == 8 && lines[3].isEmpty && lines[4] == lines[5] && lines[5] == lines[6])
    for arguments in [["--pairs", "0:1,2:3"], ["--traverse", "2"]] {
      try Tool.interpolate.run(["run", "--steps", "3", "--out", "s.npy"] + arguments, in: folder)
        .succeeded()
      #expect(try NPY.read("\(folder)/s.npy").shape == [2, 3, TextTests.length])
    }
  }

  private func generate(_ folder: String, latents: Int) throws {
    let drawn = try Tool.generate.run(
      ["run", "--count", "5", "--sample", "--seed", "3", "--out", "-"], in: folder)
    drawn.succeeded()
    #expect(drawn.output.split(separator: "\n").count == 5)
    let written = try Tool.generate.run(
      ["run", "--count", "5", "--sample", "--seed", "3", "--out", "g.txt"], in: folder)
    #expect(try written.json()["examples"] as? Int == 5)
    #expect(try text("\(folder)/g.txt") == drawn.output)
    try Tool.generate.run(["run", "--count", "3", "--out", "g.h5"], in: folder).succeeded()
    let file = try HDF5File(path: "\(folder)/g.h5")
    #expect(try file.array("latents").shape == [3, latents])
    let examples = try file.array("examples")
    #expect(examples.shape == [3, TextTests.length])
    #expect(examples.doubles.allSatisfy { $0 >= 0 && $0 < 256 && $0 == $0.rounded() })
  }

  /// A run in two halves ends in the bytes of a run in one, and so does one from its own settings.
  @Test func resumed() throws {
    try withTemporaryFolder { folder in
      try writeText(to: "\(folder)/a.txt")
      let flags = ["--model", "seq", "--warmup-steps", "9", "--set", "model.dropout=0.1"]
      let sizes = TextTests.small
      try train(flags + sizes + ["--epochs", "4"], "whole", in: folder)
      try train(flags + sizes + ["--epochs", "2"], "parts", in: folder)
      try Tool.train.run(
        ["--resume", "--epochs", "4", "--quiet", "--threads", "2", "--out", "parts"], in: folder
      ).succeeded()
      try Tool.train.run(
        ["--config", "whole/config.yaml", "--quiet", "--out", "again"], in: folder
      )
      .succeeded()
      let whole = try RunFolder.newest(in: "\(folder)/whole").checkpoint
      #expect(try RunFolder.newest(in: "\(folder)/again").checkpoint.arrays == whole.arrays)
      #expect(try RunFolder.newest(in: "\(folder)/parts").checkpoint.arrays == whole.arrays)
      for name in ["reconstructions", "samples", "interpolation"] {
        #expect(
          try text("\(folder)/parts/texts/\(name).txt") == text("\(folder)/whole/texts/\(name).txt")
        )
      }
    }
  }

  /// One example is enough to train on, though not to walk from.
  @Test func oneExample() throws {
    try withTemporaryFolder { folder in
      try writeText(1, to: "\(folder)/a.txt")
      try train(
        ["--model", "seq", "--epochs", "1", "--validation", "0"] + TextTests.small, "run",
        in: folder)
      #expect(
        try Folder.names(in: "\(folder)/run/texts").sorted() == [
          "reconstructions.txt", "samples.txt",
        ])
    }
  }

  @Test func lines() {
    for (bytes, line) in [
      (Array("plain, \u{e4}\u{20ac}\u{1f600}".utf8), "plain, \u{e4}\u{20ac}\u{1f600}"),
      (Array("a\n\r\t\\b".utf8), #"a\n\r\t\\b"#), ([0, 27, 127], #"\x00\x1B\x7F"#),
      // Cut and misplaced parts of characters, and what was never one.
      ([0xc3], #"\xC3"#), ([0xe2, 0x82, 65], #"\xE2\x82A"#), ([0xa4, 66], #"\xA4B"#),
      ([0xff, 0xc0, 0x80], #"\xFF\xC0\x80"#), ([0xed, 0xa0, 0x80], #"\xED\xA0\x80"#),
      // Characters that break lines, turn their direction or have no shape.
      (
        Array("\u{2028}\u{202e}\u{85}\u{e000}".utf8),
        #"\xE2\x80\xA8\xE2\x80\xAE\xC2\x85\xEE\x80\x80"#
      ),
      ([], ""),
    ] as [([UInt8], String)] {
      #expect(Texts.line(bytes) == line)
    }
    #expect(Texts.blocks(["a", "b", "c"], of: 2) == "a\nb\n\nc\n")
    #expect(Texts.blocks(["a", "b"]) == "a\nb\n")
  }

  @Test func wrongCombinations() throws {
    try withTemporaryFolder { folder in
      try writeText(to: "\(folder)/a.txt")
      try writePictures(20, to: "\(folder)/data.npy")
      try NPY.write(NDArray(repeating: 0, shape: [4, 8]), to: "\(folder)/rows.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "images"] + smallRun, in: folder)
        .succeeded()
      try train(["--model", "seq", "--epochs", "1"] + TextTests.small, "run", in: folder)
      let names = "expected transformer-text, seq, gru-text for text"
      let source = "expected text:FILE[:LENGTH] for the network transformer-text"
      let data = "--out new --data"
      for (tool, arguments, code, sentence) in [
        (.train, "\(data) text:a.txt:8", 78, "model.architecture is 'mlp', \(names)"),
        (.train, "\(data) text:a.txt:8 --model conv", 64, "--model 'conv': \(names)"),
        (.train, "\(data) npy:rows.npy --model seq", 64, "--data 'npy:rows.npy': \(source)"),
        (.train, "--out new --model seq", 78, "data is 'sprites:28', \(source)"),
        (
          .train, "\(data) text:a.txt --model seq --likelihood bernoulli", 64,
          "--likelihood bernoulli: expected categorical for the network transformer-text"
        ),
        (
          .train, "\(data) npy:data.npy --likelihood categorical", 64,
          "--likelihood categorical: expected bernoulli, continuous-bernoulli, normal, unit-normal "
            + "for the network mlp"
        ),
        (
          .train, "\(data) text:a.txt --model seq --transform binarize", 64,
          "--transform 'binarize': expected none for text"
        ),
        (
          .train, "\(data) text:a.txt --model seq --set model.norm=never", 64,
          "--set model.norm 'never': expected before, after"
        ),
        (
          .train, "\(data) text:a.txt --model seq --set model.heads=3", 64,
          "--set model.heads 3: expected a number that divides the width 128"
        ),
        (.train, "\(data) text:none.txt --model seq", 66, "none.txt"),
        (.train, "\(data) text:a.txt:9999 --model seq", 65, "cannot open a.txt"),
        (.train, "\(data) text:a.txt:0 --model seq", 64, "the length \"0\""),
        (
          .generate, "run --out a.png", 64,
          "--out 'a.png': examples of shape [8] are no pictures: write a .txt, .npy or .h5 file"
        ),
        (
          .generate, "run --out b.txt --columns 3", 64,
          "--columns 3: examples of shape [8] are no pictures"
        ),
        (
          .generate, "images --out b.txt", 64,
          "--out 'b.txt': examples of shape [8, 8, 1] are no texts: write a .png, .npy or .h5 file"
        ),
        (.generate, "images --out -", 64, "--out '-': examples of shape [8, 8, 1] are no texts"),
        (
          .interpolate, "run --out a.png", 64,
          "--out 'a.png': examples of shape [8] are no pictures: write a .txt or .npy file"
        ),
        (.interpolate, "images --out b.txt", 64, "examples of shape [8, 8, 1] are no texts"),
        (
          .interpolate, "run --out a.npy --data npy:rows.npy", 65,
          "data npy:rows.npy: no text, but the model was trained on text:a.txt:8"
        ),
        (
          .encode, "images --out a.npy --data text:a.txt:8", 65,
          "data text:a.txt:8: text, but the model was trained on npy:data.npy"
        ),
        (.encode, "run --out a.npy --data text:a.txt:9", 65, "examples of shape [9], but"),
        (.encode, "run --out a.txt", 64, "a.txt"),
      ] as [(Tool, String, Int32, String)] {
        let ended = try tool.run(arguments.split(separator: " ").map(String.init), in: folder)
        let call = "\(tool.rawValue) \(arguments): \(ended.code) \(ended.errors)"
        #expect(ended.code == code && !ended.bySignal && ended.output.isEmpty, "\(call)")
        #expect(ended.errors.contains(sentence), "\(call)")
      }
      let made = try Folder.names(in: folder)
      #expect(!made.contains("new") && !made.contains { $0.hasPrefix("b.") || $0 == "a.npy" })
    }
  }
}
