// Standard streams that are full, closed, or pipes that nobody reads: training goes on, and a result
// that cannot be written is said by the exit code.

import Foundation
import Latent
import Testing

@Suite struct StreamTests {

  @Test(arguments: [
    "2>&-", ">&-", ">&- 2>&-", "<&-", "<&- >&- 2>&-", "2>/dev/full", ">/dev/full",
    ">/dev/full 2>/dev/full",
  ])
  func trainingGoesOn(redirection: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      // 200 steps, a line for each of 4 epochs.
      let ended = try shell(
        "latent-train --data npy:data.npy --latent 2 --hidden 12 --batch 4 --epochs 4 "
          + "--threads 1 --out run \(redirection)", in: folder)
      #expect(ended.code == 0, "\(ended.code): \(ended.errors)")
      #expect(try RunFolder.newest(in: "\(folder)/run").path.hasSuffix("000000200.h5"))
      // No file got the number of a stream that was closed.
      _ = try Checkpoint(contentsOf: "\(folder)/run/best.h5")
      for name in ["metrics.csv", "config.yaml", "report.html"] {
        #expect(
          try !String(decoding: bytes("\(folder)/run/\(name)"), as: UTF8.self).contains("items/s"))
      }
    }
  }

  /// Pipes: one whose reader is gone, one whose reader sleeps, and one that is full and does not wait.
  @Test func pipes() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let train =
        "latent-train --data npy:data.npy --latent 2 --hidden 12 --batch 4 --epochs 4 --threads 1"
      let gone = try shell(
        "{ sleep 0.2; \(train) --out gone 2>&1; echo $? >code; } | true; sleep 0.1; "
          + "while [ ! -s code ]; do sleep 0.1; done; exit $(cat code)", in: folder)
      #expect(gone.code == 0, "\(gone.code) \(gone.errors)")
      let python = """
        import os, subprocess, sys
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
          while True: os.write(writer, b"x" * 4096)
        except BlockingIOError: pass
        os.set_blocking(writer, sys.argv[1] == "waits")
        sys.exit(subprocess.call(sys.argv[2:], stdout=writer, stderr=writer))
        """
      try Data(python.utf8).write(to: URL(fileURLWithPath: "\(folder)/full.py"))
      for mode in ["waits", "waitsnot"] {
        let ended = try shell("python3 full.py \(mode) \(train) --out \(mode)", in: folder)
        #expect(ended.code == 0, "\(mode): \(ended.code) \(ended.errors)")
        #expect(try RunFolder.newest(in: "\(folder)/\(mode)").path.hasSuffix("000000200.h5"))
      }
      let shown = try shell("python3 full.py waitsnot latent-train --print-config", in: folder)
      #expect(shown.code == 74, "\(shown.code)")
    }
  }

  @Test func results() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      var lines = [
        "latent-train --print-config", "latent-train --resume --out run --print-config",
        "latent-encode run --out z.npy", "latent-generate run --out g.npy",
        "latent-interpolate run --out i.npy",
      ]
      lines += Tool.allCases.map { "\($0.rawValue) --help" }
      for line in lines {
        for redirection in [">/dev/full", ">&-", "| true"] {
          let command =
            redirection == "| true"
            ? "{ sleep 0.2; \(line); echo $? >code; } | true; "
              + "while [ ! -s code ]; do sleep 0.05; done; code=$(cat code); rm code; exit $code"
            : "\(line) \(redirection)"
          let ended = try shell(command, in: folder)
          #expect(ended.code == 74, "\(command): \(ended.code) \(ended.errors)")
          #expect(
            ended.errorLines.count == 1 && ended.errors.contains("standard output"),
            "\(command): \(ended.errors)")
        }
      }
      // Without standard error the code alone says it.
      for line in ["latent-generate run --out g.npy", "latent-train --help"] {
        let ended = try shell("\(line) >/dev/full 2>/dev/full", in: folder)
        #expect(ended.code == 74, "\(line): \(ended.code)")
      }
      let wrong = try shell("latent-train --nonsense 2>&-", in: folder)
      #expect(wrong.code == 64)
    }
  }

  /// A limit on the size of files is an error, not a signal.
  @Test func fileSizes() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let ended = try shell(
        "ulimit -f 20; latent-train --data npy:data.npy --batch 32 --epochs 1 --quiet --out run",
        in: folder)
      #expect(ended.code == 73 && ended.errorLines.count == 1, "\(ended.code): \(ended.errors)")
      #expect(ended.errors.contains("ulimit -f"))
    }
  }

  /// However little memory there is, the tool ends with one sentence about it, once it and the libraries that it is
  /// linked with are loaded, which take some 110 MB of addresses.
  @Test func memory() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      for kilobytes in [125_000, 150_000, 200_000, 300_000, 400_000] {
        let ended = try shell(
          "ulimit -v \(kilobytes); latent-train --data npy:data.npy --hidden 4000 --batch 128 "
            + "--epochs 1 --threads 1 --quiet --out run\(kilobytes)", in: folder)
        #expect(ended.code == 71 || ended.code == 0, "\(kilobytes): \(ended.code) \(ended.errors)")
        if ended.code == 71 {
          #expect(ended.errors.contains("out of memory"), "\(ended.errors)")
          #expect(!ended.errors.contains("apt-get"), "\(ended.errors)")
        }
      }
      // Here the end comes inside libraries, with two threads.
      for kilobytes in [190_000, 220_000, 310_000, 340_000, 400_000] {
        let ended = try shell(
          "ulimit -v \(kilobytes); latent-train --data sprites:28 --latent 4 --hidden 64 --epochs 1 "
            + "--batch 5000 --threads 2 --quiet --out small\(kilobytes)", in: folder)
        #expect(ended.code == 71 || ended.code == 0, "\(kilobytes): \(ended.code) \(ended.errors)")
        #expect(ended.code == 0 || ended.errors.contains("out of memory"), "\(ended.errors)")
      }
    }
  }
}
