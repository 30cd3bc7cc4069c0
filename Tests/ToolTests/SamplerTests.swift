// Samplers from the shell: fitted at first use, kept beside the run, used again as they are, refused where they do not
// belong.

import Foundation
import Latent
import Testing

extension Ended {
  /// It ended with this code and said this.
  fileprivate func failed(
    _ expected: Int32, _ text: String, _ location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      code == expected && errors.contains(text), "\(code): \(errors)", sourceLocation: location)
  }
}

@Suite struct SamplerTests {
  private func words(_ text: String) -> [String] { text.split(separator: " ").map(String.init) }

  private func generate(_ text: String, in folder: String) throws -> Ended {
    try Tool.generate.run(
      words("run --count 8 --threads 1 --overwrite --out z.h5 \(text)"), in: folder)
  }

  private func train(_ text: String, in folder: String) throws {
    try Tool.train.run(words("--data npy:data.npy \(text)") + smallRun, in: folder).succeeded()
  }

  private func latents(_ folder: String) throws -> NDArray {
    try HDF5File(path: "\(folder)/z.h5").array("latents")
  }

  @Test func everySampler() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try train("--out run", in: folder)
      for type in SamplerSettings.all where type.draws(on: .vectors) {
        let quick = ["flow-matching", "two-stage", "maf", "iaf"].contains(type.name)
        let settings =
          quick
          ? "--set sampler.steps=5 --set sampler.hidden=[8] --set sampler.batchSize=16"
          : type.name == "riemannian" ? "--set sampler.chain=3" : ""
        try generate("--sampler \(type.name) \(settings)", in: folder).succeeded()
        let first = try latents(folder)
        #expect(first.shape == [8, 2])
        let path = "\(folder)/run/sampler-\(type.name).h5"
        let isKept = FileManager.default.fileExists(atPath: path)
        #expect(isKept == type.isFitted)
        if !isKept { continue }
        // The one that is kept is used, with its settings, and stays as it is.
        let before = try bytes(path)
        let again = try generate("--sampler \(type.name)", in: folder)
        again.succeeded()
        #expect(!again.errors.contains("fitting"))
        #expect(try latents(folder) == first)
        #expect(try bytes(path) == before)
      }
      // How it is drawn from may change; what was learned may not.
      try generate("--sampler flow-matching --set sampler.solverSteps=3", in: folder).succeeded()
      let other = try generate("--sampler gmm --set sampler.components=2", in: folder)
      other.failed(65, "fit it anew with --refit")
      let kept = try bytes("\(folder)/run/sampler-gmm.h5")
      try generate("--sampler gmm --set sampler.components=2 --refit", in: folder).succeeded()
      #expect(try bytes("\(folder)/run/sampler-gmm.h5") != kept)
    }
  }

  /// Codes and points of a ball have samplers of their own, and no others.
  @Test func samplersOfOtherSpaces() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let map = "--model conv-map --set model.channels=[2] --set model.latentChannels=4"
      try Tool.train.run(
        words(
          "--data npy:data.npy \(map) --codes vq --set model.posterior.codes.codes=6 --objective vq "
            + "--batch 16 --epochs 1 --threads 1 --quiet --out run"), in: folder
      ).succeeded()
      for (name, size) in [
        ("pixelcnn", "--set sampler.channels=4"), ("transformer", "--set sampler.width=8"),
      ] {
        let settings = "\(size) --set sampler.layers=1 --set sampler.steps=5"
        try generate("--sampler \(name) \(settings)", in: folder).succeeded()
        let first = try latents(folder)
        #expect(first.shape == [8, 4, 4, 4])
        try generate("--sampler \(name)", in: folder).succeeded()
        #expect(try latents(folder) == first)
        // What is drawn are codes.
        let run = try Run(path: "\(folder)/run")
        let codes = try run.model.latentCodes()
        let all = Tensor((0..<6).map { Int32($0) }, shape: [6, 1])
        func vectors(_ array: NDArray) -> [[Float]] {
          let numbers = array.floats
          return stride(from: 0, to: numbers.count, by: 4).map { Array(numbers[$0..<$0 + 4]) }
        }
        let known = Set(vectors(codes.quantizer.codes(at: all, .float32).array))
        #expect(vectors(first).allSatisfy { known.contains($0) })
        try generate("--sampler \(name) --set sampler.temperature=0.1", in: folder).succeeded()
      }
      try generate("--sampler gmm", in: folder).failed(
        64, "lie on codes, where only prior, pixelcnn, transformer draw")
      try train("--posterior poincare --out ball", in: folder)
      let ball = words("ball --count 4 --threads 1 --overwrite --out z.h5 --sampler")
      try Tool.generate.run(ball + ["poincare", "--set", "sampler.steps=3"], in: folder).succeeded()
      #expect(try latents(folder).floats.allSatisfy { Swift.abs($0) < 1 })
      try Tool.generate.run(ball + ["maf"], in: folder).failed(
        64, "where only prior, poincare draw")
    }
  }

  /// A temperature for each level of a hierarchy, and one for the standard normal.
  @Test func temperatures() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(
        words(
          "--data npy:data.npy --model ladder-mlp --hidden 6 --set model.widths=[5,4] "
            + "--set model.latents=[3,2] --batch 16 --epochs 1 --threads 1 --quiet --out run"),
        in: folder
      ).succeeded()
      try generate("", in: folder).succeeded()
      let plain = try latents(folder)
      try generate("--temperature 1,1", in: folder).succeeded()
      #expect(try latents(folder) == plain)
      try generate("--temperature 0.000001,1", in: folder).succeeded()
      let cold = try latents(folder)
      #expect(cold.sliced(1, 3..<5) == plain.sliced(1, 3..<5) && cold != plain)
      try generate("--temperature 0.5", in: folder).failed(64, "a prior of 2 levels needs")
      try generate("--temperature 1,x", in: folder).failed(64, "positive numbers such as 0.7,1")
      try generate("--temperature 1,1 --sampler gmm", in: folder).failed(64, "exclude each other")
    }
  }

  @Test func refusals() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try train("--out run", in: folder)
      try generate("--sampler gmm", in: folder).succeeded()
      // The sampler of other parameters.
      try FileManager.default.moveItem(atPath: "\(folder)/run", toPath: "\(folder)/old")
      try train("--out run --seed 9", in: folder)
      try FileManager.default.copyItem(
        atPath: "\(folder)/old/sampler-gmm.h5", toPath: "\(folder)/run/sampler-gmm.h5")
      try generate("--sampler gmm", in: folder).failed(65, "learned the codes of parameters")
      try generate("--sampler gmm --refit", in: folder).succeeded()
      // A file that is none stays.
      let path = "\(folder)/run/sampler-vamp.h5"
      try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
      try generate("--sampler vamp --refit", in: folder).failed(64, "is no sampler")
      #expect(try bytes(path) == Array("mine".utf8))
      try generate("--sampler nobody", in: folder).failed(64, "flow-matching")
      try generate("--sampler gmm --set sampler.size=3", in: folder).failed(
        64, "sampler.components")
      try generate("--sampler gmm --set sampler.components=x", in: folder).failed(64, "such as 10")
      try generate("--sampler gmm --set sampler.components=0", in: folder).failed(
        64, "expected 1 to")
      try train("--posterior sphere-point --objective spherical --out sphere", in: folder)
      let sphere = words("sphere --count 4 --threads 1 --overwrite --out z.h5 --sampler")
      try Tool.generate.run(sphere + ["gmm"], in: folder).failed(64, "lie on the sphere")
      try Tool.generate.run(sphere + ["hypersphere"], in: folder).succeeded()
      try generate("--refit", in: folder).failed(64, "is not fitted")
      try generate("--sampler gmm --label 1", in: folder).failed(64, "knows 0 classes")
    }
  }

  @Test func priorsOfTheList() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try writeIntegers(
        (0..<64).map { Int64($0 % 2) }, shape: "(64,)", to: "\(folder)/labels.npy")
      for (name, setting) in [
        ("mixture", "components=5"), ("vamp", "components=5"), ("flow-matching", "hidden=[4]"),
      ] {
        try train("--prior \(name) --set model.prior.\(setting) --out \(name)", in: folder)
        let run = try Run(path: "\(folder)/\(name)")
        var random = RandomStream(seed: 1)
        let z = run.model.samplePrior(4, using: &random)
        #expect(z.shape == [4, 2])
      }
      try Tool.train.run(
        words("--data npy:data.npy --prior mixture --free-bits 0.5 --out plain") + smallRun,
        in: folder
      ).failed(78, "no divergence of each latent")
      try Tool.train.run(
        words("--data npy:data.npy --prior hierarchical --out plain") + smallRun, in: folder
      ).failed(65, "no labels, which the prior 'hierarchical' needs")
      try Tool.train.run(
        words(
          "--data npy:data.npy:labels.npy --prior hierarchical --set model.prior.classes=2 --out run"
        )
          + smallRun, in: folder
      ).succeeded()
      try generate("--label 1", in: folder).succeeded()
      try generate("--label 2", in: folder).failed(64, "knows 2 classes")
    }
  }
}
