// Runs that a signal ends, kindly or not, go on with --resume and end with the same bytes.

import Foundation
import Latent
import Testing

@Suite struct ResumeTests {
  /// 150 steps, a checkpoint after each.
  static let flags = [
    "--data", "npy:data.npy", "--latent", "2", "--hidden", "12", "--batch", "4", "--epochs", "3",
    "--schedule", "plateau", "--average", "0.9", "--transform", "binarize", "--save-steps", "1",
    "--threads", "1", "--quiet",
  ]
  static let again = ["--resume", "--save-steps", "1", "--threads", "1", "--quiet"]

  /// Waits until a run has saved this step.
  private func wait(_ running: Running, for step: Int, in folder: String) throws {
    let deadline = Date() + 30
    while running.isRunning && Date() < deadline {
      let newest = (try? RunFolder.checkpoints(in: folder))?.first
      if let name = newest?.split(separator: "/").last, RunFolder.step(of: String(name))! >= step {
        return
      }
      usleep(500)
    }
  }

  /// The rows of a metrics table without the time.
  private func figures(_ run: String) throws -> [String] {
    try String(contentsOfFile: "\(run)/metrics.csv", encoding: .utf8).split(separator: "\n")
      .map { line in String(line[..<(line.lastIndex(of: ",") ?? line.endIndex)]) }
  }

  /// What a run says of itself at its end, but for the time: the summary and the report.
  private func account(_ run: String) throws -> [String] {
    try ["summary.json", "report.html"].flatMap { name in
      try String(contentsOfFile: "\(run)/\(name)", encoding: .utf8).split(separator: "\n")
        .map(String.init)
    }.filter { !$0.contains("\"seconds\"") && !$0.hasPrefix("<div><dt>time</dt>") }
  }

  @Test func theSameBytes() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      try Tool.train.run(ResumeTests.flags + ["--out", "whole"], in: folder).succeeded()
      let whole = "\(folder)/whole"
      let last = "checkpoint-000000150.h5"

