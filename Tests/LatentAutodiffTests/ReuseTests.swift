// Weights that a function uses several times, and passes that are asked about some of what is recorded.

import LatentNumerics
import Synchronization
import Testing

@testable import LatentAutodiff

@Suite struct ReuseTests {
  private static func inputs(_ rows: [Int]) -> [Tensor] {
    var stream = RandomStream(seed: 301)
    return [stream.normalTensor([5, 4], .float64)]
      + rows.map { stream.normalTensor([$0, 4], .float64) }
  }

  @Test("The cotangent of weights that are used again is the sum over their uses")
  func reusedWeights() {
    // Also where rows are none, and where something else than products needs the weights too.
    for (rows, cubes) in [([3, 6, 2], false), ([1, 1, 7], true), ([0, 2, 0], false)] {
      let error = gradientError(at: ReuseTests.inputs(rows)) { inputs in
        let w = inputs[0]
        let first = linear(inputs[1], weight: w, bias: nil, activation: .tanh).sum()
        let second = square(linear(inputs[2], weight: w, bias: nil)).sum()
        let third = sigmoid(matmul(inputs[3], w, transpose: .right)).sum()
        let fourth = square(matmul(w, inputs[3], transpose: .right)).sum()
        return first + second + third + fourth + (cubes ? (w * w * w).sum() : w.sum() * 0)
      }
      #expect(error < 1e-8, "rows \(rows)")
    }
  }

  @Test("Sums of products do not depend on the number of threads, and are the sum of products")
  func sums() {
    var stream = RandomStream(seed: 302)
    let factors = [100, 1, 37].map {
      (
        left: stream.normalTensor([$0, 300], .float32).array,
        right: stream.normalTensor([$0, 784], .float32).array
      )
    }
    let threads = Threads.count
    defer { Threads.count = threads }
    let results = [1, 2].map { count in
      Threads.count = count
      return NDArray.sumOfProducts(factors).floats
    }
    #expect(results[0] == results[1])
    let exact = factors.map {
      $0.left.converted(to: .float64).matmul($0.right.converted(to: .float64), transpose: .left)
    }.map(\.doubles)
    let sum = exact[0].indices.map { exact[0][$0] + exact[1][$0] + exact[2][$0] }
    #expect(relativeError(results[0].map(Double.init), sum) < 1e-6)
  }

  @Test("Calls inside one another are each asked about their own inputs only")
  func innerPassAsksForItsOwn() {
    let asked = Mutex<[[Bool]]>([])
    func product(_ z: Tensor, _ w: Tensor) -> Tensor {
      let result = z.array.binary(.multiply, w.array)
      return Tensor.record("product", z, w, result, saving: .inputs) { g, call in
        asked.withLock { $0.append([call.needs(0), call.needs(1)]) }
        return [
          call.needs(0) ? g * call[1] : nil, call.needs(1) ? g * call[0] : nil,
        ]
      }
    }
    let (z, w) = (Tensor([0.5, 2]), Tensor([3, -1]))
    let outer = valueAndGradient(at: [w]) { inputs in
      // d/dz of (z w)^2, which is 2 z w^2: its derivative by w is 4 z w.
      gradient(at: z) { square(product($0, inputs[0])).sum() }.sum()
    }
    #expect(outer.gradients[0].floats == [6, -8])
    #expect(asked.withLock { $0 } == [[true, false], [false, true]])
  }
}
