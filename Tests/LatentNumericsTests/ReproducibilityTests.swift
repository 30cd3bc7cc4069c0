// The same bits for any number of threads.

import LatentNumerics
import Testing

@Suite(.serialized) struct ReproducibilityTests {
  struct Work: CustomTestStringConvertible, Sendable {
    var name: String
    var run: @Sendable (DType) -> [NDArray]
    var testDescription: String { name }
  }

  private static func inputs(_ shapes: Shape..., dtype: DType) -> [NDArray] {
    var stream = RandomStream(seed: 99)
    return shapes.map { stream.normal($0, dtype) }
  }

  static let work: [Work] = [
    Work(name: "gemm") { dtype in
      let x = inputs([500, 300], [300, 400], [64, 784], [400, 784], [6, 90, 80], dtype: dtype)
      return [
        x[0].matmul(x[1]), x[2].matmul(x[3], transpose: .right),
        x[4].matmul(x[4], transpose: .right),
        x[0].matmul(x[0], transpose: .left),
      ]
        + [7, 64, 150, 255].map { rows in
          x[0].sliced(0, 0..<rows).linear(
            x[1].permuted([1, 0]), bias: nil, activation: .relu, savingPre: false, changes: true
          ).output
        }
    },
    Work(name: "reductions") { dtype in
      let x = inputs([300, 40, 50], [1_000_003], [100_001, 3], dtype: dtype)
      return ReductionKernel.allCases.flatMap { kernel in
        x.flatMap { array in
          (0..<array.shape.rank).map { array.reduced(kernel, axes: [$0], keepingDimensions: false) }
            + [array.reduced(kernel, axes: nil, keepingDimensions: true)]
        }
      } + x.map { NDArray([$0.sumOfSquares]) }
    },
    Work(name: "random") { dtype in
      var stream = RandomStream(seed: 5)
      return [stream.normal([300_001], dtype), stream.uniform([300_001], dtype)]
    },
    Work(name: "unary") { dtype in
      let x = inputs([200_003], dtype: dtype)[0]
      return UnaryKernel.allCases.map { x.unary($0) }
    },
    Work(name: "binary") { dtype in
      let x = inputs([300, 701], [701], [300, 1], dtype: dtype)
      return BinaryKernel.allCases.flatMap { [x[0].binary($0, x[1]), x[2].binary($0, x[0])] }
    },
    Work(name: "softmax and running sums") { dtype in
      let x = inputs([1000, 130], dtype: dtype)[0]
      return [
        x.softmax(logarithm: true), x.softmax(logarithm: false),
        x.cumulativeSum(axis: 0, reverse: false, exclusive: false),
        x.cumulativeSum(axis: 1, reverse: true, exclusive: true),
      ]
    },
    Work(name: "fused") { dtype in
      let x = inputs([700, 401], [401], [401], [700, 401], dtype: dtype)
      let targets = x[3].unary(.sigmoid)
      let (normal, statistics) = x[0].layerNormalized(scale: x[1], shift: x[2], epsilon: 1e-5)
      let gradient = x[0].layerNormGradient(scale: x[1], statistics: statistics, cotangent: x[3])
      let rows = x[0].bernoulliLogProbability(of: targets)
      return [
        normal, statistics, gradient.input, gradient.scale, gradient.shift, rows,
        x[0].bernoulliLogProbabilityGradient(of: targets, cotangent: rows),
      ]
        + Activation.allCases.flatMap { activation -> [NDArray] in
          let (output, pre) = x[0].copy().addingBias(x[1], activation: activation, savingPre: true)
          let back = x[3].biasActivationGradient(
            activation, saved: pre ?? output, wantsBias: true)
          return [output, back.pre, back.bias!]
        }
    },
    Work(name: "normalization") { dtype in
      let rows: [(Shape, Int, Bool)] = [
        ([16, 40, 40, 8], 2, false), ([2, 100, 130, 3], 3, false), ([3, 90, 600], 40, false),
        ([9, 50, 41, 32], 32, true), ([700, 40], 4, false),
      ]
      return rows.flatMap { shape, groups, acrossBatch -> [NDArray] in
        let x = inputs(shape, [shape[-1]], [shape[-1]], shape, dtype: dtype)
        let view = NormalizationGroups(shape, groups: groups, acrossBatch: acrossBatch)
        let (y, statistics) = x[0].groupNormalized(
          view, scale: x[1], shift: x[2], epsilon: 1e-5, activation: .silu)
        let back = x[0].groupNormGradient(
          view, scale: x[1], shift: x[2], statistics: statistics, isFixed: false,
          activation: .silu, cotangent: x[3])
        return [y, statistics, back.input, back.scale, back.shift]
      }
    },
    Work(name: "indices") { dtype in
      let x = inputs([5000, 64], dtype: dtype)[0]
      let indices = NDArray((0..<5000).map { Int32($0 * 7919 % 300) })
      return [
        x.scatterAdded(indices, axis: 0, length: 300), x.taking(indices, axis: 0),
        x.permuted([1, 0]),
      ]
    },
    Work(name: "pooling and resampling") { dtype in
      let x = inputs([7, 33, 21, 19], dtype: dtype)[0]
      let windows = AxisMap.windows(
        over: x.shape, kernel: 3, stride: 2, padding: 1, countsPadding: true, "pooling")
      let (values, positions) = x.maxPooled(windows, savingPositions: true)
      return [
        values, positions!, values.maxPoolGradient(positions: positions!, windows: windows),
      ]
        + [
          windows, AxisMap.resampling(x.shape, to: [66, 42], .nearest, "resize"),
          AxisMap.resampling(x.shape, to: [50, 42], .linear(), "resize"),
          AxisMap.padding(x.shape, .reflect, [(3, 2), (1, 4)], "padding"),
        ].flatMap { [x.mapped($0), x.mapped($0).mapped($0.map(\.transposed))] }
    },
  ]

  @Test(arguments: work, [DType.float32, .float64]) func sameBits(work: Work, dtype: DType) {
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    let alone = work.run(dtype)
    for threads in [1, 2, 3, 8] {
      Threads.count = threads
      for (index, (found, expected)) in zip(work.run(dtype), alone).enumerated() {
        let same = found == expected
        #expect(same, "\(work.name) \(dtype), result \(index) with \(threads) threads")
      }
    }
  }

  /// Each index once, also where loops are nested or come from several threads at once.
  @Test func parallelLoopsRunEachIndexOnce() async {
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<4 {
        group.addTask {
          for count in [0, 1, 2, 7, 1000, 70_001] {
            var counts = [Int](repeating: 0, count: count * 3)
            counts.withUnsafeMutableBufferPointer { counts in
              nonisolated(unsafe) let counts = counts
              parallelFor(count) { outer in parallelFor(3) { counts[outer * 3 + $0] += 1 } }
            }
            #expect(counts.allSatisfy { $0 == 1 })
          }
        }
      }
    }
  }
}
