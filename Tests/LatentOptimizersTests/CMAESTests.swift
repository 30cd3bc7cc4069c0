// The evolution strategy on functions whose minima are known, and what it promises.

import Foundation
import LatentAutodiff
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct CMAESTests {
  struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let size: Int
    let minimum: [Double]
    let function: @Sendable (Tensor) -> Tensor
    var testDescription: String { "\(name) in \(size)" }
  }

  static func sphere(_ x: Tensor) -> Tensor { square(x - 1).sum(axes: [1]) }
  /// Axes of lengths that differ by a thousand.
  static func ellipsoid(_ x: Tensor) -> Tensor {
    let n = Double(max(1, x.shape[1] - 1))
    let scales = Tensor((0..<x.shape[1]).map { pow(1e6, Double($0) / n) })
    return (square(x) * scales).sum(axes: [1])
  }
  static func rosenbrock(_ x: Tensor) -> Tensor {
    let n = x.shape[1]
    let (a, b) = (x.sliced(1, 0..<n - 1), x.sliced(1, 1..<n))
    return (square(b - square(a)) * 100 + square(1 - a)).sum(axes: [1])
  }

  static let rows = [
    Row(name: "sphere", size: 1, minimum: [1], function: sphere),
    Row(name: "sphere", size: 10, minimum: Array(repeating: 1, count: 10), function: sphere),
    Row(name: "ellipsoid", size: 8, minimum: Array(repeating: 0, count: 8), function: ellipsoid),
    Row(name: "Rosenbrock", size: 5, minimum: Array(repeating: 1, count: 5), function: rosenbrock),
  ]

  @Test(arguments: rows) func minima(row: Row) {
    var random = RandomStream(seed: 1)
    var search = CMAES(generations: 4000)
    search.valueTolerance = 1e-14
    let start = Tensor(repeating: 0.3, shape: [row.size], .float64)
    let found = search.minimize(start, using: &random, row.function)
    #expect(found.value < 1e-9, "\(found.value) after \(found.generations)")
    let errors = zip(found.point.doubles, row.minimum).map { abs($0 - $1) }
    #expect(errors.max() ?? 1 < 1e-3)
    #expect(found.ending == .value || found.ending == .deviation)
    let population = 4 + Int(3 * log(Double(row.size)))
    #expect(found.evaluations == found.generations * population)
  }

  /// Only the order of values counts.
  @Test func growingFunctionsLeadAlongTheSamePoints() {
    let start = Tensor([0.2, -0.4, 0.1] as [Double])
    func points(_ change: (Tensor) -> Tensor) -> [Double] {
      var random = RandomStream(seed: 3)
      var seen: [Double] = []
      var search = CMAES(generations: 40)
      search.valueTolerance = -1
      _ = search.minimize(
        start, using: &random,
        progress: { _, point, _ in
          seen += point.doubles
          return true
        }
      ) { change(Self.sphere($0)) }
      return seen
    }
    #expect(points { $0 } == points { exp($0) * 3 - 7 })
  }

  @Test func placesThatAreNoNumberAreAvoided() {
    var random = RandomStream(seed: 4)
    let found = CMAES(generations: 300).minimize(
      Tensor([2, 2] as [Double]), using: &random
    ) { x in
      // The logarithm of what is negative is none.
      square(log(x.sliced(1, 0..<1))).sum(axes: [1]) + square(x.sliced(1, 1..<2)).sum(axes: [1])
    }
    #expect(abs(found.point[0].item - 1) < 1e-4 && abs(found.point[1].item) < 1e-4)
  }

  @Test func generationsAndStops() {
    var random = RandomStream(seed: 5)
    let start = Tensor([3, 3] as [Float])
    let short = CMAES(generations: 3, population: 5).minimize(start, using: &random, Self.sphere)
    #expect(short.ending == .generations && short.evaluations == 15)
    #expect(short.point.dtype == .float32)
    let stopped = CMAES().minimize(
      start, using: &random, progress: { generation, _, _ in generation < 2 }, Self.sphere)
    #expect(stopped.ending == .stopped && stopped.generations == 2)
  }
}
