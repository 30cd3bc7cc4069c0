// The fused attention against loops over plain numbers, at sizes on both sides of every border of
// the kernel, and what belongs to it: hidden rows, threads.

import Foundation
import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite(.serialized) struct AttentionTests {
  struct Sizes: Sendable, CustomTestStringConvertible {
    let batch, heads, queries, keys, size: Int
    let isCausal: Bool
    var testDescription: String {
      "\(batch) x \(heads) heads of \(size), \(queries) queries, \(keys) keys, causal \(isCausal)"
    }
  }

  static let sizes = [
    (1, 1, 1, 1, 1), (2, 3, 5, 5, 7), (1, 2, 16, 16, 16), (3, 1, 17, 15, 33), (2, 2, 64, 64, 32),
    (1, 1, 3, 40, 5), (1, 1, 40, 3, 4), (33, 2, 12, 20, 8), (1, 1, 70, 1100, 12),
  ].flatMap { row in
    [false, true].map {
      Sizes(
        batch: row.0, heads: row.1, queries: row.2, keys: row.3, size: row.4, isCausal: $0)
    }
  }

  /// Outputs and derivatives in loops, for the cotangent g.
  static func byHand(
    _ sizes: Sizes, _ q: [Double], _ k: [Double], _ v: [Double], _ g: [Double]
  ) -> [[Double]] {
    let width = sizes.heads * sizes.size
    var (out, dq) = ([Double](repeating: 0, count: q.count), [Double](repeating: 0, count: q.count))
    var (dk, dv) = ([Double](repeating: 0, count: k.count), [Double](repeating: 0, count: k.count))
    let scale = 1 / Double(sizes.size).squareRoot()
    for example in 0..<sizes.batch {
      for head in 0..<sizes.heads {
        func query(_ i: Int) -> Int { (example * sizes.queries + i) * width + head * sizes.size }
        func key(_ j: Int) -> Int { (example * sizes.keys + j) * width + head * sizes.size }
        for i in 0..<sizes.queries {
          let seen = sizes.isCausal ? max(0, i + 1 + sizes.keys - sizes.queries) : sizes.keys
          if seen == 0 { continue }
          let scores = (0..<seen).map { j in
            (0..<sizes.size).reduce(0) { $0 + q[query(i) + $1] * k[key(j) + $1] } * scale
          }
          let top = scores.max()!
          let total = scores.reduce(0) { $0 + exp($1 - top) }
          let weights = scores.map { exp($0 - top) / total }
          let slopes = (0..<seen).map { j in
            (0..<sizes.size).reduce(0) { $0 + g[query(i) + $1] * v[key(j) + $1] }
          }
          let mean = zip(weights, slopes).reduce(0) { $0 + $1.0 * $1.1 }
          for j in 0..<seen {
            let d = weights[j] * (slopes[j] - mean) * scale
            for c in 0..<sizes.size {
              out[query(i) + c] += weights[j] * v[key(j) + c]
              dv[key(j) + c] += weights[j] * g[query(i) + c]
              dq[query(i) + c] += d * k[key(j) + c]
              dk[key(j) + c] += d * q[query(i) + c]
            }
          }
        }
      }
    }
    return [out, dq, dk, dv]
  }

  @Test(arguments: sizes) func equalsLoops(sizes: Sizes) {
    var random = RandomStream(seed: 31)
    let width = sizes.heads * sizes.size
    let shapes: [Shape] = [
      [sizes.batch, sizes.queries, width], [sizes.batch, sizes.keys, width],
      [sizes.batch, sizes.keys, width],
    ]
    let inputs = shapes.map { random.normalTensor($0, .float64) }
    let g = random.normalTensor(shapes[0], .float64)
    let expected = Self.byHand(
      sizes, inputs[0].doubles, inputs[1].doubles, inputs[2].doubles, g.doubles)
    for (dtype, tolerance) in [(DType.float64, 1e-12), (.float32, 2e-5)] {
      let inputs = inputs.map { $0.converted(to: dtype) }
      var output: Tensor?
      let gradients = valueAndGradient(at: inputs) { parts in
        let y = attention(
          queries: parts[0], keys: parts[1], values: parts[2], heads: sizes.heads,
          isCausal: sizes.isCausal)
        output = y.detached
        return (y * g.converted(to: dtype)).sum()
      }.gradients
      let found = [output.map { [$0] } ?? [], gradients].flatMap { $0 }
      for (name, pair) in zip(["output", "dq", "dk", "dv"], zip(found, expected)) {
        let error = relativeError(pair.0.doubles, pair.1)
        #expect(error < tolerance, "\(sizes) \(dtype) \(name): \(error)")
      }
      if sizes.queries == sizes.keys {
        let packed = Tensor.concatenate(inputs, axis: -1)
        let same = selfAttention(packed, heads: sizes.heads, isCausal: sizes.isCausal)
        #expect(same.array == output?.array)
      }
    }
  }

  /// Hidden keys have no influence, and a query that sees none gives zeros with derivative zero.
  @Test(arguments: [DType.float32, .float64]) func hiddenRowsGiveZeros(dtype: DType) {
    var random = RandomStream(seed: 32)
    let x = random.normalTensor([2, 6, 24], dtype)
    let values = (0..<36).map { $0 / 6 == 2 || $0 % 6 == 4 ? -Double.infinity : 0 }
    let hidden = Tensor(values, shape: [6, 6]).converted(to: dtype)
    let y = selfAttention(x, heads: 2, mask: hidden)
    #expect(y.selecting(2, axis: 1).doubles.allSatisfy { $0 == 0 })
    #expect(y.array.nonFiniteCount == 0)
    let slope = gradient(at: x) { square(selfAttention($0, heads: 2, mask: hidden)).sum() }
    #expect(slope.array.nonFiniteCount == 0)
    let keysAndValues = slope.selecting(4, axis: 1).sliced(1, 8..<24)
    #expect(keysAndValues.doubles.allSatisfy { $0 == 0 })
  }

  /// Masks of every shape that broadcasts.
  @Test(arguments: [
    [5], [1], [4, 5], [4, 1], [3, 1, 5], [2, 1, 4, 5], [2, 3, 4, 5], [1, 3, 1, 1],
  ])
  func masksBroadcast(shape: [Int]) {
    var random = RandomStream(seed: 33)
    let mask = random.normalTensor(Shape(shape), .float64)
    let (q, k) = (
      random.normalTensor([2, 4, 6], .float64), random.normalTensor([2, 5, 6], .float64)
    )
    let some = attention(queries: q, keys: k, values: k, heads: 3, mask: mask)
    let whole = mask.broadcast(to: [2, 3, 4, 5])
    let same = attention(queries: q, keys: k, values: k, heads: 3, mask: whole)
    #expect(some.array == same.array)
    // A recorded mask takes the composed form.
    let composed = valueAndGradient(at: [mask]) {
      square(attention(queries: q, keys: k, values: k, heads: 3, mask: $0[0]) - some).sum()
    }
    #expect(composed.value.item < 1e-24)
    #expect(composed.gradients[0].shape == mask.shape)
  }

  @Test func sameBitsForAnyNumberOfThreads() {
    var random = RandomStream(seed: 34)
    let x = random.normalTensor([9, 40, 96])
    let gates = random.normalTensor([70, 5, 96])
    let weight = random.normalTensor([96, 32])
    let targets = Tensor((0..<360).map { Int32($0 % 96) }, shape: [9, 40])
    func run() -> [NDArray] {
      let attention = valueAndGradient(at: [x]) {
        square(selfAttention($0[0], heads: 4, isCausal: true)).sum()
      }
      let recurrence = valueAndGradient(at: [gates, weight]) {
        square(gatedRecurrence($0[0], state: .zeros([70, 32]), weight: $0[1])).sum()
      }
      let classes = valueAndGradient(at: [x]) {
        categoricalLogProbability(logits: $0[0], targets: targets).sum()
      }
      return (attention.gradients + recurrence.gradients + classes.gradients).map(\.array)
    }
    let count = Threads.count
    defer { Threads.count = count }
    Threads.count = 1
    let alone = run()
    for threads in [2, 3, 5] {
      Threads.count = threads
      #expect(run() == alone)
    }
  }

  /// Logits of any size keep the precision of the difference to the largest one.
  @Test func classesOfExtremeLogits() {
    let logits = Tensor([1e4, 1e4 - 1, -.infinity, 0, 0, 0] as [Float], shape: [2, 3])
    let found = categoricalLogProbability(logits: logits, targets: Tensor([1, 2] as [Int32]))
    #expect(relativeError(found.doubles, [-1.313_261_687_518_222_8, -log(3)]) < 1e-6)
    let outside = categoricalLogProbability(logits: logits, targets: Tensor([2, 3] as [Int32]))
    #expect(outside.doubles == [-.infinity, -.infinity])
    let slope = gradient(at: logits) {
      categoricalLogProbability(logits: $0, targets: Tensor([1, -1] as [Int32])).sliced(0, 0..<1)
        .sum()
    }
    #expect(relativeError(slope.doubles, [-0.731_058_578_6, 0.731_058_578_6, 0, 0, 0, 0]) < 1e-6)
  }
}
