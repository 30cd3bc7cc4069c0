// Findings run again, on data so small that nothing is found: every arm trains, every figure is taken, claims
// follow from the figures that are printed beside them.

import Foundation
import Latent
import Testing

@Suite struct ReproduceTests {
  /// What makes an arm small. Pictures of 8 by 8 suit the networks of all findings.
  static let small = [
    "epochs=1", "batchSize=32", "model.latentSize=3", "model.architecture=mlp", "model.hidden=[8]",
    "adapters.rank=1",
  ].flatMap { ["--set", $0] }

  static func writeDigits(to folder: String) throws {
    try writePictures(64, to: "\(folder)/data.npy")
    try NPY.write(NDArray((0..<64).map { Int32($0 % 10) }), to: "\(folder)/labels.npy")
  }

  private func figures(_ json: [String: Any]) throws -> [String: [String: [Double]]] {
    let arms = try #require(json["arms"] as? [[String: Any]])
    let pairs = try arms.map {
      (try #require($0["arm"] as? String), try #require($0["figures"] as? [String: [Double]]))
    }
    return Dictionary(uniqueKeysWithValues: pairs)
  }

  private func outcome(_ name: String, in folder: String) throws -> [String: Any] {
    try ReproduceTests.writeDigits(to: folder)
    let ended = try Tool.reproduce.run(
      [name, "--data", "npy:data.npy:labels.npy", "--seeds", "3,4", "--out", "a.json", "--quiet"]
        + ReproduceTests.small, in: folder)
    ended.succeeded()
    #expect(ended.output.contains("expected") && ended.output.contains("seeds 3, 4"))
    let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a.json"))
    return try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
  }

  @Test(arguments: [
    "iwae", "dreg", "free-bits", "cyclic", "aae", "wae", "beta-tc", "vae-gan", "lora",
  ])
  func everyFindingRuns(name: String) throws {
    try withTemporaryFolder { folder in
      let json = try outcome(name, in: folder)
      #expect(json["finding"] as? String == name && json["seeds"] as? [Int] == [3, 4])
      #expect((json["verdicts"] as? [Any])?.isEmpty == false)
      for (arm, figures) in try figures(json) {
        #expect(!figures.isEmpty)
        for (figure, values) in figures {
          #expect(
            values.count == 2 && values.allSatisfy(\.isFinite), "\(arm), \(figure): \(values)")
        }
      }
    }
  }

  @Test func claimsFollowFromFigures() throws {
    try withTemporaryFolder { folder in
      let json = try outcome("iwae", in: folder)
      let nll = try figures(json).mapValues { ($0["nll"] ?? []).reduce(0, +) / 2 }
      let held = try #require(json["verdicts"] as? [[String: Any]]).map { $0["holds"] as? Bool }
      let (one, five, fifty) = (nll["k1"] ?? 0, nll["k5"] ?? 0, nll["k50"] ?? 0)
      #expect(held == [one - five > 0.3, five - fifty > 0])
    }
  }

  @Test func listed() throws {
    try withTemporaryFolder { folder in
      let ended = try Tool.reproduce.run(["--list"], in: folder)
      ended.succeeded()
      for words in ["iwae: ", "gan: ", "objective.samples=50", "claim: nll of k5 below that of k1"]
      {
        #expect(ended.output.contains(words), "\(words)")
      }
    }
  }

  @Test(arguments: [
    (["nothing"], 64, "no finding 'nothing': expected one of iwae"),
    (["iwae"], 64, "--data"),
    (["iwae", "--data", "npy:data.npy", "--seeds", "1,x"], 64, "--seeds '1,x'"),
    (["iwae", "--data", "npy:data.npy", "--set", "objective.draws=3"], 64, "samples"),
    (["wae", "--data", "npy:data.npy"] + small, 65, "has no labels"),
    (["iwae", "--data", "npy:data.npy", "--out", "data.npy"], 64, "same file"),
    (["lora", "--data", "npy:data.npy", "--set", "frozen=[a]"], 64, "the arm's own affair"),
    (["lora", "--data", "npy:data.npy"] + small, 65, "no examples with labels from 5 to 9"),
  ])
  func refused(arguments: [String], code: Int32, sentence: String) throws {
    try withTemporaryFolder { folder in
      try ReproduceTests.writeDigits(to: folder)
      let ended = try Tool.reproduce.run(arguments, in: folder)
      #expect(
        ended.code == code && ended.errors.contains(sentence), "\(ended.code) \(ended.errors)")
    }
  }
}
