// Elementwise kernels against the standard library: broadcasting, comparison, integers.

import Foundation
import LatentNumerics
import Testing

@Suite struct ElementwiseTests {
  struct Binary: CustomTestStringConvertible, Sendable {
    var kernel: BinaryKernel
    var oracle: @Sendable (Double, Double) -> Double
    var testDescription: String { "\(kernel)" }
  }

  static let binaries: [Binary] = [
    Binary(kernel: .add) { $0 + $1 }, Binary(kernel: .subtract) { $0 - $1 },
    Binary(kernel: .multiply) { $0 * $1 }, Binary(kernel: .divide) { $0 / $1 },
    Binary(kernel: .maximum) { max($0, $1) }, Binary(kernel: .minimum) { min($0, $1) },
    Binary(kernel: .equal) { $0 == $1 ? 1 : 0 }, Binary(kernel: .notEqual) { $0 != $1 ? 1 : 0 },
    Binary(kernel: .less) { $0 < $1 ? 1 : 0 }, Binary(kernel: .lessOrEqual) { $0 <= $1 ? 1 : 0 },
    Binary(kernel: .greater) { $0 > $1 ? 1 : 0 },
    Binary(kernel: .greaterOrEqual) { $0 >= $1 ? 1 : 0 },
  ]

  @Test(arguments: binaries) func broadcasted(operation: Binary) {
    var cases = Cases(seed: 30)
    for dtype in [DType.float32, .float64, .int32] {
      for _ in 0..<60 {
        let (left, right) = (cases.shape(), cases.shape())
        guard let target = left.broadcast(with: right) else { continue }
        // Small integers, so that comparisons meet equal values and every result is exact enough.
        let a = cases.array(left, .int32).binary(.divide, scalar: 25).converted(to: dtype)
        let b = cases.array(right, .int32).binary(.divide, scalar: 25).converted(to: dtype)
        let (x, y) = (a.broadcast(to: target).doubles, b.broadcast(to: target).doubles)
        let result = a.binary(operation.kernel, b)
        if operation.kernel == .divide && dtype == .int32 { continue }
        let oracle = zip(x, y).map(operation.oracle)
        #expect(result.shape == target && result.dtype == dtype)
        #expect(distance(result, oracle) < 1e-7, "\(dtype) \(left) \(right), seed \(cases.seed)")
      }
    }
  }

  /// Rows longer than a block of scratch, and each way an operand can lie in memory.
  @Test(arguments: binaries) func longRows(operation: Binary) {
    var cases = Cases(seed: 31)
    let shapes: [(Shape, Shape)] = [
      ([3, 5000], [3, 5000]), ([3, 5000], [5000]), ([5000], [3, 5000]), ([3, 1], [3, 5000]),
      ([3, 5000], [3, 1]), ([5000, 3], [5000, 1]), ([7, 1, 60], [1, 300, 1]), ([40_001], []),
      ([], [40_001]), ([40_001], [40_001]),
    ]
    for (left, right) in shapes {
      let (a, b) = (cases.array(left, .float64), cases.array(right, .float64))
      let target = left.broadcast(with: right)!
      let oracle = zip(a.broadcast(to: target).doubles, b.broadcast(to: target).doubles)
        .map(operation.oracle)
      #expect(distance(a.binary(operation.kernel, b), oracle) < 1e-12, "\(left) \(right)")
      if left.rank == 0 || right.rank == 0 {
        let scalar = left.rank == 0 ? a.item : b.item
        let other = left.rank == 0 ? b : a
        #expect(
          other.binary(operation.kernel, scalar: scalar, reversed: left.rank == 0)
            == a.binary(operation.kernel, b), "\(left) \(right)")
      }
    }
  }

  @Test func powers() {
    var cases = Cases(seed: 32)
    let bases = cases.array([50, 1], .float64).unary(.abs)
    let exponents = NDArray([-2, -1, -0.5, 0, 0.5, 1, 2, 3, 2.5] as [Double], shape: [9])
    let oracle = bases.doubles.flatMap { x in exponents.doubles.map { Foundation.pow(x, $0) } }
    #expect(distance(bases.binary(.power, exponents), oracle) < 1e-13)
    for exponent in exponents.doubles {
      let oracle = bases.doubles.map { Foundation.pow($0, exponent) }
      #expect(distance(bases.binary(.power, scalar: exponent), oracle) < 1e-13, "\(exponent)")
    }
  }

  @Test func notANumberSpreads() {
    let x = NDArray([.nan, 1, .nan, 2] as [Double])
    let y = NDArray([1, .nan, .nan, 3] as [Double])
    for kernel in [BinaryKernel.maximum, .minimum, .add] {
      #expect(x.binary(kernel, y).doubles.map(\.isNaN) == [true, true, true, false], "\(kernel)")
    }
    #expect(x.clamped(0, 1).doubles.map(\.isNaN) == [true, false, true, false])
    for kernel in [UnaryKernel.relu, .gelu, .silu, .elu, .softplus, .sigmoid, .tanh, .exp, .log] {
      for dtype in [DType.float32, .float64] {
        #expect(x.converted(to: dtype).unary(kernel).doubles[0].isNaN, "\(kernel) \(dtype)")
      }
    }
  }

  @Test func clamping() {
    let values = NDArray([Int32(-5), 0, 3, 9])
    #expect(values.clamped(-1.5, 4.5).int32s == [-1, 0, 3, 4])
    #expect(values.converted(to: .float64).clamped(-1.5, 4.5).doubles == [-1.5, 0, 3, 4.5])
  }
}
