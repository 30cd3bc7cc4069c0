// Discrete latents on the command line: asked for by name, and indices out of a run.

import Foundation
import Latent
import Testing

@Suite struct CodesTests {
  private func train(_ words: String, in folder: String) throws -> Ended {
    try Tool.train.run(
      "--data npy:data.npy --epochs 1 --batch 16 --quiet \(words)".split(separator: " ")
        .map(String.init), in: folder)
  }

  /// Every quantiser by its name, and some made of others, as settings that a run keeps.
  @Test(
    arguments: CodesSettings.all.map { $0.name } + ["residual:fsq", "grouped:residual:lfq"])
  func everyName(chain: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(36, to: "\(folder)/data.npy")
      try train(
        "--model conv-map --set model.channels=[2] --set model.latentChannels=8 --codes \(chain) "
          + "--objective vq --out run", in: folder
      ).succeeded()
      let run = try Run(path: "\(folder)/run")
      let codes = try #require(run.configuration.model.posterior.description as? CodesPosterior)
      #expect(codes.codes.chain.joined(separator: ":").hasPrefix(chain))
      try Tool.encode.run(["run", "--out", "z.h5"], in: folder).succeeded()
      let file = try HDF5File(path: "\(folder)/z.h5")
      let indices = try file.array("indices")
      #expect(indices.dtype == .int32 && indices.shape[0] == 36)
      try Tool.encode.run(["run", "--indices", "--out", "i.npy"], in: folder).succeeded()
      #expect(try NPY.read("\(folder)/i.npy") == indices)
      #expect(try run.model.codes(at: Tensor(indices)).array == file.array("mean"))
      try Tool.encode.run(["run", "--packed", "--out", "p.h5"], in: folder).succeeded()
      let packed = try HDF5File(path: "\(folder)/p.h5")
      let counts = try packed.array("codeCounts").int32s.map(Int.init)
      #expect(try IndexPacking(counts: counts).unpacked(packed.array("packed")) == indices)
    }
  }

  /// What is wrong is said about the flag, before anything is written.
  @Test func wrongWords() throws {
    try withTemporaryFolder { folder in
      try writePictures(36, to: "\(folder)/data.npy")
      for (words, code, sentence) in [
        ("--codes none", 64, "--codes 'none': expected vq, simvq, fsq"),
        ("--codes fsq:vq", 64, "--codes 'fsq:vq': expected only residual, grouped before a colon"),
        (
          "--codes vq --posterior diagonal", 64,
          "--codes asks for the posterior 'codes': found --posterior 'diagonal'"
        ),
        (
          "--codes vq --set model.posterior.codes.decay=2", 64,
          "--set model.posterior.codes.decay 2.0: expected 0 ..< 1"
        ),
        ("--codes fsq --latent 6", 78, "posterior.codes"),
        ("--objective vq", 78, "objective 'vq' needs codes (the posterior 'codes')"),
        ("--codes vq --objective iwae", 78, "objective 'iwae' needs a posterior with a density"),
      ] {
        let ended = try train("--model mlp --hidden 3 \(words) --out run", in: folder)
        #expect(ended.code == code && ended.errors.contains(sentence), "\(words): \(ended.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      }
      try train("--model mlp --hidden 3 --out run", in: folder).succeeded()
      let ended = try Tool.encode.run(["run", "--indices", "--out", "i.npy"], in: folder)
      #expect(ended.code == 78 && ended.errors.contains("needs a model with codes"))
    }
  }
}
