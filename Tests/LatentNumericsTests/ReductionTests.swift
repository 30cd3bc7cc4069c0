// Reductions over every subset of axes against plain double loops.

import Foundation
import LatentNumerics
import Testing

@Suite struct ReductionTests {
  static func oracle(_ kernel: ReductionKernel, _ values: [Double]) -> Double {
    switch kernel {
    case .sum: return values.reduce(0, +)
    case .product: return values.reduce(1, *)
    case .sumOfSquares: return values.reduce(0) { $0 + $1 * $1 }
    case .max: return values.reduce(-.infinity) { max($0, $1) }
    case .min: return values.reduce(.infinity) { min($0, $1) }
    case .logSumExp:
      let largest = values.reduce(-.infinity) { max($0, $1) }
      if largest.isInfinite { return largest }
      return largest + Foundation.log(values.reduce(0) { $0 + Foundation.exp($1 - largest) })
    }
  }

  /// The groups of elements that each result comes from, in the order of the results.
  static func groups(_ array: NDArray, _ axes: [Int]) -> [[Double]] {
    let kept = (0..<array.shape.rank).filter { !axes.contains($0) }
    let keptShape = Shape(kept.map { array.shape[$0] })
    var groups = [[Double]](repeating: [], count: keptShape.count)
    // An odometer: the list of all index tuples would take longer than the reductions.
    var index = [Int](repeating: 0, count: array.shape.rank)
    for value in array.doubles {
      groups[kept.reduce(0) { $0 * array.shape[$1] + index[$1] }].append(value)
      for axis in index.indices.reversed() {
        index[axis] += 1
        if index[axis] < array.shape[axis] { break }
        index[axis] = 0
      }
    }
    return groups
  }

  @Test(arguments: ReductionKernel.allCases) func everySubsetOfAxes(kernel: ReductionKernel) {
    var cases = Cases(seed: 40)
    for round in 0..<60 {
      let dtype: DType = round % 2 == 0 ? .float64 : .float32
      let array = cases.array(cases.shape(), dtype)
      for subset in 0..<(1 << array.shape.rank) {
        let axes = (0..<array.shape.rank).filter { subset & (1 << $0) != 0 }
        let oracle = Self.groups(array, axes).map { Self.oracle(kernel, $0) }
        let mixed = axes.enumerated().map { $0 % 2 == 0 ? $1 : $1 - array.shape.rank }
        for keeping in [false, true] {
          let result = array.reduced(kernel, axes: mixed.reversed(), keepingDimensions: keeping)
          let shape =
            keeping
            ? axes.reduce(array.shape) { $0.replacing($1, with: 1) }
            : axes.reversed().reduce(array.shape) { $0.removing($1) }
          let name: Comment = "\(kernel) \(dtype) \(array.shape) over \(axes), seed \(cases.seed)"
          #expect(result.shape == shape, name)
          #expect(distance(result, oracle) < (dtype == .float64 ? 1e-13 : 1e-5), name)
        }
      }
    }
  }

