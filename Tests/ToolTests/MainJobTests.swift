// The main job on the smallest scale: train, encode, interpolate, generate, look at the files.

import Foundation
import Latent
import Testing

@Suite struct MainJobTests {
  /// The first bytes of every PNG file.
  static let pngSignature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

  private func expectPicture(_ path: String) throws {
    #expect(try bytes(path).starts(with: MainJobTests.pngSignature), "\(path)")
  }

  @Test func fromPicturesToPictures() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      try run(folder)
      try encode(folder)
      try interpolate(folder)
      try generate(folder)
    }
  }

  /// Whole numbers are taken as floats are: the same run, to the last bit, and the same latents.
  @Test func integersAreNumbers() throws {
    try withTemporaryFolder { folder in
      let values: [Int64] = (0..<2560).map { (index: Int64) in index * index / 7 % 2 }
      let floats = NDArray(values.map { Float($0) }, shape: [40, 8, 8])
      try NPY.write(floats, to: "\(folder)/floats.npy")
      try writeIntegers(values, shape: "(40, 8, 8)", to: "\(folder)/wide.npy")
      let integers = floats.converted(to: .int32)
      try NPY.write(integers, to: "\(folder)/narrow.npy")
      try HDF5File.write(arrays: ["x": integers], to: "\(folder)/a.h5")
      var latents: [[UInt8]] = []
      let sources = ["npy:floats.npy", "npy:wide.npy", "npy:narrow.npy", "hdf5:a.h5:x"]
      for (index, source) in sources.enumerated() {
        let run = "run\(index)"
        try Tool.train.run(["--data", source, "--out", run] + smallRun, in: folder).succeeded()
        try Tool.encode.run([run, "--out", "z.npy"], in: folder).succeeded()
        latents.append(try bytes("\(folder)/z.npy"))
        try Tool.interpolate.run([run, "--out", "s.png"], in: folder).succeeded()
        try Tool.generate.run([run, "--out", "g.png"], in: folder).succeeded()
        try Tool.quantize.run([run, "--to", "int8", "--out", "\(run)-int8"], in: folder)
          .succeeded()
      }
      #expect(latents.allSatisfy { $0 == latents[0] })
    }
  }

  private func run(_ folder: String) throws {
    let names = try Folder.names(in: "\(folder)/run")
    for name in ["best.h5", "checkpoint-000000008.h5", "metrics.csv", "metrics.jsonl"] {
      #expect(names.contains(name), "\(names)")
    }
    #expect(!names.contains { $0.hasSuffix(".partial") })
    for name in ["reconstructions", "samples", "interpolation", "traversals"] {
      try expectPicture("\(folder)/run/pictures/\(name).png")
    }
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/run/summary.json"))
    let summary = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
    #expect(summary["epochs"] as? Int == 2 && summary["steps"] as? Int == 8)
    let configuration = try #require(summary["configuration"] as? [String: Any])
    #expect(configuration["data"] as? String == "npy:data.npy")
    let figures = try #require(summary["natsPerExample"] as? [String: Double])
    #expect(figures["train_loss"]?.isFinite == true && figures["validation_loss"] != nil)
    let report = try String(contentsOfFile: "\(folder)/run/report.html", encoding: .utf8)
    // A page of its own: what it shows is inside of it.
    #expect(!report.contains("pictures/") && report.contains("<svg"))
    let samples = Data(try bytes("\(folder)/run/pictures/samples.png")).base64EncodedString()
    #expect(report.contains("src=\"data:image/png;base64,\(samples)\""))
  }

  private func encode(_ folder: String) throws {
    for ending in ["csv", "npy", "h5"] {
      let ended = try Tool.encode.run(["run", "--out", "z.\(ending)"], in: folder)
      ended.succeeded()
      let facts = try ended.json()
      #expect(facts["examples"] as? Int == 64 && facts["latents"] as? Int == 2)
      #expect(facts["out"] as? String == "z.\(ending)")
      #expect(facts["checkpoint"] as? String == "run/best.h5")
    }
    let means = try NPY.read("\(folder)/z.npy")
    #expect(means.shape == [64, 2] && means.doubles.allSatisfy(\.isFinite))
    let table = try String(contentsOfFile: "\(folder)/z.csv", encoding: .utf8)
      .split(separator: "\n")
    #expect(table.count == 65 && table[0] == "mean0,mean1")
    #expect(table[1].split(separator: ",").map { Float($0) } == Array(means.floats[..<2]))
    let file = try HDF5File(path: "\(folder)/z.h5")
    #expect(try file.array("mean") == means)
    #expect(try file.array("logVariance").shape == [64, 2])
    // Batches and limits change which rows are computed together, not the rows.
    try Tool.encode.run(
      ["run", "--out", "few.npy", "--batch", "7", "--limit", "10", "--checkpoint", "latest"],
      in: folder
    ).succeeded()
    #expect(try NPY.read("\(folder)/few.npy").shape == [10, 2])
  }

  private func interpolate(_ folder: String) throws {
    let ended = try Tool.interpolate.run(["run", "--out", "strips.png"], in: folder)
    ended.succeeded()
    #expect(try ended.json()["rows"] as? Int == 8)
    try expectPicture("\(folder)/strips.png")
    // As many rows as the data have pairs, where nobody asks for more.
    try writePictures(7, to: "\(folder)/few.npy")
    let few = try Tool.interpolate.run(
      ["run", "--data", "npy:few.npy", "--out", "few.npy.png"], in: folder)
    few.succeeded()
    #expect(try few.json()["rows"] as? Int == 3)
    for arguments in [["--path", "linear"], ["--path", "spherical"]] {
      try Tool.interpolate.run(
        ["run", "--pairs", "3:17,4:5,0:0", "--steps", "4", "--out", "strips.npy"] + arguments,
        in: folder
      ).succeeded()
      let strips = try NPY.read("\(folder)/strips.npy")
      #expect(strips.shape == [3, 4, 8, 8, 1])
      #expect(strips.doubles.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
    try Tool.interpolate.run(
      ["run", "--traverse", "8", "--steps", "5", "--out", "traversal.npy"], in: folder
    ).succeeded()
    #expect(try NPY.read("\(folder)/traversal.npy").shape == [2, 5, 8, 8, 1])
  }

  private func generate(_ folder: String) throws {
    func generate(_ out: String, _ arguments: [String]) throws -> [UInt8] {
      let ended = try Tool.generate.run(["run", "--out", out] + arguments, in: folder)
      ended.succeeded()
      #expect(try ended.json()["out"] as? String == out)
      return try bytes("\(folder)/\(out)")
    }
    let first = try generate("a.npy", ["--seed", "7", "--count", "20"])
    #expect(try generate("b.npy", ["--seed", "7", "--count", "20"]) == first)
    #expect(try generate("c.npy", ["--seed", "7", "--count", "20", "--threads", "2"]) == first)
    #expect(try generate("d.npy", ["--seed", "8", "--count", "20"]) != first)
    #expect(try NPY.read("\(folder)/a.npy").shape == [20, 8, 8, 1])
    _ = try generate("drawn.npy", ["--sample", "--count", "3"])
    #expect(try NPY.read("\(folder)/drawn.npy").doubles.allSatisfy { $0 == 0 || $0 == 1 })
    _ = try generate("samples.png", ["--count", "5"])
    try expectPicture("\(folder)/samples.png")
    _ = try generate("samples.h5", ["--count", "5"])
    let file = try HDF5File(path: "\(folder)/samples.h5")
    #expect(try file.array("latents").shape == [5, 2])
    #expect(try file.array("examples").shape == [5, 8, 8, 1])
    // A name that JSON has to escape.
    _ = try generate("a \"b\\c\".npy", ["--count", "1"])
  }

  /// Data that are no pictures, a plain autoencoder, averaged weights and every other flag.
  @Test func otherSettings() throws {
    try withTemporaryFolder { folder in
      var random = RandomStream(seed: 1)
      try HDF5File.write(arrays: ["rows": random.normal([50, 5])], to: "\(folder)/data.h5")
      let data = ["--data", "hdf5:data.h5:rows", "--quiet", "--batch", "10", "--epochs", "2"]
      try Tool.train.run(
        data + [
          "--out", "run/deep/er", "--model", "mlp-autoencoder", "--likelihood", "normal",
          "--latent", "2", "--hidden", "7,6", "--optimizer", "adamw", "--schedule", "cosine",
          "--validation", "0.2", "--patience", "3", "--save-steps", "2", "--keep", "1", "--clip",
          "1", "--average", "0.9", "--seed", "18446744073709551615", "--learning-rate", "1e-2",
        ], in: folder
      ).succeeded()
      for arguments in [
        ["--beta", "0.5", "--free-bits", "0.1", "--warmup-steps", "4", "--samples", "3"],
        ["--optimizer", "adamax", "--schedule", "step"],
        ["--optimizer", "sgd", "--schedule", "plateau", "--learning-rate", "1e-4"],
        ["--optimizer", "rmsprop", "--validation", "0", "--save-every", "2"],
      ] {
        let out = "run\(arguments[1])\(arguments[3])"
        try Tool.train.run(
          data + ["--out", out, "--likelihood", "unit-normal", "--hidden", "6", "--latent", "2"]
            + arguments, in: folder
        ).succeeded()
      }
      try Tool.encode.run(["run/deep/er", "--out", "z.h5"], in: folder).succeeded()
      let file = try HDF5File(path: "\(folder)/z.h5")
      #expect(try file.array("mean").shape == [50, 2])
      let ended = try Tool.generate.run(["run/deep/er", "--out", "a.png"], in: folder)
      #expect(ended.code == 64 && ended.errors.contains("are no pictures"))
    }
  }

  @Test func sprites() throws {
    try withTemporaryFolder { folder in
      let ended = try Tool.train.run(
        [
          "--data", "sprites:8", "--out", "run", "--epochs", "1", "--batch", "512", "--hidden", "8",
          "--latent", "2", "--transform", "threshold:0.5",
        ], in: folder)
      ended.succeeded()
      #expect(ended.output.isEmpty)
      #expect(ended.errors.contains("epoch 1/1  train loss"))
      #expect(ended.errors.contains("report: run/report.html"))
      try Tool.encode.run(["run", "--out", "z.csv", "--limit", "5"], in: folder).succeeded()
      let table = try String(contentsOfFile: "\(folder)/z.csv", encoding: .utf8)
        .split(separator: "\n")
      #expect(table.count == 6 && table[0] == "mean0,mean1,label", "\(table[0])")
    }
  }
}
