// A training loop asks the system for memory in its first steps only. The counters belong to the
// process, so each test looks at them in a process of its own.

import Testing

@testable import LatentNumerics

@Suite struct StoragePoolTests {
  @Test func sizeClassesHoldWhatTheyPromise() {
    var previous = 0
    for bytes in 0..<100_000 {
      let sizeClass = StoragePool.sizeClass(of: bytes)
      let capacity = StoragePool.capacity(of: sizeClass)
      #expect(capacity >= bytes && capacity <= max(64, bytes + bytes / 4 + 16), "\(bytes) bytes")
      #expect(sizeClass >= previous && capacity % 16 == 0)
      previous = sizeClass
    }
    for power in 17..<45 {
      for bytes in [(1 << power) - 1, 1 << power, (1 << power) + 1] {
        let capacity = StoragePool.capacity(of: StoragePool.sizeClass(of: bytes))
        #expect(capacity >= bytes && capacity <= bytes + bytes / 4)
      }
    }
  }

  @Test func blocksAreAligned() {
    for count in [0, 1, 3, 17, 1000, 12_345] {
      let array = NDArray(uninitialized: [count], .uint8)
      array.withUnsafeBytes { #expect(UInt(bitPattern: $0.baseAddress) % 64 == 0) }
    }
  }

  @Test func steadyLoopsTakeNothing() async {
    await #expect(processExitsWith: .success) {
      var stream = RandomStream(seed: 1)
      let weights = stream.normal([64, 32])
      let bias = stream.normal([64])
      func step() -> Double {
        let x = stream.normal([16, 32])
        let (y, _) = x.matmul(weights, transpose: .right)
          .addingBias(bias, activation: .gelu, savingPre: true)
        let halves = [y.sliced(1, 0..<32), y.sliced(1, 32..<64)]
        let z = halves[0].binary(.add, halves[1].unary(.exp))
        return z.reduced(.logSumExp, axes: [0, 1], keepingDimensions: false).item
      }
      for _ in 0..<10 { _ = step() }
      let (taken, unused) = (StoragePool.bytesFromSystem, StoragePool.bytesFree)
      for _ in 0..<10_000 { _ = step() }
      precondition(StoragePool.bytesFromSystem == taken, "grew")
      precondition(StoragePool.bytesFree == unused, "leaked")
      StoragePool.releaseUnused()
      precondition(StoragePool.bytesFree == 0 && StoragePool.bytesFromSystem == taken - unused)
      _ = step()
    }
  }

  /// Threads that find no block of their own take another's before the system is asked: never more
  /// is taken than is in use at one time.
  @Test func threadsShareWhatIsFree() async {
    await #expect(processExitsWith: .success) {
      Threads.count = 3
      let block = 1 << 16
      for round in 0..<200 {
        parallelFor(round % 7 + 1) { _ in
          let array = NDArray(repeating: 1, shape: [block], .uint8)
          precondition(array.count == block)
        }
        let array = NDArray(repeating: 1, shape: [block], .uint8)
        precondition(array.count == block)
      }
      precondition(StoragePool.bytesFromSystem <= 3 * block, "\(StoragePool.bytesFromSystem)")
    }
  }
}
