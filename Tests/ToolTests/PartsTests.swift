// Parts of one run in another: loaded, kept as they are, and refused where they do not fit.

import Foundation
import Latent
import Testing

@Suite struct PartsTests {
  private func train(_ words: String, in folder: String) throws -> Ended {
    let common = "--data sprites:8 --model mlp --latent 2 --batch 640 --quiet"
    return try Tool.train.run(
      "\(common) \(words)".split(separator: " ").map(String.init), in: folder)
  }

  @Test func loadedAndFrozen() throws {
    try withTemporaryFolder { folder in
      #expect(try train("--hidden 6 --epochs 1 --out a", in: folder).code == 0)
      let frozen = "--hidden 6 --out b --epochs"
      let parts = ["--from", "a", "--load", "decoder.**", "--freeze", "decoder.**"]
      #expect(try train("\(frozen) 1 \(parts.joined(separator: " "))", in: folder).code == 0)
      let first = try Run(path: "\(folder)/a").model.namedArrays
      let half = try Run(path: "\(folder)/b", checkpoint: .latest).model.namedArrays
      #expect(
        try Tool.train.run(["--resume", "--epochs", "2", "--out", "b", "--quiet"], in: folder).code
          == 0)
      let whole = try Run(path: "\(folder)/b", checkpoint: .latest).model.namedArrays
      for (path, array) in first {
        let isFrozen = path.hasPrefix("decoder.")
        #expect((half[path] == array) == isFrozen, "\(path)")
        #expect((whole[path] == half[path]) == isFrozen, "\(path), resumed")
      }
    }
  }

  /// Objectives that compare examples with each other take no batch of one, wherever it comes from.
  @Test func smallBatches() throws {
    try withTemporaryFolder { folder in
      func train(_ words: String) throws -> Ended {
        try Tool.train.run(
          "--data npy:data.npy --model mlp --hidden 3 --latent 2 --epochs 1 --out run --quiet \(words)"
            .split(separator: " ").map(String.init), in: folder)
      }
      for (count, words, sentence) in [
        (20, "--objective dip1 --batch 1", "a batch of 1 examples"),
        (20, "--objective beta-tc --batch 4 --validation 0.05", "a batch of 1 examples"),
      ] {
        try writePictures(count, to: "\(folder)/data.npy")
        let ended = try train(words)
        #expect(ended.code == 65 && ended.errors.contains(sentence), "\(words): \(ended.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      }
      // 513 are evaluated, which would leave one alone after 512.
      try writePictures(570, to: "\(folder)/data.npy")
      let ended = try train("--objective info --batch 19 --validation 0.9")
      #expect(ended.code == 0, "513 examples of validation: \(ended.errors)")
    }
  }

  /// A test set that the objective cannot take ends no run: it is left out, and so said. So is what moves nobody.
  @Test func whatHasNoEffect() throws {
    try withTemporaryFolder { folder in
      for (name, count) in [("train", 12), ("t10k", 1)] {
        let pixels = (0..<count * 784).map { UInt8($0 * 37 % 251) }
        try AtomicFile.write(
          [0, 0, 8, 3, 0, 0, 0, UInt8(count), 0, 0, 0, 28, 0, 0, 0, 28] + pixels,
          to: "\(folder)/\(name)-images-idx3-ubyte")
        try AtomicFile.write(
          [0, 0, 8, 1, 0, 0, 0, UInt8(count)] + (0..<count).map { UInt8($0 % 10) },
          to: "\(folder)/\(name)-labels-idx1-ubyte")
      }
      for (words, note) in [
        ("dip1 --validation 0.3 --out a", "the test set is left out: "),
        ("dip1 --validation 0 --out b", "the test set is left out: "),
        (
          "gan --set objective.criticChannels=[2] --learning-rate 0.1 --out c",
          "optimizer and learning rate move nobody: all players of 'gan' have rules of their own"
        ),
      ] {
        let ended = try Tool.train.run(
          ("--data mnist:. --model mlp --hidden 3 --latent 2 --epochs 1 --batch 4 --objective "
            + words).split(separator: " ").map(String.init), in: folder)
        #expect(ended.code == 0 && ended.errors.contains("note: " + note), "\(ended.errors)")
        let summary = try String(
          contentsOfFile: "\(folder)/\(words.suffix(1))/summary.json", encoding: .utf8)
        #expect(summary.contains(note) && summary.contains("test_loss") == (words.first == "g"))
      }
    }
  }

  @Test func refused() throws {
    try withTemporaryFolder { folder in
      #expect(try train("--hidden 6 --epochs 1 --out a", in: folder).code == 0)
      for (words, code, sentence) in [
        (
          "--freeze decodr.**", 78, "frozen: no parameter is called 'decodr.**': there are encoder."
        ),
        ("--freeze **", 78, "frozen: with ** frozen the player model has nothing left to move"),
        ("--from a --load x", 64, "--load 'x': the run a has only decoder.hidden.0.bias"),
        ("--from a --hidden 7", 65, "--from a: the saved parameters do not fit the model"),
        ("--load x", 64, "--load says what to take of another run: give --from RUN"),
      ] {
        let ended = try train("--out b \(words)", in: folder)
        let errors = ended.errors.replacingOccurrences(of: "Error: ", with: "latent-train: ")
        #expect(ended.code == code && errors.contains(sentence), "\(words): \(ended.errors)")
        #expect(
          !FileManager.default.fileExists(atPath: "\(folder)/b"), "\(words): nothing was begun")
      }
    }
  }
}
