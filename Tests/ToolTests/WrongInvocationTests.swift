// Every wrong flag, file or folder ends in one clear sentence and an exit code of sysexits.h.

import Foundation
import Latent
import Testing

@Suite struct WrongInvocationTests {
  struct Wrong {
    let tool: Tool
    let arguments: String
    let code: Int32
    /// What the sentence must hold.
    let words: [String]

    init(_ tool: Tool, _ arguments: String, _ code: Int32, _ words: String...) {
      self.tool = tool
      self.arguments = arguments
      self.code = code
      self.words = words
    }
  }

  /// Lines that the argument parser adds to its sentence.
  private func isUsage(_ line: String) -> Bool {
    ["Usage:", "Help:", " "].contains { line.hasPrefix($0) }
  }

  private func check(_ wrongs: [Wrong], in folder: String) throws {
    for wrong in wrongs {
      let arguments = wrong.arguments.split(separator: " ").map(String.init)
      let ended = try wrong.tool.run(arguments, in: folder)
      let call = "\(wrong.tool.rawValue) \(wrong.arguments): \(ended.code) \(ended.errors)"
      #expect(ended.code == wrong.code && !ended.bySignal, "\(call)")
      let sentences = ended.errorLines.filter { !isUsage($0) }
      #expect(sentences.count == 1, "\(call)")
      let prefixes = ["\(wrong.tool.rawValue): ", "Error: "]
      #expect(prefixes.contains { ended.errors.hasPrefix($0) }, "\(call)")
      for word in wrong.words {
        #expect(sentences.first?.contains(word) == true, "\(word): \(call)")
      }
      #expect(ended.output.isEmpty, "\(call)")
    }
  }

