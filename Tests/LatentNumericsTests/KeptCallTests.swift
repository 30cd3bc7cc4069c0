// Products whose descriptors a thread keeps from call to call: whatever it keeps, the result is that
// of the operands at hand.

import Foundation
import Testing

@testable import LatentNumerics

@Suite struct KeptCallTests {
  private struct Layer {
    let weight: NDArray
    let bias: NDArray?
    let x: NDArray
    let expected: [Double]

    init(_ rows: Int, _ columns: Int, _ inner: Int, bias: Bool, _ cases: inout Cases) {
      weight = cases.array([columns, inner], .float32)
      self.bias = bias ? cases.array([columns], .float32) : nil
      x = cases.array([rows, inner], .float32)
      let product = GemmTests.oracle(x.doubles, weight.doubles, rows, columns, inner, .right)
      let shifts = self.bias?.doubles ?? [Double](repeating: 0, count: columns)
      expected = zip(product, 0...).map { $0 + shifts[$1 % columns] }
    }

    var isRight: Bool {
      let (output, _) = x.linear(
        weight, bias: bias, activation: .none, savingPre: false, changes: false)
      return distance(output, expected) < 5e-5
    }
  }

  /// Three times as many layers as a thread keeps, of several shapes.
  private static func layers(_ cases: inout Cases) -> [Layer] {
    (0..<192).map { index in
      let (columns, inner) = [(64, 64), (65, 80), (96, 50), (70, 130)][index % 4]
      return Layer(20 + index % 7, columns, inner, bias: index % 3 != 0, &cases)
    }
  }

  @Test func moreLayersThanAreKept() {
    var cases = Cases(seed: 60)
    let layers = Self.layers(&cases)
    for round in 0..<3 {
      for index in cases.order(layers.count) {
        #expect(layers[index].isRight, "layer \(index) in round \(round), seed \(cases.seed)")
      }
    }
  }

  /// Weights that come and go at the same addresses, with a bias and without one.
  @Test func newWeightsWhereOldOnesWere() {
    var cases = Cases(seed: 61)
    for index in 0..<300 {
      let layer = Layer(20, 64, 64, bias: cases.flag(), &cases)
      #expect(layer.isRight && layer.isRight, "layer \(index), seed \(cases.seed)")
    }
  }

  /// Plans of int8 weights are forgotten with their scales, while the thread keeps their calls.
  @Test func plansThatGoWithTheirWeights() {
    var cases = Cases(seed: 63)
    let x = cases.array([40, 64], .float32)
    for index in 0..<100 {
      let weight = cases.array([64, 64], .float32)
        .quantized(scalesShape: [64, 1], inputRange: -3...3)
      let ways = [true, false].map {
        x.lowPrecisionLinear(weight, bias: nil, activation: .none, byPlans: $0)
      }
      #expect(distance(ways[0], ways[1].doubles) < 1e-5, "weight \(index), seed \(cases.seed)")
    }
  }

  /// Each thread keeps its own, and gives it back when it ends.
  @Test func threadsThatEnd() async {
    var cases = Cases(seed: 62)
    let layers = Self.layers(&cases)
    for _ in 0..<3 {
      let right = await withTaskGroup(of: Int.self) { group in
        for start in 0..<4 {
          group.addTask {
            await onThread {
              layers.indices.count { layers[($0 * 5 + start * 31) % layers.count].isRight }
            }
          }
        }
        return await group.reduce(0, +)
      }
      #expect(right == 4 * layers.count)
    }
  }
}

/// Runs `body` on a thread that ends with it.
private func onThread(_ body: @escaping @Sendable () -> Int) async -> Int {
  await withCheckedContinuation { continuation in
    Thread { continuation.resume(returning: body()) }.start()
  }
}
