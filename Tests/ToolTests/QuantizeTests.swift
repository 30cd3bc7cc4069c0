// A run at low precision: made by one tool, read by the others as if it were any run.

import Foundation
import Latent
import LatentCommands
import Testing

@Suite struct QuantizeTests {
  @Test func everyToolReadsTheNewRun() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(
        ["--data", "npy:data.npy", "--out", "run", "--average", "0.9"] + smallRun, in: folder
      ).succeeded()
      try Tool.encode.run(["run", "--out", "z.npy"], in: folder).succeeded()
      let means = try NPY.read("\(folder)/z.npy").doubles
      for (precision, near) in [("bfloat16", 0.02), ("int8", 0.1)] {
        let ended = try Tool.quantize.run(
          ["run", "--to", precision, "--out", "small/\(precision)", "--threads", "1"], in: folder)
        ended.succeeded()
        let facts = try ended.json()
        #expect(facts["weights"] as? Int == 4 && facts["precision"] as? String == precision)
        let bytes = try #require(facts["bytes"] as? Int)
        #expect(try #require(facts["bytesBefore"] as? Int) > bytes)
        let (before, after) = (facts["lossBefore"] as? Double, facts["loss"] as? Double)
        #expect(try abs(#require(before) - #require(after)) < 1)
        let run = "small/\(precision)"
        try Tool.encode.run([run, "--out", "\(precision).npy"], in: folder).succeeded()
        let coded = try NPY.read("\(folder)/\(precision).npy").doubles
        #expect(zip(coded, means).allSatisfy { abs($0 - $1) < near })
        #expect(coded != means)
        let latest = try Tool.encode.run(
          [run + "//", "--out", "latest.npy", "--checkpoint", "latest"], in: folder)
        latest.succeeded()
        #expect(try latest.json()["checkpoint"] as? String == "\(run)/best.h5")
        #expect(try NPY.read("\(folder)/latest.npy").doubles == coded)
        try Tool.generate.run([run, "--out", "\(precision).png"], in: folder).succeeded()
        try Tool.interpolate.run([run, "--out", "\(precision)-path.png"], in: folder).succeeded()
        // What is at low precision already, and a folder that is in use.
        let again = try Tool.quantize.run([run, "--to", "int8", "--out", "new"], in: folder)
        #expect(again.code == 65 && again.errors.contains("low precision already"))
        let same = try Tool.quantize.run(["run", "--to", "int8", "--out", run], in: folder)
        #expect(same.code == 64 && same.errors.contains("already holds a run (best.h5)"))
      }
      let kept = try Tool.quantize.run(
        [
          "run", "--to", "int8", "--out", "kept", "--keep", "decoder.output.weight", "--keep",
          "encoder.head.weight", "--data", "npy:data.npy", "--examples", "20", "--evaluate", "9",
        ], in: folder)
      kept.succeeded()
      #expect(try kept.json()["weights"] as? Int == 2)
      let checkpoint = try Checkpoint(contentsOf: "\(folder)/kept/best.h5")
      #expect(checkpoint.arrays["model/decoder.output.weight"]?.dtype == .float32)
      #expect(checkpoint.arrays["model/encoder.hidden.0.weight"]?.quantization != nil)
    }
  }

  /// Any checkpoint makes a folder one of a run; what else lies there does not.
  @Test(
    arguments: [
      ([], nil), (["metrics.csv", "checkpoint-x.h5", "best.h5.partial"], nil),
      (["best.h5"], "best.h5"), (["checkpoint-000000009.h5"], "checkpoint-000000009.h5"),
      (["checkpoint-9.h5", "checkpoint-10.h5"], "checkpoint-10.h5"),
      (["best.h5", "checkpoint-000000009.h5"], "best.h5"),
    ] as [([String], String?)])
  func signsOfARun(files: [String], sign: String?) throws {
    try withTemporaryFolder { folder in
      for file in files { try AtomicFile.write([0], to: "\(folder)/\(file)") }
      #expect(try RunFolder.sign(in: folder) == sign)
    }
  }

  /// No tool writes over a run, whichever of its files are left, nor into a folder in use.
  @Test(arguments: ["best.h5", "checkpoint-000000004.h5"])
  func runsAreNotOverwritten(file: String) throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let train = ["--data", "npy:data.npy"] + smallRun
      try Tool.train.run(train + ["--out", "run"], in: folder).succeeded()
      try Tool.train.run(
        train + ["--from", "run", "--adapt", "decoder.output.weight", "--out", "tuned"], in: folder
      ).succeeded()
      try Folder.create("\(folder)/old")
      try AtomicFile.write(bytes("\(folder)/run/best.h5"), to: "\(folder)/old/\(file)")
      let before = try bytes("\(folder)/old/\(file)")
      let calls: [(Tool, [String])] = [
        (.train, train), (.quantize, ["run", "--to", "int8"]),
        (.merge, ["tuned"]),
      ]
      for (tool, arguments) in calls {
        let ended = try tool.run(arguments + ["--out", "old"], in: folder)
        #expect(ended.code == 64 && ended.errorLines.count == 1, "\(ended)")
        #expect(ended.errors.contains("old already holds a run (\(file)): "), "\(ended)")
        #expect(try Folder.names(in: "\(folder)/old") == [file])
        #expect(try bytes("\(folder)/old/\(file)") == before)
        try Folder.create("\(folder)/busy")
        let lock = try RunLock(folder: "\(folder)/busy")
        let busy = try tool.run(arguments + ["--out", "busy"], in: folder)
        withExtendedLifetime(lock) {}
        #expect(busy.code == 73 && busy.errors.contains("is working on it"), "\(busy)")
      }
    }
  }

  @Test func wrongInvocations() throws {
    try withTemporaryFolder { folder in
      try writePictures(20, to: "\(folder)/data.npy")
      try Tool.train.run(["--data", "npy:data.npy", "--out", "run"] + smallRun, in: folder)
        .succeeded()
      for (arguments, code, word) in [
        ("run --to float16 --out new", 64, "float16"),
        ("run --to int8", 64, "--out"),
        ("run --to int8 --out new --examples 0", 64, "--examples 0"),
        ("run --to int8 --out new --keep encoder.nothing", 64, "encoder.nothing"),
        ("none --to int8 --out new", 66, "none"),
        ("run --to int8 --out new --data npy:none.npy", 66, "none.npy"),
      ] as [(String, Int32, String)] {
        let ended = try Tool.quantize.run(
          arguments.split(separator: " ").map(String.init), in: folder)
        #expect(ended.code == code && ended.errors.contains(word), "\(arguments): \(ended)")
        #expect(ended.output.isEmpty)
      }
    }
  }
}
