// L-BFGS against SciPy's (scripts/references/features.py) and exact solutions.

import Foundation
import LatentAutodiff
import LatentNumerics
import LatentOptimizers
import Testing

@Suite struct LBFGSTests {
  /// sum 100 (x_{i+1} - x_i²)² + (1 - x_i)².
  static func rosenbrock(_ x: Tensor) -> Tensor {
    let (low, high) = (x.sliced(0, 0..<x.count - 1), x.sliced(0, 1..<x.count))
    return (square(high - square(low)) * 100 + square(1 - low)).sum()
  }

  /// SciPy takes 56 iterations and 67 evaluations from here.
  @Test func rosenbrock() {
    let start = Tensor([-1.2, 1, -1.2, 1, -1.2, 1] as [Double])
    var search = LBFGS(iterations: 500)
    (search.gradientTolerance, search.valueTolerance) = (1e-9, 0)
    var values: [Double] = []
    let result = search.minimize(
      [start],
      progress: { iteration, point, value in
        values.append(value)
        #expect(iteration == values.count && value == Self.rosenbrock(point[0]).item)
        return true
      }
    ) { Self.rosenbrock($0[0]) }
    #expect(result.point[0].doubles.allSatisfy { abs($0 - 1) < 1e-8 }, "\(result)")
    #expect(result.value < 1e-17 && result.ending == .gradient)
    #expect(result.evaluations < 2 * 67 && result.iterations < 2 * 56, "\(result.evaluations)")
    #expect(values == values.sorted(by: >), "values never rise")
  }

  /// p^T A p / 2 - b p, whose minimum is A^-1 b; SciPy takes 39 iterations and 44 evaluations. In one tensor or in
  /// two, which makes no difference.
  @Test(arguments: [1, 2]) func quadratic(parts: Int) {
    let size = 12
    let waves = Tensor((0..<size * size).map { sin(1.7 * Double($0)) }, shape: [size, size])
    let matrix =
      matmul(waves, waves, transpose: .right)
      + Tensor.identity(size, .float64) * Tensor((1...size).map { Double($0) / 4 })
    let right = Tensor((0..<size).map { cos(Double($0)) })
    var search = LBFGS(iterations: 500)
    // Values near 3 have steps of 4e-16: they cannot tell points apart whose gradients are below 1e-8.
    (search.gradientTolerance, search.valueTolerance) = (1e-7, 0)
    let start = (0..<parts).map { _ in Tensor.zeros([size / parts], .float64) }
    let result = search.minimize(start) { point in
      let p = Tensor.concatenate(point, axis: 0).reshaped([1, size])
      return (matmul(p, matrix) * p).sum() * 0.5 - (p * right).sum()
    }
    let expected = [
      2.0846593030233183, 0.4533378529174302, 0.06656390688151385, -0.6573892915831913,
      -0.8849407009104356, -0.04490656374218145, 0.7990944875451349, 0.5613807994002178,
      -0.25276973462279445, -0.5188863429054269, -0.15692872542259342, 0.13569931478410735,
    ]
    let found = result.point.flatMap(\.doubles)
    #expect(distance(found, expected) < 1e-6, "\(found)")
    #expect(abs(result.value + 2.6753627623007534) < 1e-11)
    #expect(result.evaluations < 2 * 44, "\(result.evaluations) evaluations")
  }

  @Test func endings() {
    let here = Tensor([1, 2] as [Double])
    func ending(
      _ iterations: Int = 100, stop: Bool = false, _ function: @escaping (Tensor) -> Tensor
    ) -> LBFGS.Result {
      LBFGS(iterations: iterations).minimize([here], progress: { _, _, _ in !stop }) {
        function($0[0])
      }
    }
    #expect(ending { square($0).sum() }.ending == .gradient)
    #expect(ending(1) { Self.rosenbrock($0) }.ending == .iterations)
    #expect(ending(stop: true) { Self.rosenbrock($0) }.iterations == 1)
    // Nothing depends on the point.
    let flat = ending { ($0 * 0).sum() + 3 }
    #expect(flat.ending == .gradient && flat.iterations == 0 && flat.value == 3)
    #expect(flat.point[0].array == here.array)
    // A gradient of the wrong sign: no step is lower.
    let wrong = ending { x in (x.detached * 2).sum() - x.sum() }
    #expect(wrong.ending == .lineSearch && wrong.point[0].array == here.array)
  }

  /// Where the function ends, steps are shortened: -log(1 - x) + ... is infinite or NaN beyond 1.
  @Test func borders() {
    var search = LBFGS()
    search.gradientTolerance = 1e-10
    let result = search.minimize([Tensor([-300] as [Double])]) {
      -log(1 - $0[0]).sum() - $0[0].sum() * 4
    }
    // 1 / (1 - x) = 4.
    #expect(abs(result.point[0].item - 0.75) < 1e-8, "\(result)")
  }

  @Test func singlePrecision() {
    let result = LBFGS().minimize([Tensor([-1.2, 1] as [Float])]) { Self.rosenbrock($0[0]) }
    #expect(result.value < 1e-8 && result.point[0].dtype == .float32, "\(result)")
  }
}
