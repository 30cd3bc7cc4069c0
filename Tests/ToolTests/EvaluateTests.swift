// latent-evaluate from end to end: what it leaves, that it goes on, and what it refuses.

import Foundation
import Latent
import Testing

@Suite struct EvaluateTests {
  private static let quick = ["--examples", "200", "--draws", "50"]

  private static func train(_ name: String, seed: Int, in folder: String) throws {
    try Tool.train.run(
      [
        "--data", "sprites:8", "--latent", "3", "--hidden", "32", "--epochs", "1", "--seed",
        "\(seed)", "--out", name,
      ], in: folder
    ).succeeded()
  }

  private static func bytes(_ name: String, in folder: String) throws -> Data {
    try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
  }

  @Test(
    "An evaluation is complete, the same for any number of threads, and goes on where it stopped")
  func wholeEvaluation() throws {
    try withTemporaryFolder { folder in
      try EvaluateTests.train("run", seed: 1, in: folder)
      let first = try Tool.evaluate.run(
        ["run", "--threads", "1"] + EvaluateTests.quick, in: folder)
      first.succeeded()
      let whole = try EvaluateTests.bytes("run/evaluation.json", in: folder)
      let record = try EvaluationRecord(contentsOf: "\(folder)/run/evaluation.json")
      #expect(
        record.parts.map(\.name) == ["likelihood", "structure", "disentanglement", "samples"])
      for name in ["elbo", "nll", "active-units", "mig", "fd", "authenticity"] {
        let value = record.measurements.first { $0.metric.name == name && $0.part == nil }
        #expect(value?.value.isFinite == true, "\(name)")
      }
      #expect(first.output.contains("mutual information gap"))
      let page = String(
        decoding: try EvaluateTests.bytes("run/evaluation.html", in: folder), as: UTF8.self)
      #expect(page.contains("data:image/png") && !page.contains("src=\"http"))

      // As if it had been killed after the first part: the rest is measured, and the file is the same.
      var cut = EvaluationRecord(
        version: record.version, model: record.model, data: record.data,
        dataFingerprint: record.dataFingerprint, examples: record.examples)
      cut.set(record.parts[0], order: [])
      try Data(cut.encoded()).write(to: URL(filePath: "\(folder)/run/evaluation.json"))
      let second = try Tool.evaluate.run(
        ["run", "--threads", "2"] + EvaluateTests.quick, in: folder)
      second.succeeded()
      #expect(second.errors.contains("likelihood: measured already"))
      #expect(try EvaluateTests.bytes("run/evaluation.json", in: folder) == whole)
    }
  }

  @Test("Runs stand side by side, and strange data are told from a run's own")
  func comparison() throws {
    try withTemporaryFolder { folder in
      for seed in 1...2 { try EvaluateTests.train("run\(seed)", seed: seed, in: folder) }
      let both = try Tool.evaluate.run(
        ["run1", "run2", "--parts", "likelihood,structure", "--out", "both.html"]
          + EvaluateTests.quick, in: folder)
      both.succeeded()
      #expect(both.output.contains("run1") && both.output.contains("mean"))
      let page = String(decoding: try EvaluateTests.bytes("both.html", in: folder), as: UTF8.self)
      #expect(page.contains("run1") && page.contains("run2"))

      let noise = NDArray((0..<64 * 40).map { Float(($0 * 7919) % 2) }, shape: [40, 8, 8, 1])
      try NPY.write(noise, to: "\(folder)/noise.npy")
      try Tool.evaluate.run(
        [
          "run1", "--parts", "outliers", "--against", "npy:noise.npy", "--scores", "scores.h5",
        ] + EvaluateTests.quick, in: folder
      ).succeeded()
      let record = try EvaluationRecord(contentsOf: "\(folder)/run1/evaluation.json")
      let area = record.measurements.first {
        $0.metric.name == "auroc" && $0.part == OutlierScore.typicality.rawValue
      }
      #expect((area?.value ?? 0) > 0.9)
      let scores = try HDF5File(path: "\(folder)/scores.h5")
      #expect(try scores.array("regret").shape == [200])
      #expect(try scores.array("reconstructionDeviation").shape == [200, 8, 8, 1])
    }
  }

  static let points = [
    ["--posterior", "point", "--objective", "ae"], ["--codes", "vq", "--objective", "vq"],
  ]

  @Test(
    "What a model cannot be asked is a note, and everything else is measured", arguments: points)
  func pointPosteriors(model: [String]) throws {
    try withTemporaryFolder { folder in
      try Tool.train.run(
        ["--data", "sprites:8", "--hidden", "16", "--epochs", "1", "--out", "run"] + model,
        in: folder
      ).succeeded()
      let ended = try Tool.evaluate.run(
        [
          "run", "--parts", "likelihood,annealing,structure,samples,outliers", "--against",
          "sprites:8", "--annealed", "2", "--temperatures", "3",
        ] + EvaluateTests.quick, in: folder)
      ended.succeeded()
      #expect(ended.errors.contains("note: likelihood:"))
      #expect(ended.errors.contains("note: outliers:"))
      let record = try EvaluationRecord(contentsOf: "\(folder)/run/evaluation.json")
      #expect(record.measurements.contains { $0.metric.name == "fd" })
      #expect(!record.measurements.contains { $0.metric.name == "nll" })
      let scores = try Tool.evaluate.run(
        ["run", "--parts", "samples", "--scores", "s.h5"] + EvaluateTests.quick, in: folder)
      #expect(scores.code == 78 && scores.errors.contains("is a point"))
    }
  }

  @Test("Features of others are compared without a run")
  func features() throws {
    try withTemporaryFolder { folder in
      var random = RandomStream(seed: 5)
      for name in ["real", "fake"] {
        try NPY.write(
          random.normalTensor([300, 4], .float32).array, to: "\(folder)/\(name).npy")
      }
      let found = try Tool.evaluate.run(
        ["--real", "real.npy", "--fake", "fake.npy", "--out", "values.json"], in: folder)
      found.succeeded()
      #expect(found.output.contains("Frechet") || found.output.contains("Fréchet"))
      let values = try JSONDecoder().decode(
        [MetricValue].self, from: EvaluateTests.bytes("values.json", in: folder))
      #expect(values.contains { $0.metric.name == "coverage" })
    }
  }

  static let refusals: [(arguments: [String], code: Int32, words: String)] = [
    ([], 64, "either runs, or --real and --fake"),
    (["run", "--parts", "speed"], 64, "likelihood, annealing"),
    (["run", "--parts", "outliers"], 64, "--against"),
    (["a", "b"], 64, "--out"), (["--real", "a.npy"], 64, "--fake"),
    (["nowhere"], 66, "nowhere"), (["run", "--draws", "1"], 64, "--draws"),
  ]

  @Test("What cannot be measured is refused in a sentence", arguments: refusals)
  func refused(arguments: [String], code: Int32, words: String) throws {
    try withTemporaryFolder { folder in
      let ended = try Tool.evaluate.run(arguments, in: folder)
      #expect(ended.code == code, "\(ended.errors)")
      #expect(ended.errors.contains(words), "\(ended.errors)")
    }
  }
}
