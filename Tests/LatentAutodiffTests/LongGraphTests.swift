// Deep and wide graphs: no recursion anywhere, nothing left behind. Memory counters belong to the
// process, so each test runs in a process of its own.

import Foundation
import LatentAutodiff
import LatentNumerics
import Testing

@Suite(.serialized) struct LongGraphTests {
  static let length = 1_000_000

  /// Bytes that arrays hold, after a first pass has made the module's own constants.
  static var bytesInUse: Int {
    _ = gradient(at: Tensor([1.0])) { $0.sum() }
    return StoragePool.bytesFromSystem - StoragePool.bytesFree
  }

  /// `length` operations on a scalar whose derivative is known in closed form.
  private static func chain(_ x: Tensor) -> Tensor {
    var y = x
    for _ in 0..<(length / 8) { y = -(-(-(-(-(-(y * 2 * 0.5)))))) }
    return y
  }

  /// Forward, backward and release.
  static func differentiate() {
    let inUse = bytesInUse
    do {
      let slope = gradient(at: Tensor([3.0] as [Double])) { chain($0).sum() }
      precondition(slope.item == 1, "wrong derivative \(slope.item)")
    }
    precondition(bytesInUse == inUse, "\(bytesInUse - inUse) bytes leaked")
  }

  /// Forward and release: the result does not depend on the chain.
  static func drop() {
    let inUse = bytesInUse
    do {
      let constant = gradient(at: Tensor([3.0] as [Double])) { x in
        precondition(chain(x).item == 3)
        return (x * 0).sum()
      }
      precondition(constant.item == 0)
    }
    precondition(bytesInUse == inUse, "\(bytesInUse - inUse) bytes leaked")
  }

  static func onThread(stackSize: Int, _ body: @escaping @Sendable () -> Void) {
    let done = DispatchSemaphore(value: 0)
    let thread = Thread {
      body()
      done.signal()
    }
    thread.stackSize = stackSize
    thread.start()
    done.wait()
  }

  @Test func millionOperationsOnTheMainThread() async {
    await #expect(processExitsWith: .success) {
      await MainActor.run { LongGraphTests.differentiate() }
    }
  }

  @Test func millionOperationsOnASmallStack() async {
    await #expect(processExitsWith: .success) {
      LongGraphTests.onThread(stackSize: 512 << 10) {
        LongGraphTests.differentiate()
        LongGraphTests.drop()
      }
    }
  }

  /// The recorded backward pass of a long chain is a longer chain.
  @Test func secondDerivativeOfALongChain() async {
    await #expect(processExitsWith: .success) {
      LongGraphTests.onThread(stackSize: 512 << 10) {
        let inUse = LongGraphTests.bytesInUse
        do {
          let curvature = gradient(at: Tensor([0.5] as [Double])) { x in
            gradient(at: x) { x in
              var y = x * x
              for _ in 0..<30_000 { y = -(-y * 1) }
              return y.sum()
            }.sum()
          }
          precondition(curvature.item == 2, "wrong second derivative \(curvature.item)")
        }
        precondition(LongGraphTests.bytesInUse == inUse, "leaked")
      }
    }
  }

  @Test func wideGraphs() async {
    await #expect(processExitsWith: .success) {
      let inUse = LongGraphTests.bytesInUse
      do {
        // One input of 30,000 operations, and 30,000 inputs of one.
        let slope = gradient(at: Tensor([2.0] as [Double])) { x in
          Tensor.concatenate((0..<30_000).map { _ in x * 3 }, axis: 0).sum()
        }
        precondition(slope.item == 90_000)
        // Each node is passed once, though 2^60 paths lead through them.
        let doubled = gradient(at: Tensor([1.0] as [Double])) { x in
          ((0..<30).reduce(x) { y, _ in y + y } * (0..<30).reduce(x) { y, _ in y + y }).sum()
        }
        precondition(doubled.item == 2 * Double(1 << 30) * Double(1 << 30))
      }
      precondition(LongGraphTests.bytesInUse == inUse, "leaked")
    }
  }

  /// A training-like loop reaches a steady state: nothing grows over thousands of steps.
  @Test func steadySteps() async {
    await #expect(processExitsWith: .success) {
      var stream = RandomStream(seed: 1)
      var weights = [
        stream.normalTensor([16, 8]), stream.normalTensor([16]), stream.normalTensor([8, 8]),
      ]
      func step() {
        let x = stream.normalTensor([4, 8])
        let noise = stream.normalTensor([4, 8])
        let (_, gradients) = valueAndGradient(at: weights) { w in
          let halves = linear(x, weight: w[0], bias: w[1], activation: .gelu).split(
            into: 2, axis: 1)
          let z = reparameterized(mean: halves[0], logVariance: halves[1], noise: noise)
          let likelihood = bernoulliLogProbability(
            logits: matmul(z, w[2]), targets: sigmoid(x.detached))
          return (standardNormalKL(mean: halves[0], logVariance: halves[1]) - likelihood).mean()
        }
        weights = zip(weights, gradients).map { $0 - $1 * 0.01 }
      }
      for _ in 0..<20 { step() }
      let (taken, unused) = (StoragePool.bytesFromSystem, StoragePool.bytesFree)
      for _ in 0..<3000 { step() }
      precondition(StoragePool.bytesFromSystem == taken, "grew")
      precondition(StoragePool.bytesFree == unused, "leaked")
      precondition(weights.allSatisfy { $0.array.nonFiniteCount == 0 })
    }
  }
}
