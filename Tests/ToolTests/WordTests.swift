// Words of the command line and of the environment that are easily misread.

import Foundation
import Latent
import Testing

@Suite struct WordTests {
  @Test func negativeNumbers() throws {
    try withTemporaryFolder { folder in
      for (arguments, words) in [
        (["--beta", "-1"], ["--beta -1", "0 or more"]),
        (["--beta=-1"], ["--beta -1", "0 or more"]),
        (["--free-bits", "-0.5"], ["--free-bits -0.5", "0 or more"]),
        (["--learning-rate", "-1e-3"], ["--learning-rate -0.001", "more than 0"]),
        (["--learning-rate", "-inf"], ["--learning-rate -inf", "expected a number"]),
        (["--clip", "-.5"], ["--clip -0.5", "more than 0"]),
        (["--average", "-0.5"], ["--average -0.5", "between 0 and 1"]),
        (["--validation", "-0.1"], ["--validation -0.1", "0 ..< 1"]),
        (["--epochs", "-3"], ["--epochs -3", "1 to"]),
        (["--keep", "-3"], ["--keep -3", "1 to"]),
        (["--threads", "-3"], ["--threads -3", "0 to 256"]),
        (["--threads", "257"], ["--threads 257", "0 to 256"]),
      ] {
        let ended = try Tool.train.run(arguments + ["--out", "run"], in: folder)
        #expect(ended.code == 64, "\(arguments): \(ended.code) \(ended.errors)")
        for word in words { #expect(ended.errors.contains(word), "\(arguments): \(ended.errors)") }
        #expect(!ended.errors.contains("Missing value"), "\(ended.errors)")
      }
      #expect(try Folder.names(in: folder).isEmpty)
    }
  }

  @Test func contradictions() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      let cases: [(Tool, String, [String])] = [
        (.interpolate, "--traverse 2 --pairs 1:2 --out a.npy", ["--traverse", "--pairs"]),
        (.interpolate, "--traverse 2 --rows 3 --out a.npy", ["--traverse", "--rows"]),
        (.interpolate, "--traverse 2 --path linear --out a.npy", ["--traverse", "--path"]),
        (.interpolate, "--pairs 1:2 --rows 3 --out a.npy", ["--pairs", "--rows"]),
        (.generate, "--columns 3 --out a.npy", ["--columns 3", ".png"]),
      ]
      for (tool, text, words) in cases {
        let ended = try tool.run(["run"] + text.split(separator: " ").map(String.init), in: folder)
        #expect(ended.code == 64, "\(text): \(ended.code) \(ended.errors)")
        for word in words { #expect(ended.errors.contains(word), "\(text): \(ended.errors)") }
      }
      #expect(try !Folder.names(in: folder).contains { $0.hasPrefix("a.") })
    }
  }

  @Test func emptyPaths() throws {
    try withTemporaryFolder { folder in
      let cases: [(Tool, [String])] = [
        (.train, ["--out", ""]), (.train, ["--out", "run", "--config", ""]),
        (.train, ["--out", "run", "--data", ""]), (.train, ["--out", "run", "--data", "npy:"]),
        (.encode, ["", "--out", "a.npy"]), (.encode, ["run", "--out", ""]),
        (.encode, ["run", "--checkpoint", "", "--out", "a.npy"]),
        (.generate, ["run", "--out", ""]), (.interpolate, ["run", "--out", ""]),
        (.quantize, ["run", "--to", "int8", "--out", ""]), (.merge, ["run", "--out", ""]),
        (.merge, ["run", "--adapters", "", "--out", "new"]),
      ]
      for (tool, arguments) in cases {
        let ended = try tool.run(arguments, in: folder)
        #expect(ended.code == 64, "\(tool) \(arguments): \(ended.code) \(ended.errors)")
      }
      #expect(try Folder.names(in: folder).isEmpty)
    }
  }

  /// Shells expand a tilde at the beginning of a word alone.
  @Test func homeFolder() throws {
    try withTemporaryFolder { folder in
      let home = "\(folder)/home"
      try Folder.create(home)
      try writePictures(20, to: "\(home)/data.npy")
      let line =
        "latent-train --data=npy:'~/data.npy' --out='~/run' \(smallRun.joined(separator: " "))"
      let trained = try shell(line, in: folder, ["HOME": home])
      #expect(trained.code == 0, "\(trained.errors)")
      let encoded = try shell(
        "latent-encode '~/run/' --checkpoint='~/run/best.h5' --out='~/z.npy'", in: folder,
        ["HOME": home])
      #expect(encoded.code == 0, "\(encoded.errors)")
      let again = try shell(
        "latent-train --config='~/run/config.yaml' --print-config", in: folder, ["HOME": home])
      #expect(again.code == 0, "\(again.errors)")
      #expect(try NPY.read("\(home)/z.npy").shape == [20, 2])
      #expect(try Folder.names(in: folder) == ["home"])
    }
  }

  /// What makes no sense is said once, and what does is not.
  @Test func threadsOfTheEnvironment() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let line = "latent-train --data npy:data.npy --hidden 12 --batch 16 --epochs 1 --quiet --out"
      for (index, value) in ["banana", "0", "-3", "1e9", "1000", "2 "].enumerated() {
        let ended = try shell("\(line) run\(index)", in: folder, ["LATENT_THREADS": value])
        #expect(ended.code == 0 && ended.errorLines.count == 1, "\(value): \(ended.errors)")
        #expect(ended.errors.contains("LATENT_THREADS is '\(value)'"), "\(ended.errors)")
      }
      for (index, value) in ["", "1", "2"].enumerated() {
        let ended = try shell("\(line) good\(index)", in: folder, ["LATENT_THREADS": value])
        #expect(ended.code == 0 && ended.errors.isEmpty, "\(value): \(ended.errors)")
      }
      // A flag overrules it.
      let ended = try shell("\(line) flag --threads 1", in: folder, ["LATENT_THREADS": "banana"])
      #expect(ended.code == 0 && ended.errors.isEmpty, "\(ended.errors)")
    }
  }

  /// On a terminal that knows no escape codes there are none; on others no line is wider than it.
  @Test(arguments: ["dumb", "", "xterm"]) func terminals(kind: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let python = """
        import os, pty, sys, fcntl, termios, struct
        child, terminal = pty.fork()
        if child == 0:
          fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 30, 0, 0))
          os.execvp(sys.argv[1], sys.argv[1:])
        shown = b""
        try:
          while True: shown += os.read(terminal, 65536)
        except OSError: pass
        open("shown", "wb").write(shown)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """
      try Data(python.utf8).write(to: URL(fileURLWithPath: "\(folder)/terminal.py"))
      let ended = try shell(
        "python3 terminal.py latent-train --data npy:data.npy --latent 2 --hidden 12 --batch 4 "
          + "--epochs 2 --threads 1 --out run", in: folder, ["TERM": kind])
      #expect(ended.code == 0, "\(ended.code) \(ended.errors)")
      let shown = String(decoding: try bytes("\(folder)/shown"), as: UTF8.self)
      #expect(shown.contains("epoch 2/2"), "\(shown)")
      #expect(shown.contains("\u{1B}") == (kind == "xterm"), "\(shown.debugDescription)")
      for line in shown.split(separator: "\u{1B}[K").dropFirst() where !line.contains("\n") {
        #expect(line.count < 30 + 1, "\(line)")
      }
    }
  }
}
