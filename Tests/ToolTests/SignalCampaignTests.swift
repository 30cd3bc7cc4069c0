// Signals at random moments: the run ends with the signal's code and goes on to the same bytes. The
// long version is scripts/campaigns/signals.

import Foundation
import Latent
import Testing

@Suite struct SignalCampaignTests {
  /// Large enough for the products that oneDNN computes on a stack of its own.
  static let flags = [
    "--data", "npy:data.npy", "--hidden", "256", "--batch", "64", "--epochs", "12", "--quiet",
  ]

  @Test(arguments: ["1", "2"]) func resumedToTheSameBytes(threads: String) throws {
    try withTemporaryFolder { folder in
      var random = RandomStream(seed: 11)
      try NPY.write(random.uniform([640, 28, 28]), to: "\(folder)/data.npy")
      let flags = SignalCampaignTests.flags + ["--threads", threads]
      let start = Date()
      try Tool.train.run(flags + ["--out", "whole"], in: folder).succeeded()
      let whole = try bytes(RunFolder.newest(in: "\(folder)/whole").path)
      let length = Date().timeIntervalSince(start)
      let moments = random.uniform([6]).floats
      var signalled = 0
      for (index, signal) in [SIGINT, SIGTERM, SIGHUP, SIGINT, SIGTERM, SIGHUP].enumerated() {
        let run = "run\(index)"
        let running = try Tool.train.start(flags + ["--out", run], in: folder)
        usleep(UInt32(1e6 * length * Double(0.1 + 0.7 * moments[index])))
        running.signal(signal)
        let ended = try running.wait()
        let isOver = ended.code == 0
        #expect(isOver || ended.code == 128 + signal, "\(ended.code): \(ended.errors)")
        if !isOver && !ended.bySignal { signalled += 1 }
        let isSaved = try !RunFolder.checkpoints(in: "\(folder)/\(run)").isEmpty
        let again = isSaved ? ["--resume", "--quiet", "--threads", threads] : flags
        try Tool.train.run(again + ["--out", run], in: folder).succeeded()
        #expect(try bytes(RunFolder.newest(in: "\(folder)/\(run)").path) == whole, "\(index)")
      }
      #expect(signalled > 0, "no signal came while the run was training")
    }
  }

  /// Under nohup a run goes on when its terminal goes away; otherwise it saves.
  @Test func hangUp() throws {
    try withTemporaryFolder { folder in
      try writePictures(64, to: "\(folder)/data.npy")
      let flags = "--data npy:data.npy --hidden 12 --latent 2 --batch 16 --quiet --out"
      let line = """
        trap '' HUP
        latent-train --epochs 100 \(flags) kept & sleep 0.3; kill -HUP $!; wait $!
        """
      let kept = try shell(line, in: folder)
      #expect(kept.code == 0, "\(kept.code): \(kept.errors)")
    }
  }
}