  /// Sizes at which kernels change their way: long rows, few columns, many columns. Sums near zero
  /// keep the rounding of the terms that cancelled, hence the slack in float32.
  @Test(arguments: [
    [70_000], [3, 20_000], [20_000, 3], [2, 150, 130], [1, 70_000], [200, 200], [5, 1, 999],
  ])
  func large(dimensions: [Int]) {
    var cases = Cases(seed: 41)
    let shape = Shape(dimensions)
    for dtype in [DType.float64, .float32] {
      let array = cases.array(shape, dtype)
      for axis in 0..<shape.rank {
        let groups = Self.groups(array, [axis])
        for kernel in ReductionKernel.allCases where kernel != .product {
          let oracle = groups.map { Self.oracle(kernel, $0) }
          let result = array.reduced(kernel, axes: [axis], keepingDimensions: false)
          #expect(
            distance(result, oracle) < (dtype == .float64 ? 1e-12 : 5e-5),
            "\(kernel) \(dtype) \(shape) axis \(axis), seed \(cases.seed)")
        }
      }
    }
  }

  /// A million float32 ones plus noise: adding one by one would lose digits.
  @Test func longSumsAreAccurate() {
    var cases = Cases(seed: 42)
    let array = cases.array([1_000_000], .float32).binary(.add, scalar: 1)
    let oracle = array.doubles.reduce(0, +)
    let sum = array.reduced(.sum, axes: nil, keepingDimensions: false).item
    #expect(abs(sum - oracle) / oracle < 1e-7)
    #expect(distance(array.sumOfSquares, array.doubles.reduce(0) { $0 + $1 * $1 }) < 1e-12)
  }

  @Test func infinitiesAndNaN() {
    for dtype in [DType.float32, .float64] {
      let rows = NDArray(
        [-.infinity, -.infinity, .infinity, 0, .nan, 1, 1000, 1000, -.infinity, 3] as [Double],
        shape: [5, 2]
      ).converted(to: dtype)
      let sums = rows.reduced(.logSumExp, axes: [1], keepingDimensions: false).doubles
      #expect(sums[0] == -.infinity && sums[1] == .infinity && sums[2].isNaN, "\(dtype)")
      #expect(distance(sums[3], 1000 + Foundation.log(2)) < 1e-7 && sums[4] == 3, "\(dtype)")
      let columns = rows.transposed.reduced(.logSumExp, axes: [0], keepingDimensions: false).doubles
      #expect(zip(sums, columns).allSatisfy { distance($0, $1) < 1e-6 }, "\(dtype)")
      for kernel in [ReductionKernel.max, .min] {
        let result = rows.reduced(kernel, axes: [1], keepingDimensions: false).doubles
        #expect(result[2].isNaN && result[3] == 1000, "\(kernel) \(dtype)")
      }
    }
  }

  @Test func argumentsAndRunningSums() {
    var cases = Cases(seed: 43)
    for _ in 0..<80 {
      let array = cases.array(cases.shape(rank: 1...4), .int32)
      let axis = cases.integer(0...(array.shape.rank - 1))
      let name: Comment = "\(array.shape) axis \(axis), seed \(cases.seed)"
      let rows = Self.groups(array, [axis])
      for dtype in [DType.int32, .float32, .float64] where array.shape[axis] > 0 {
        let typed = array.converted(to: dtype)
        let largest = typed.argExtreme(largest: true, axis: axis).int32s
        let smallest = typed.argExtreme(largest: false, axis: axis).int32s
        #expect(largest == rows.map { Int32($0.firstIndex(of: $0.max()!)!) }, name)
        #expect(smallest == rows.map { Int32($0.firstIndex(of: $0.min()!)!) }, name)
      }
      for (reverse, exclusive) in [(false, false), (false, true), (true, false), (true, true)] {
        let oracle = rows.map { row in
          row.indices.map { i in
            let part = reverse ? row[(exclusive ? i + 1 : i)...] : row[..<(exclusive ? i : i + 1)]
            return part.reduce(0, +)
          }
        }
        for dtype in [DType.float32, .float64] {
          let sums = array.converted(to: dtype)
            .cumulativeSum(axis: axis, reverse: reverse, exclusive: exclusive)
          #expect(Self.groups(sums, [axis]) == oracle, name)
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .float64]) func softmaxRows(dtype: DType) {
    var cases = Cases(seed: 44)
    for shape in [[3, 1], [4, 7], [2, 3, 1000], [0, 4], [5000, 3]] as [Shape] {
      let array = cases.array(shape, dtype).binary(.multiply, scalar: 20)
      let rows = Self.groups(array, [shape.rank - 1])
      let logs = rows.flatMap { row in row.map { $0 - Self.oracle(.logSumExp, row) } }
      let tolerance = dtype == .float32 ? 1e-6 : 1e-13
      #expect(distance(array.softmax(logarithm: true), logs) < tolerance, "\(shape)")
      #expect(distance(array.softmax(logarithm: false), logs.map(Foundation.exp)) < tolerance)
    }
  }
}
