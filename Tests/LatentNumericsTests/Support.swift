// What the tests of this module share: random cases from a printed seed, and the slowest possible
// reading of an array, one index tuple at a time, as oracle.

import LatentNumerics
import Testing

/// A source of random test cases; the seed is part of every failure message.
struct Cases {
  let seed: UInt64
  private var stream: RandomStream

  init(seed: UInt64) {
    self.seed = seed
    stream = RandomStream(seed: seed)
  }

  mutating func integer(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &stream) }

  mutating func flag() -> Bool { Bool.random(using: &stream) }

  mutating func order(_ count: Int) -> [Int] { stream.permutation(count) }

  /// Up to `rank` axes of 0 to 5; one in eight axes is empty, one in four is 1.
  mutating func shape(rank: ClosedRange<Int> = 0...5) -> Shape {
    let sizes = [0, 1, 1, 2, 3, 4, 5, 3]
    return Shape((0..<integer(rank)).map { _ in sizes[integer(0...7)] })
  }

  mutating func array(_ shape: Shape, _ dtype: DType) -> NDArray {
    switch dtype {
    case .float32, .float64: stream.normal(shape, dtype)
    case .int32: NDArray((0..<shape.count).map { _ in Int32(integer(-100...100)) }, shape: shape)
    case .uint8: NDArray((0..<shape.count).map { _ in UInt8(integer(0...255)) }, shape: shape)
    case .bfloat16, .int8: fatalError("\(dtype) is a type of weights")
    }
  }
}

extension Shape {
  /// Every index tuple in row-major order.
  var indices: [[Int]] {
    dimensions.reduce([[]]) { tuples, size in
      tuples.flatMap { tuple in (0..<size).map { tuple + [$0] } }
    }
  }

  /// The row-major position of an index tuple.
  func position(_ index: [Int]) -> Int {
    zip(dimensions, index).reduce(0) { $0 * $1.0 + $1.1 }
  }
}

extension NDArray {
  /// The array of `shape` whose element at each index tuple is this array's at `source(tuple)`, or
  /// `otherwise` where that is nil.
  func picked(_ shape: Shape, otherwise: Double = 0, _ source: ([Int]) -> [Int]?) -> NDArray {
    let values = doubles
    let picked = shape.indices.map { tuple in
      source(tuple).map { values[self.shape.position($0)] } ?? otherwise
    }
    return NDArray(picked, shape: shape).converted(to: dtype)
  }
}

/// Relative to the oracle, absolute below 1.
func distance(_ value: Double, _ oracle: Double) -> Double {
  if value == oracle || (value.isNaN && oracle.isNaN) { return 0 }
  let difference = abs(value - oracle) / max(1, abs(oracle))
  return difference.isNaN ? .infinity : difference
}

/// The largest distance of two arrays of one shape.
func distance(_ values: NDArray, _ oracle: [Double]) -> Double {
  guard values.count == oracle.count else { return .infinity }
  return zip(values.doubles, oracle).reduce(0) { max($0, distance($1.0, $1.1)) }
}
