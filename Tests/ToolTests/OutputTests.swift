// What a user made is never overwritten, by whatever name a tool is led to it.

import Foundation
import Latent
import Testing

@Suite struct OutputTests {
  private func expectRefusal(
    _ ended: Ended, _ words: String..., location: SourceLocation = #_sourceLocation
  ) {
    #expect(
      ended.code == 64 && !ended.bySignal && ended.errorLines.count == 1,
      "\(ended.code): \(ended.errors)", sourceLocation: location)
    for word in words {
      #expect(ended.errors.contains(word), "\(word): \(ended.errors)", sourceLocation: location)
    }
  }

  @Test func occupiedFolders() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      for name in [
        "config.yaml", "report.html", "summary.json", "metrics.csv", "metrics.jsonl", "pictures/a",
        "texts/a", "checkpoint-000000001.h5", "best.h5",
      ] {
        let used = "\(folder)/used"
        try Folder.create((("\(used)/\(name)") as NSString).deletingLastPathComponent)
        try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(used)/\(name)"))
        let before = try contents(used)
        let word = String(name.split(separator: "/")[0])
        expectRefusal(
          try Tool.train.run(["--data", "npy:data.npy", "--out", "used"] + smallRun, in: folder),
          word)
        expectRefusal(
          try Tool.quantize.run(["run", "--to", "int8", "--out", "used"], in: folder), word)
        #expect(try contents(used) == before, "\(name)")
        try FileManager.default.removeItem(atPath: used)
      }
      // Other files are no obstacle, nor is what a run leaves that was cut off at its beginning.
      try Folder.create("\(folder)/begun")
      for name in ["notes.txt", "config.yaml", "metrics.csv"] {
        try Data("a".utf8).write(to: URL(fileURLWithPath: "\(folder)/begun/\(name)"))
      }
      try Data("123\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/begun/.lock"))
      try Tool.train.run(["--data", "npy:data.npy", "--out", "begun"] + smallRun, in: folder)
        .succeeded()
      #expect(try bytes("\(folder)/begun/notes.txt") == Array("a".utf8))
    }
  }

  /// A lock file of another program is not written to.
  @Test func foreignLocks() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Data("not a number".utf8).write(to: URL(fileURLWithPath: "\(folder)/.lock"))
      let ended = try Tool.train.run(
        ["--data", "npy:data.npy", "--out", "."] + smallRun, in: folder)
      #expect(ended.code == 73 && ended.errors.contains(".lock"), "\(ended.errors)")
      #expect(try bytes("\(folder)/.lock") == Array("not a number".utf8))
    }
  }

  @Test func inTheData() throws {
    try withTemporaryFolder { folder in
      try Folder.create("\(folder)/faces")
      for index in 0..<20 {
        let pixels = [UInt8](repeating: UInt8(10 * index), count: 64)
        try PNG.write(NDArray(pixels, shape: [8, 8]), to: "\(folder)/faces/\(index).png")
      }
      symlink("faces", "\(folder)/link")
      let before = try contents(folder)
      for out in ["faces", "faces/run", "link/run"] {
        expectRefusal(
          try Tool.train.run(["--data", "images:faces", "--out", out] + smallRun, in: folder), out)
      }
      #expect(try contents(folder) == before)
    }
  }

  @Test func filesOfARunAndOfTheData() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      try HDF5File.write(
        arrays: ["x": NPY.read("\(folder)/data.npy")], to: "\(folder)/d.h5")
      symlink("data.npy", "\(folder)/soft.npy")
      link("\(folder)/data.npy", "\(folder)/hard.npy")
      symlink("run/best.h5", "\(folder)/soft.h5")
      link("\(folder)/run/best.h5", "\(folder)/hard.h5")
      symlink("run", "\(folder)/linked")
      symlink("nowhere", "\(folder)/broken.npy")
      try Folder.create("\(folder)/folder.npy")
      try Data("mine".utf8).write(to: URL(fileURLWithPath: "\(folder)/mine.npy"))
      let before = try contents(folder)
      let checkpoint = try #require(
        try Folder.names(in: "\(folder)/run").first { $0.hasPrefix("ch") })
      for extra in [[], ["--overwrite"]] {
        for out in [
          "run/best.h5", "run/\(checkpoint)", "linked/best.h5", "./run/../run/best.h5", "soft.h5",
          "hard.h5", "run/checkpoint-000000099.h5",
        ] {
          for tool in [Tool.encode, .generate] {
            expectRefusal(try tool.run(["run", "--out", out] + extra, in: folder), out)
          }
        }
        for out in ["data.npy", "soft.npy", "hard.npy", "broken.npy", "folder.npy"] {
          for tool in [Tool.encode, .interpolate] {
            expectRefusal(try tool.run(["run", "--out", out] + extra, in: folder), out)
          }
        }
        expectRefusal(
          try Tool.encode.run(
            ["run", "--data", "hdf5:d.h5:x", "--out", "d.h5"] + extra, in: folder), "d.h5")
      }
      for tool in [Tool.encode, .interpolate, .generate] {
        expectRefusal(try tool.run(["run", "--out", "mine.npy"], in: folder), "--overwrite")
      }
      #expect(try contents(folder) == before)
      // A tool's own file is replaced, until somebody has changed it.
      for _ in 0..<2 {
        for tool in [Tool.encode, .interpolate, .generate] {
          try tool.run(["run", "--out", "\(tool).npy"], in: folder).succeeded()
        }
      }
      let file = try #require(FileHandle(forUpdatingAtPath: "\(folder)/encode.npy"))
      try file.seekToEnd()
      try file.write(contentsOf: Data("more".utf8))
      try file.close()
      expectRefusal(try Tool.encode.run(["run", "--out", "encode.npy"], in: folder), "--overwrite")
      try Tool.encode.run(["run", "--out", "encode.npy", "--overwrite"], in: folder).succeeded()
      #expect(try NPY.read("\(folder)/encode.npy").shape == [20, 2])
    }
  }

  /// A run whose folder is removed and made anew by another one ends, and touches nothing.
  @Test(arguments: [true, false]) func removedMeanwhile(isMadeAnew: Bool) throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let flags = ResumeTests.flags.map { $0 == "3" ? "100000" : $0 } + ["--out", "run"]
      let first = try Tool.train.start(flags, in: folder)
      let deadline = Date() + 30
      while (try? RunFolder.checkpoints(in: "\(folder)/run"))?.first == nil, Date() < deadline {
        usleep(1000)
      }
      // In one step, so that the first run cannot save into the new folder before it is the other's.
      rename("\(folder)/run", "\(folder)/gone")
      if isMadeAnew { try Folder.create("\(folder)/run") }
      let ended = try first.wait()
      #expect(ended.code == 73 && ended.errorLines.count == 1, "\(ended.code): \(ended.errors)")
      #expect(ended.errors.contains("removed or made anew"), "\(ended.errors)")
      let names = try? Folder.names(in: "\(folder)/run")
      #expect(names == (isMadeAnew ? [] : nil), "\(names ?? [])")
    }
  }
}
