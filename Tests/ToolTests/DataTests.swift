// What the tools keep and say of the data: a rule for bytes, a fingerprint, the names of classes.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct DataTests {
  private func texts(_ run: String) throws -> [String: String] {
    try RunFolder.newest(in: run).checkpoint.texts
  }

  /// Data that were exchanged behind a run's back are refused, unless that is asked for.
  @Test func changedData() throws {
    try withTemporaryFolder { folder in
      try writePictures(48, to: "\(folder)/data.npy")
      let flags = ["--data", "npy:data.npy"] + smallRun
      try Tool.train.run(flags + ["--out", "run"], in: folder).succeeded()
      let fingerprint = try texts("\(folder)/run")[DatasetFingerprint.textName]
      #expect(fingerprint?.contains("\"count\":48") == true)
      let longer = ["--resume", "--quiet", "--out", "run", "--epochs"]
      // The same data under another time and inode are the same.
      try writePictures(48, to: "\(folder)/data.npy")
      try Tool.train.run(longer + ["3"], in: folder).succeeded()
      #expect(try texts("\(folder)/run")[DatasetFingerprint.textName] == fingerprint)

      for (count, seed, says) in [
        (45, 1, "found 45 examples, was 48 examples"), (48, 2, "of 48 examples, was checksum"),
      ] as [(Int, UInt64, String)] {
        try writePictures(count, to: "\(folder)/data.npy", seed: seed)
        let newest = try RunFolder.newest(in: "\(folder)/run").path
        let refused = try Tool.train.run(longer + ["4"], in: folder)
        #expect(refused.code == 65 && refused.errorLines.count == 1, "\(refused.errors)")
        #expect(
          refused.errors.hasPrefix(
            "latent-train: the data npy:data.npy have changed since the run was saved: "))
        #expect(refused.errors.contains(says) && refused.errors.contains("--accept-changed-data"))
        #expect(try RunFolder.newest(in: "\(folder)/run").path == newest)
      }
      let accepted = try Tool.train.run(longer + ["4", "--accept-changed-data"], in: folder)
      accepted.succeeded()
      #expect(accepted.errors.hasPrefix("note: the data npy:data.npy have changed"))
      // From then on the new data are the run's.
      try Tool.train.run(longer + ["5"], in: folder).succeeded()

      // A checkpoint of before knows nothing of its data and is taken up as it was.
      let newest = try RunFolder.newest(in: "\(folder)/run")
      var old = newest.checkpoint
      old.texts[DatasetFingerprint.textName] = nil
      try old.write(to: newest.path)
      try writePictures(44, to: "\(folder)/data.npy", seed: 3)
      try Tool.train.run(longer + ["6"], in: folder).succeeded()
    }
  }

  /// The rule for bytes that a run began with is the one by which other data meet its model.
  @Test func bytes() throws {
    try withTemporaryFolder { folder in
      let binary = NDArray((0..<1_280).map { UInt8($0 * $0 / 7 % 2) }, shape: [20, 8, 8])
      try NPY.write(binary, to: "\(folder)/binary.npy")
      try writePictures(20, to: "\(folder)/gray.npy")
      func largest(_ run: String, _ file: String) throws -> Float? {
        let data = try OpenRun(folder: "\(folder)/\(run)").data("npy:\(folder)/\(file).npy")
        return try data.batch(0..<20).inputs.floats.max()
      }
      for (file, flags, scale, note) in [
        ("binary", [], "numbers", "are 0 and 1 only"), ("gray", [], "pictures", nil),
        ("binary", ["--bytes", "pictures"], "pictures", "go to 1 only, and are divided by 255"),
        ("gray", ["--bytes", "numbers"], "numbers", nil),
      ] as [(String, [String], String, String?)] {
        let run = "\(file)-\(scale)"
        let likelihood =
          file == "gray" && scale == "numbers" ? ["--likelihood", "unit-normal"] : []
        let ended = try Tool.train.run(
          ["--data", "npy:\(file).npy", "--out", run] + smallRun + flags + likelihood, in: folder)
        ended.succeeded()
        #expect(ended.errorLines.count == (note == nil ? 0 : 1), "\(ended.errors)")
        if let note { #expect(ended.errors.contains(note), "\(ended.errors)") }
        let settings = try String(contentsOfFile: "\(folder)/\(run)/config.yaml", encoding: .utf8)
        #expect(settings.contains("\nbytes: \(scale)\n"), "\(settings)")
        #expect(try largest(run, "binary") == (scale == "numbers" ? 1 : 1 / 255))
        #expect(try (largest(run, "gray") ?? 0) > 200 / (scale == "numbers" ? 1 : 255))
        // A resumed run has its own rule, whatever the bytes look like.
        try Tool.train.run(
          ["--resume", "--quiet", "--epochs", "3", "--out", run], in: folder
        ).succeeded()
      }
      // The first versions divided all bytes.
      let path = "\(folder)/binary-numbers/best.h5"
      var old = try Checkpoint(contentsOf: path)
      old.texts["run"] = old.texts["run"]?.replacingOccurrences(
        of: "\"bytes\" : \"numbers\",", with: "")
      try old.write(to: path)
      #expect(try largest("binary-numbers", "binary") == 1 / 255)
    }
  }

  @Test func labels() throws {
    try withTemporaryFolder { folder in
      try writePictures(48, to: "\(folder)/data.npy")
      try NPY.write(
        NDArray((0..<48).map { Int32($0 % 2) }), to: "\(folder)/kinds.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy:kinds.npy", "--out", "run"] + smallRun, in: folder
      )
      .succeeded()
      try Tool.encode.run(["run", "--out", "z.h5"], in: folder).succeeded()
      #expect(
        try HDF5File(path: "\(folder)/z.h5").array("labels")
          == NDArray((0..<48).map { Int32($0 % 2) }))
      #expect(try texts("\(folder)/run")["labels"] == nil)
      guard PNG.canDecode else { return }
      for (name, count) in [("zèbres", 10), ("cats", 10)] {
        try Folder.create("\(folder)/photos/\(name)")
        for index in 0..<count {
          try PNG.write(
            NDArray((0..<64).map { UInt8($0 * 3 + index) }, shape: [8, 8]),
            to: "\(folder)/photos/\(name)/\(index).png")
        }
      }
      try Tool.train.run(["--data", "images:photos", "--out", "named"] + smallRun, in: folder)
        .succeeded()
      let names = try #require(texts("\(folder)/named")["labels"])
      #expect(
        try JSONDecoder().decode([String].self, from: Data(names.utf8)) == ["cats", "zèbres"])
    }
  }

  /// Files of other formats end in one sentence, before a folder is made.
  @Test func otherFormats() throws {
    try withTemporaryFolder { folder in
      try Folder.create("\(folder)/photos")
      let jpeg: [UInt8] = [0xff, 0xd8, 0xff, 0xe0, 0, 16] + Array("JFIF".utf8)
      for name in ["photos/a.JPG", "a.npy"] { try AtomicFile.write(jpeg, to: "\(folder)/\(name)") }
      for (source, says) in [
        ("images:photos", "mogrify -format png *.JPG"), ("npy:a.npy", "it is a JPEG picture"),
      ] {
        let ended = try Tool.train.run(["--data", source, "--out", "run"], in: folder)
        #expect(ended.code == (PNG.canDecode || source == "npy:a.npy" ? 65 : 66))
        #expect(ended.errorLines.count == 1)
        #expect(!PNG.canDecode || ended.errors.contains(says), "\(ended.errors)")
        #expect(!FileManager.default.fileExists(atPath: "\(folder)/run"))
      }
    }
  }
}