      for (number, signals) in [
        [SIGINT, SIGTERM], [SIGKILL, SIGKILL, SIGKILL], [SIGTERM, SIGKILL],
      ].enumerated() {
        let run = "\(folder)/run\(number)"
        var arguments = ResumeTests.flags
        for (index, signal) in signals.enumerated() {
          let running = try Tool.train.start(arguments + ["--out", run], in: folder)
          try wait(running, for: 10 + 35 * index, in: run)
          running.signal(signal)
          let ended = try running.wait()
          #expect(ended.code == 128 + signal, "\(ended.errors)")
          #expect(ended.bySignal == (signal == SIGKILL))
          if signal != SIGKILL {
            let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
            #expect(ended.errorLines.count == 1)
            #expect(ended.errors.hasPrefix("latent-train: training stopped by \(name) after step "))
          }
          arguments = ResumeTests.again
        }
        try Tool.train.run(arguments + ["--out", run], in: folder).succeeded()
        for name in [last, RunFolder.best] {
          #expect(try bytes("\(run)/\(name)") == bytes("\(whole)/\(name)"), "\(signals) \(name)")
        }
        #expect(try figures(run) == figures(whole))
        #expect(try account(run) == account(whole))
        let names = try Folder.names(in: run)
        #expect(!names.contains { $0.hasSuffix(".partial") }, "\(names)")
        #expect(names.filter { $0.hasPrefix("checkpoint-") }.count == 3)
      }
      // Another rerun has nothing to do and changes nothing.
      try Tool.train.run(ResumeTests.again + ["--out", "run0"], in: folder).succeeded()
      #expect(try bytes("\(folder)/run0/\(last)") == bytes("\(whole)/\(last)"))
      #expect(try account("\(folder)/run0") == account(whole))
      #expect(try account(whole).contains { $0.contains("\"validation_loss\"") })
      #expect(try account(whole).contains { $0.contains("class=\"l s1\"") })
    }
  }

  /// A run that ran out of patience stays as it is, and says why it ended.
  @Test func stoppedEarly() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let ended = try Tool.train.run(
        [
          "--data", "npy:data.npy", "--hidden", "12", "--latent", "2", "--batch", "16",
          "--learning-rate", "1e-30", "--patience", "3", "--epochs", "100", "--out", "run",
        ], in: folder)
      ended.succeeded()
      let table = try figures("\(folder)/run")
      let last = table.count - 1
      #expect(last < 100)
      let sentence = "no progress for 3 epochs; best loss "
      let line = ended.errorLines.first { $0.hasPrefix("stopped after epoch \(last) of 100: ") }
      #expect(line?.contains(sentence) == true, "\(ended.errors)")
      let account = try account("\(folder)/run")
      #expect(account.contains { $0.contains("\"stopped\" : \"\(sentence)") })
      #expect(account.contains { $0.contains("<dt>stopped</dt><dd>\(sentence)") })
      let names = try Folder.names(in: "\(folder)/run")
      for _ in 0..<2 {
        let again = try Tool.train.run(["--resume", "--out", "run"], in: folder)
        again.succeeded()
        #expect(again.errorLines.contains { $0 == line }, "\(again.errors)")
        #expect(try figures("\(folder)/run") == table)
        #expect(try Folder.names(in: "\(folder)/run") == names)
        #expect(try self.account("\(folder)/run") == account)
      }
    }
  }

  /// Without a validation set `best.h5` is not the first epoch of a warm-up, whose divergence is free.
  @Test func bestOfAWarmup() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      try Tool.train.run(
        [
          "--data", "npy:data.npy", "--validation", "0", "--beta", "500", "--warmup-steps", "40",
          "--hidden", "12", "--latent", "2", "--batch", "16", "--epochs", "5", "--quiet",
          "--out", "run",
        ], in: folder
      ).succeeded()
      let losses = MetricsLog.epochs(in: "\(folder)/run").map(\.training.loss)
      #expect(losses.min() == losses[0], "the seed makes this test say nothing: \(losses)")
      let best = try Checkpoint(contentsOf: "\(folder)/run/\(RunFolder.best)")
      #expect(best.texts["trainer"]?.contains("\"epoch\":1,") == false)
    }
  }

  /// A log that cannot be written ends the run before the checkpoint of its epoch: no checkpoint is
  /// further than the table.
  @Test func theLogComesFirst() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let flags = ["--data", "npy:data.npy", "--save-steps", "3"] + smallRun
      try Tool.train.run(flags + ["--out", "whole"], in: folder).succeeded()
      let obstacle = "\(folder)/run/metrics.jsonl"
      try Folder.create(obstacle)
      // In a folder without a lock the obstacle would be somebody else's.
      try Data("1\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/run/.lock"))
      let ended = try Tool.train.run(flags + ["--out", "run"], in: folder)
      #expect(ended.code == 73 && ended.errors.contains("metrics.jsonl"), "\(ended.errors)")
      #expect(
        try RunFolder.checkpoints(in: "\(folder)/run").map { $0.suffix(5) } == ["03.h5"])
      try FileManager.default.removeItem(atPath: obstacle)
      try Tool.train.run(["--resume", "--quiet", "--out", "run"], in: folder).succeeded()
      #expect(try figures("\(folder)/run") == figures("\(folder)/whole"))
    }
  }

  @Test func oneTrainerForEachFolder() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let first = try Tool.train.start(
        ResumeTests.flags.map { $0 == "3" ? "100000" : $0 } + ["--out", "run"], in: folder)
      try wait(first, for: 3, in: "\(folder)/run")
      for arguments in [ResumeTests.flags, ResumeTests.again] {
        let second = try Tool.train.run(arguments + ["--out", "run"], in: folder)
        #expect(second.code == 73 && second.errorLines.count == 1, "\(second.errors)")
        #expect(second.errors.contains("'run'"))
        #expect(second.errors.contains("process \(first.identifier) is working on it"))
      }
      // Readers need no lock.
      try Tool.generate.run(
        ["run", "--checkpoint", "latest", "--out", "a.npy"], in: folder
      ).succeeded()
      first.signal(SIGINT)
      let ended = try first.wait()
      #expect(ended.code == 130 && !ended.bySignal)

      let third = try Tool.train.run(ResumeTests.flags + ["--out", "run"], in: folder)
      #expect(third.code == 64 && third.errorLines.count == 1, "\(third.errors)")
      #expect(third.errors.contains("already holds a run ("))
      #expect(third.errors.contains("): continue it with --resume"))
    }
  }

  /// The settings are those of the run; only what is said again changes.
  @Test func longerRuns() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let flags = ["--data", "npy:data.npy"] + smallRun
      try Tool.train.run(flags + ["--patience", "9", "--out", "run"], in: folder).succeeded()
      try Tool.train.run(["--resume", "--quiet", "--out", "run"], in: folder).succeeded()
      #expect(try RunFolder.newest(in: "\(folder)/run").path.hasSuffix("000000008.h5"))
      let ended = try Tool.train.run(["--resume", "--epochs", "4", "--out", "run"], in: folder)
      ended.succeeded()
      #expect(ended.errors.contains("resuming run/checkpoint-000000008.h5 after step 8"))
      #expect(ended.errors.contains("epoch 4/4"))
      let newest = try RunFolder.newest(in: "\(folder)/run")
      #expect(newest.path.hasSuffix("000000016.h5"))
      #expect(newest.checkpoint.texts["run"]?.contains("\"patience\" : 9") == true)
      #expect(try figures("\(folder)/run").count == 5)
    }
  }

  /// Fewer epochs are honoured where they are still to come, and refused where they are not.
  @Test func shorterRuns() throws {
    try withTemporaryFolder { folder in
      try writePictures(222, to: "\(folder)/data.npy")
      let running = try Tool.train.start(
        ResumeTests.flags.map { $0 == "3" ? "100000" : $0 } + ["--out", "run"], in: folder)
      try wait(running, for: 60, in: "\(folder)/run")
      running.signal(SIGINT)
      _ = try running.wait()
      // 50 steps an epoch: at least one epoch is complete.
      let newest = try RunFolder.newest(in: "\(folder)/run").path
      let step = try #require(RunFolder.step(of: String(newest.split(separator: "/").last ?? "")))
      let begun = (step + 49) / 50
      for epochs in 1..<begun {
        let ended = try Tool.train.run(
          ["--resume", "--epochs", "\(epochs)", "--out", "run"], in: folder)
        #expect(ended.code == 64 && ended.errorLines.count == 1, "\(ended.errors)")
        #expect(
          ended.errors.contains("run cannot end after epoch \(epochs): epoch \(begun) is begun"))
        #expect(try RunFolder.newest(in: "\(folder)/run").path == newest)
      }
      // The second time there is nothing to do.
      for _ in 0..<2 {
        try Tool.train.run(
          ResumeTests.again + ["--epochs", "\(begun)", "--out", "run"], in: folder
        ).succeeded()
        let last = try RunFolder.newest(in: "\(folder)/run")
        #expect(last.path.hasSuffix(RunFolder.checkpointName(step: begun * 50)))
        #expect(last.checkpoint.texts["run"]?.contains("\"epochs\" : \(begun),") == true)
        #expect(try figures("\(folder)/run").count == begun + 1)
      }
    }
  }
}
