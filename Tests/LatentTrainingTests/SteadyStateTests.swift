// After its first steps a run takes no more memory from the system. The counters belong to the
// process, so the loop runs in one of its own.

import Foundation
import Latent
import Testing

@Suite struct SteadyStateTests {
  /// Bytes of this process that are in memory.
  static func residentBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
    return line.split(separator: " ").compactMap { Int($0) }.first.map { $0 * 1024 } ?? 0
  }

  @Test func ownLoop() async {
    await #expect(processExitsWith: .success) {
      var trainer = tinyTrainer(clipping: .norm(1), average: 0.99)
      let x = Tensor(try tinyData().batch(0..<32).inputs)
      try SteadyStateTests.check(warmup: 100, steps: 10_000) { try trainer.step(x) }
    }
  }

  @Test func fit() async {
    await #expect(processExitsWith: .success) {
      try withTemporaryFolder { folder in
        var trainer = tinyTrainer(clipping: .value(1), average: 0.99)
        let data = tinyData(80)
        var epochs = 0
        // Epochs of 10 batches with validation, logs and checkpoints.
        try SteadyStateTests.check(warmup: 10, steps: 200) {
          epochs += 1
          try trainer.fit(
            data, epochs: epochs, batchSize: 8, validation: tinyData(10),
            transform: DynamicBinarization(), events: [.stopEarly(patience: 1_000_000)])
        }
      }
    }
  }

  static func check(warmup: Int, steps: Int, _ step: () throws -> Void) throws {
    for _ in 0..<warmup { try step() }
    let taken = StoragePool.bytesFromSystem
    // The allocator of small objects settles a little later than the pool.
    for _ in 0..<(steps / 10) { try step() }
    let resident = residentBytes()
    for _ in 0..<steps { try step() }
    let (takenAfter, residentAfter) = (StoragePool.bytesFromSystem, residentBytes())
    require(takenAfter == taken, "the pool grew from \(taken) to \(takenAfter) bytes")
    require(
      Double(residentAfter) < 1.01 * Double(resident),
      "resident size grew from \(resident) to \(residentAfter) bytes")
  }
}
