// Every ready network of pictures by its name, through all four tools.

import Foundation
import Latent
import Testing

@Suite struct NetworkTests {
  /// Narrow versions, and the number of latents on pictures of 8 by 8.
  static let rows: [(name: String, flags: String, latents: Int)] = [
    ("mlp", "--hidden 5 --latent 3", 3),
    ("mlp-autoencoder", "--hidden 5 --latent 3", 3),
    ("gated-mlp", "--hidden 5 --latent 3", 3),
    ("conv", "--hidden 5 --latent 3", 3),
    ("conv28", "--hidden 5 --set model.channels=[2,3]", 16),
    ("conv64", "--hidden 5 --set model.channels=[2,3,2]", 10),
    ("sparse", "--latent 20 --set model.posterior.active=3", 20),
    ("conv-map", "--set model.channels=[2] --set model.latentChannels=3", 48),
    (
      "vq28",
      "--set model.channels=[2,3] --set model.latentChannels=4 --set model.posterior.codes.codes=6",
      16
    ),
    ("resnet", "--set model.channels=[2,4] --set model.groups=2", 64),
    ("resnet64", "--set model.channels=[2,2,4] --set model.groups=1", 16),
    ("ladder-mlp", "--set model.widths=[5,4] --set model.latents=[3,2]", 5),
    ("ladder-conv", "--hidden 5 --set model.widths=[5,4] --set model.latents=[3,2]", 5),
  ]

  @Test(arguments: rows.indices) func everyName(index: Int) throws {
    let row = NetworkTests.rows[index]
    try withTemporaryFolder { folder in
      try writePictures(36, to: "\(folder)/data.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy", "--model", row.name, "--out", "run", "--epochs", "1", "--batch"]
          + ["16", "--quiet"] + row.flags.split(separator: " ").map(String.init), in: folder
      ).succeeded()
      for name in ["reconstructions", "samples", "interpolation", "traversals"] {
        #expect(FileManager.default.fileExists(atPath: "\(folder)/run/pictures/\(name).png"))
      }
      let encoded = try Tool.encode.run(["run", "--out", "z.csv"], in: folder)
      encoded.succeeded()
      #expect(try encoded.json()["latents"] as? Int == row.latents)
      let table = try String(contentsOfFile: "\(folder)/z.csv", encoding: .utf8)
      let header = table.split(separator: "\n").first?.split(separator: ",")
      #expect(header?.count == row.latents)
      try Tool.interpolate.run(
        ["run", "--pairs", "0:1", "--steps", "3", "--out", "s.npy"], in: folder
      ).succeeded()
      #expect(try NPY.read("\(folder)/s.npy").shape == [1, 3, 8, 8, 1])
      try Tool.interpolate.run(
        ["run", "--traverse", "2", "--steps", "3", "--out", "t.npy"], in: folder
      ).succeeded()
      #expect(try NPY.read("\(folder)/t.npy").shape == [2, 3, 8, 8, 1])
      try Tool.generate.run(["run", "--count", "3", "--out", "g.h5"], in: folder).succeeded()
      let file = try HDF5File(path: "\(folder)/g.h5")
      #expect(try file.array("latents").count == 3 * row.latents)
      #expect(try file.array("examples").shape == [3, 8, 8, 1])
    }
  }

  /// Posteriors that differentiate the decoder are refused by the tool that takes its derivatives away.
  @Test func lowPrecisionIsRefused() throws {
    try withTemporaryFolder { folder in
      try writePictures(36, to: "\(folder)/data.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy", "--hidden", "5", "--latent", "2", "--posterior", "hamiltonian"]
          + ["--epochs", "1", "--batch", "16", "--quiet", "--out", "run"], in: folder
      ).succeeded()
      let ended = try Tool.quantize.run(["run", "--to", "int8", "--out", "small"], in: folder)
      #expect(ended.code == 78 && ended.errors.contains("takes no derivatives of the decoder"))
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/small"))
    }
  }

  @Test func helpListsThem() throws {
    let tested = NetworkTests.rows.map(\.name) + TextTests.rows.map(\.name)
    #expect(tested.sorted() == ModelDescription.presets.map(\.name).sorted())
    try withTemporaryFolder { folder in
      let help = try Tool.train.run(["--help"], in: folder).output
      for preset in ModelDescription.presets {
        #expect(help.contains("  \(preset.name) "), "\(preset.name)")
        #expect(help.contains(preset.summary), "\(preset.name)")
      }
    }
  }
}
