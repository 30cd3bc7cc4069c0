// Signals end a run after the step in progress, saved; a second SIGINT or SIGTERM ends the process at
// once. Signals belong to the process, so every test has one of its own.

import Foundation
import Latent
import Testing

@Suite struct SignalTests {
  /// Sends this process a signal, as somebody outside would, and waits until it has arrived. (Tests
  /// run on threads that hold signals back: `raise` would send it to such a thread.)
  static func send(_ signal: Int32) {
    kill(getpid(), signal)
    for _ in 0..<1_000 where isPending(signal) { usleep(10_000) }
    usleep(50_000)  // the thread that took it runs its handler
  }

  /// Whether no thread of this process has taken the signal yet: on a busy machine that lasts.
  private static func isPending(_ signal: Int32) -> Bool {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
    let mask = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
    return mask >> (UInt64(signal) - 1) & 1 != 0
  }

  /// Sends this process a signal after a step.
  struct Raise: TrainingEvent {
    let signal: Int32
    let step: Int
    var times = 1
    static let never = Raise(signal: 0, step: -1)

    mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
      if state.step == step { for _ in 0..<times { SignalTests.send(signal) } }
    }
  }

  struct RaiseAtEpochEnd: TrainingEvent {
    mutating func epochEnded(
      _ state: TrainingState, _ metrics: EpochMetrics
    ) throws -> TrainingVerdict {
      SignalTests.send(SIGINT)
      return .goOn
    }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGXCPU], [4, 6, 11, 12])
  func savesAndGoesOn(signal: Int32, step: Int) async {
    await #expect(processExitsWith: .success) { [signal, step] in
      try withTemporaryFolder { folder in
        var whole = tinyTrainer()
        try whole.fit(
          tinyData(), epochs: 2, batchSize: 8, events: [.saveEvery(to: folder), Raise.never])
        let expected = try whole.bytes
        for name in try Folder.names(in: folder) {
          try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }

        var trainer = tinyTrainer()
        do {
          try trainer.fit(
            tinyData(), epochs: 2, batchSize: 8,
            events: [.saveEvery(epochs: 100, to: folder), Raise(signal: signal, step: step)])
          fatalError("not noticed")
        } catch TrainingError.interrupted(signal, step) {}
        let (saved, stopped) = try (
          RunFolder.newest(in: folder).checkpoint.encoded(), trainer.bytes
        )
        require(saved == stopped, "another state was saved")

        var resumed = tinyTrainer()
        try resumed.resume(fromFolder: folder)
        require(resumed.step == step, "resumed at \(resumed.step)")
        try resumed.fit(
          tinyData(), epochs: 2, batchSize: 8, events: [.saveEvery(to: folder), Raise.never])
        let bytes = try resumed.bytes
        require(bytes == expected, "other bytes")
      }
    }
  }

  @Test func duringValidation() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        var trainer = tinyTrainer()
        do {
          try trainer.fit(
            tinyData(), epochs: 2, batchSize: 8, validation: tinyData(),
            events: [RaiseAtEpochEnd(), .saveEvery(to: folder)])
          fatalError("not noticed")
        } catch TrainingError.interrupted(SIGINT, 6) {}
        require(trainer.epoch == 1 && trainer.batch == 0, "the epoch is complete")
        _ = try RunFolder.newest(in: folder)
      }
    }
  }

  @Test(arguments: [SIGINT, SIGTERM]) func theSecondEndsAtOnce(signal: Int32) async {
    await #expect(processExitsWith: .exitCode(128 + signal)) { [signal] in
      var trainer = tinyTrainer()
      try trainer.fit(
        tinyData(), epochs: 2, batchSize: 8, events: [Raise(signal: signal, step: 3, times: 2)])
    }
  }

  /// These come more than once by themselves; and one that comes twice within a moment is one.
  @Test(arguments: [SIGHUP, SIGXCPU]) func repeatedByTheSystem(signal: Int32) async {
    await #expect(processExitsWith: .success) { [signal] in
      var trainer = tinyTrainer()
      do {
        try trainer.fit(
          tinyData(), epochs: 2, batchSize: 8, events: [Raise(signal: signal, step: 3, times: 3)])
        fatalError("not noticed")
      } catch TrainingError.interrupted(signal, 3) {}
    }
  }

  /// As under nohup.
  @Test func anIgnoredHangUpStaysIgnored() async {
    await #expect(processExitsWith: .success) {
      Glibc.signal(SIGHUP, SIG_IGN)
      var trainer = tinyTrainer()
      try trainer.fit(
        tinyData(), epochs: 2, batchSize: 8, events: [Raise(signal: SIGHUP, step: 3)])
      require(trainer.step == 12, "stopped at \(trainer.step)")
    }
  }

  /// Starts a process, as any event may, and keeps what it says of its signals.
  struct AskAChild: TrainingEvent {
    let keep: Kept
    mutating func stepEnded(_ state: TrainingState, _ report: StepReport) throws {
      guard state.step == 2 else { return }
      let child = Process()
      let pipe = Pipe()
      child.executableURL = URL(fileURLWithPath: "/bin/grep")
      child.arguments = ["-E", "^Sig(Blk|Ign):", "/proc/self/status"]
      child.standardOutput = pipe
      try child.run()
      keep.texts = [
        String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      ]
      child.waitUntilExit()
    }
  }

  /// Processes that events start hold nothing back and ignore nothing that the program did not.
  @Test func childrenInheritNothing() async {
    await #expect(processExitsWith: .success) {
      var none = sigset_t()
      sigemptyset(&none)
      pthread_sigmask(SIG_SETMASK, &none, nil)
      let keep = Kept()
      var trainer = tinyTrainer()
      try trainer.fit(tinyData(), epochs: 1, batchSize: 8, events: [AskAChild(keep: keep)])
      for line in keep.texts[0].split(separator: "\n") {
        let mask = UInt64(line.split(separator: "\t").last ?? "", radix: 16) ?? .max
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGPIPE, SIGXFSZ] {
          require(mask >> (UInt64(signal) - 1) & 1 == 0, "\(signal): \(line)")
        }
      }
    }
  }

  @Test func handlersAreGivenBack() async {
    await #expect(processExitsWith: .signal(SIGTERM)) {
      var trainer = tinyTrainer()
      try trainer.fit(tinyData(), epochs: 1, batchSize: 8)
      SignalTests.send(SIGTERM)
    }
    await #expect(processExitsWith: .signal(SIGTERM)) {
      var trainer = tinyTrainer()
      _ = try? trainer.fit(
        tinyData(), epochs: 1, batchSize: 8, events: [Raise(signal: SIGTERM, step: 2)])
      SignalTests.send(SIGTERM)
    }
    // A program that handles signals itself may say so.
    await #expect(processExitsWith: .signal(SIGTERM)) {
      var trainer = tinyTrainer()
      try trainer.fit(
        tinyData(), epochs: 1, batchSize: 8, events: [Raise(signal: SIGTERM, step: 2)],
        handlesSignals: false)
    }
  }

  /// A signal of an earlier run must not stop the next one.
  @Test func nothingIsLeftOver() async {
    await #expect(processExitsWith: .success) {
      var trainer = tinyTrainer()
      _ = try? trainer.fit(
        tinyData(), epochs: 1, batchSize: 8, events: [Raise(signal: SIGINT, step: 2)])
      try trainer.fit(tinyData(), epochs: 3, batchSize: 8)
      require(trainer.step == 18, "stopped at \(trainer.step)")
    }
  }
}