  @Test func trainingFlags() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      let data = "--data npy:data.npy --out run"
      try check(
        [
          Wrong(.train, "--out run --nonsense", 64, "--nonsense"),
          Wrong(.train, "--data npy:data.npy", 64, "--out"),
          Wrong(.train, "\(data) --epochs ten", 64, "ten", "--epochs"),
          Wrong(.train, "\(data) --epochs 0", 64, "--epochs 0"),
          Wrong(.train, "\(data) --epochs 9223372036854775807", 64, "--epochs"),
          Wrong(.train, "\(data) --batch -1", 64, "--batch"),
          Wrong(.train, "\(data) --batch 9223372036854775807", 64, "--batch"),
          Wrong(.train, "\(data) --latent 0", 64, "--latent 0"),
          Wrong(.train, "\(data) --samples 0", 64, "--samples 0"),
          Wrong(.train, "\(data) --samples 10001", 64, "--samples 10001", "1 to 10000"),
          Wrong(.train, "\(data) --samples 1000000000", 64, "--samples 1000000000"),
          Wrong(
            .train, "\(data) --model resnet --set model.blocks=20000000", 64,
            "model.blocks 20000000",
            "at most 10000"),
          Wrong(.train, "\(data) --threads -1", 64, "--threads"),
          Wrong(.train, "\(data) --threads 99999999999", 64, "--threads 99999999999"),
          Wrong(.train, "\(data) --hidden 4,,5", 64, "--hidden '4,,5'"),
          Wrong(.train, "\(data) --hidden x", 64, "--hidden 'x'"),
          Wrong(.train, "\(data) --model gan", 64, "--model 'gan'", "mlp-autoencoder"),
          Wrong(.train, "\(data) --likelihood poisson", 64, "--likelihood 'poisson'", "bernoulli"),
          Wrong(.train, "\(data) --optimizer lion", 64, "'lion'", "rmsprop"),
          Wrong(.train, "\(data) --schedule never", 64, "'never'", "plateau"),
          Wrong(.train, "\(data) --transform blur", 64, "\"blur\"", "binarize"),
          Wrong(.train, "\(data) --transform threshold:2", 64, "threshold:2"),
          Wrong(.train, "\(data) --learning-rate 0", 64, "--learning-rate 0"),
          Wrong(.train, "\(data) --learning-rate nan", 64, "--learning-rate nan"),
          Wrong(.train, "\(data) --beta -0.5", 64, "--beta"),
          Wrong(.train, "\(data) --free-bits inf", 64, "--free-bits inf"),
          Wrong(.train, "\(data) --validation 1", 64, "--validation 1"),
          Wrong(.train, "\(data) --validation 0.001", 64, "0.001", "20 examples"),
          Wrong(.train, "\(data) --clip 0", 64, "--clip 0"),
          Wrong(.train, "\(data) --average 1", 64, "--average 1"),
          Wrong(.train, "\(data) --keep 0", 64, "--keep 0"),
          Wrong(.train, "\(data) --save-steps 0", 64, "--save-steps 0"),
          Wrong(.train, "\(data) --patience 0", 64, "--patience 0"),
          Wrong(.train, "\(data) --seed -1", 64, "--seed"),
          Wrong(.train, "\(data) --hidden 1000000000", 78, "hidden", "parameters"),
          Wrong(
            .train, "\(data) --quiet --learning-rate 1e39", 70, "infinite or NaN", "training step"),
        ], in: folder)
    }
  }

  @Test func trainingData() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      let good = try bytes("\(folder)/data.npy")
      try Data(good.dropLast(100)).write(to: URL(fileURLWithPath: "\(folder)/short.npy"))
      try Data(good.prefix(20)).write(to: URL(fileURLWithPath: "\(folder)/header.npy"))
      try Data("no array".utf8).write(to: URL(fileURLWithPath: "\(folder)/text.npy"))
      try NPY.write(NDArray(repeating: 0, shape: [0, 4]), to: "\(folder)/empty.npy")
      try NPY.write(NDArray([1.0], shape: []), to: "\(folder)/single.npy")
      try writeIntegers([1 << 31], shape: "(1,)", to: "\(folder)/wide.npy")
      try HDF5File.write(arrays: ["x": NDArray([1.0, 2])], to: "\(folder)/data.h5")
      try Folder.create("\(folder)/nothing")
      try check(
        [
          Wrong(.train, "--out run --data nonsense", 64, "\"nonsense\"", "sprites[:SIDE]"),
          Wrong(.train, "--out run --data sprites:0", 64, "sprites:0"),
          Wrong(.train, "--out run --data sprites:99999", 64, "sprites:99999"),
          Wrong(.train, "--out run --data npy:", 64, "npy:"),
          Wrong(.train, "--out run --data hdf5:data.h5", 64, "hdf5:data.h5"),
          Wrong(.train, "--out run --data npy:none.npy", 66, "none.npy"),
          Wrong(.train, "--out run --data npy:nothing", 66, "nothing"),
          Wrong(.train, "--out run --data npy:short.npy", 65, "short.npy"),
          Wrong(.train, "--out run --data npy:header.npy", 65, "header.npy"),
          Wrong(.train, "--out run --data npy:text.npy", 65, "text.npy"),
          Wrong(.train, "--out run --data npy:empty.npy", 65, "empty.npy"),
          Wrong(.train, "--out run --data npy:single.npy", 65, "single.npy"),
          Wrong(.train, "--out run --data hdf5:none.h5:x", 66, "none.h5"),
          Wrong(.train, "--out run --data hdf5:data.npy:x", 65, "data.npy"),
          Wrong(.train, "--out run --data hdf5:data.h5:y", 65, "data.h5", "'y'", "'x'"),
          Wrong(.train, "--out run --data mnist:nothing", 66, "nothing"),
          Wrong(.train, "--out run --data mnist:none", 66, "none"),
          Wrong(.train, "--out run --data images:nothing", 65, "nothing"),
          Wrong(.train, "--out run --data images:none", 66, "none"),
          Wrong(
            .train, "--out run --data npy:wide.npy", 65, "wide.npy", "2147483648",
            "integers that fit 32 bits"),
          Wrong(.train, "--out data.npy --data npy:data.npy", 73, "data.npy"),
          Wrong(.train, "--out data.npy/run --data npy:data.npy", 73, "data.npy"),
          Wrong(.train, "--out /proc/latent/run --data npy:data.npy", 73, "/proc/latent"),
          Wrong(.train, "--resume --out none", 66, "none"),
          Wrong(.train, "--resume --out nothing", 66, "nothing"),
        ], in: folder)
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
    }
  }

  @Test func otherTools() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try NPY.write(NDArray(repeating: 0, shape: [4, 5, 5]), to: "\(folder)/small.npy")
      try writePictures(1, to: "\(folder)/one.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      var damaged = try bytes("\(folder)/run/best.h5")
      try Data(damaged.prefix(1000)).write(to: URL(fileURLWithPath: "\(folder)/short.h5"))
      damaged[damaged.count / 2] ^= 4
      try Data(damaged).write(to: URL(fileURLWithPath: "\(folder)/damaged.h5"))
      try Checkpoint(texts: ["run": "{}"]).write(to: "\(folder)/other.h5")
      try Checkpoint(texts: ["run": "no settings"]).write(to: "\(folder)/text.h5")
      try Checkpoint(arrays: ["x": NDArray([1.0])]).write(to: "\(folder)/foreign.h5")
      let best = try Checkpoint(contentsOf: "\(folder)/run/best.h5")
      func rewrite(_ name: String, _ old: String, _ new: String) throws {
        var checkpoint = best
        let text = try #require(best.texts["run"])
        #expect(text.contains("\"\(old)\""))
        checkpoint.texts["run"] = text.replacing("\"\(old)\"", with: "\"\(new)\"")
        try checkpoint.write(to: "\(folder)/\(name).h5")
      }
      try rewrite("network", "mlp", "hierarchical")
      try rewrite("likelihood", "bernoulli", "beta")
      try rewrite("transform", "none", "blur")
      try Folder.create("\(folder)/nothing")
      for tool in [Tool.encode, .interpolate, .generate] {
        try check(
          [
            Wrong(tool, "--out a.npy", 64, "<run>"),
            Wrong(tool, "run", 64, "--out"),
            Wrong(tool, "run --out a.jpg", 64, "a.jpg"),
            Wrong(tool, "run --out a.npy --nonsense", 64, "--nonsense"),
            Wrong(tool, "run --out a.npy --threads -2", 64, "--threads"),
            Wrong(tool, "run --out a.npy --threads 4294967296", 64, "--threads 4294967296"),
            Wrong(tool, "none --out a.npy", 66, "none"),
            Wrong(tool, "nothing --out a.npy", 66, "nothing", "best.h5"),
            Wrong(tool, "nothing --checkpoint latest --out a.npy", 66, "nothing"),
            Wrong(tool, "run --checkpoint none.h5 --out a.npy", 66, "none.h5"),
            Wrong(tool, "run --checkpoint short.h5 --out a.npy", 65, "short.h5"),
            Wrong(tool, "run --checkpoint damaged.h5 --out a.npy", 65, "damaged.h5"),
            Wrong(tool, "run --checkpoint data.npy --out a.npy", 65, "data.npy"),
            Wrong(tool, "run --checkpoint other.h5 --out a.npy", 65, "other.h5: data is missing"),
            Wrong(tool, "run --checkpoint text.h5 --out a.npy", 65, "text.h5: the text of its"),
            Wrong(
              tool, "run --checkpoint foreign.h5 --out a.npy", 65, "foreign.h5",
              "not written by latent-train"),
            Wrong(
              tool, "run --checkpoint network.h5 --out a.npy", 65,
              "network.h5: model.architecture is 'hierarchical', expected mlp, ", "newer"),
            Wrong(
              tool, "run --checkpoint likelihood.h5 --out a.npy", 65,
              "likelihood.h5: model.likelihood cannot be read", "beta", "newer"),
            Wrong(
              tool, "run --checkpoint transform.h5 --out a.npy", 65, "transform.h5: ", "\"blur\"",
              "newer"),
            Wrong(tool, "run --out none/a.npy", 73, "none/a.npy"),
            Wrong(tool, "run --out /proc/a.npy", 73, "/proc/a.npy"),
            Wrong(tool, "run --out data.npy/a.npy", 73, "data.npy/a.npy"),
          ], in: folder)
      }
      for tool in [Tool.encode, .interpolate] {
        try check(
          [
            Wrong(tool, "run --out a.npy --data npy:small.npy", 65, "small.npy", "[8, 8, 1]"),
            Wrong(tool, "run --out a.npy --data npy:none.npy", 66, "none.npy"),
            Wrong(tool, "run --out a.npy --data what", 64, "\"what\""),
          ], in: folder)
      }
      try check(
        [
          Wrong(.encode, "run --out a.npy --batch 0", 64, "--batch 0"),
          Wrong(.encode, "run --out a.npy --limit 0", 64, "--limit 0"),
          Wrong(.generate, "run --out a.npy --count 0", 64, "--count 0"),
          Wrong(.generate, "run --out a.npy --count 9223372036854775807", 64, "--count"),
          Wrong(
            .generate, "run --out a.npy --count 10000000", 64, "--count 10000000", "2.5 GiB",
            "at most 1 GiB"),
          Wrong(
            .generate, "run --out a.png --count 1000000", 64, "--count 1000000", "at most 1 GiB"),
          Wrong(.generate, "run --out a.png --columns 0", 64, "--columns 0"),
          Wrong(.generate, "run --out a.png --columns 9223372036854775807", 64, "--columns"),
          Wrong(.generate, "run --out a.npy --seed x", 64, "--seed"),
          Wrong(.interpolate, "run --out a.npy --steps 1", 64, "--steps 1"),
          Wrong(
            .interpolate, "run --out a.png --steps 10000 --rows 40", 64, "--steps 10000",
            "400000 examples", "at most 1 GiB"),
          Wrong(.interpolate, "run --out a.npy --rows 0", 64, "--rows 0"),
          Wrong(.interpolate, "run --out a.npy --rows 9223372036854775807", 64, "--rows"),
          Wrong(.interpolate, "run --out a.npy --traverse 0", 64, "--traverse 0"),
          Wrong(.interpolate, "run --out a.npy --path cubic", 64, "'cubic'", "spherical"),
          Wrong(.interpolate, "run --out a.npy --pairs 3", 64, "--pairs '3'"),
          Wrong(.interpolate, "run --out a.npy --pairs 3:x:4", 64, "--pairs '3:x:4'"),
          Wrong(.interpolate, "run --out a.npy --pairs 1:20", 65, "example 20", "20 examples"),
          Wrong(.interpolate, "run --out a.npy --rows 11", 65, "20 examples"),
          Wrong(
            .interpolate, "run --out a.npy --data npy:one.npy", 65, "one.npy has 1 example",
            "two"),
        ], in: folder)
      #expect(try !Folder.names(in: folder).contains { $0.hasPrefix("a.") })
    }
  }
}
