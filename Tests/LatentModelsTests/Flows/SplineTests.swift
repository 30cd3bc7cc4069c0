// Rational-quadratic splines: exact values, the identity at zeros, smoothness at knots and at the ends.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite struct SplineTests {
  private func spline(_ derivatives: [Double]) -> RationalQuadraticSpline {
    RationalQuadraticSpline(
      inputs: Tensor([0, 0.5, 1] as [Double], shape: [1, 3]),
      outputs: Tensor([0, 0.3, 1] as [Double], shape: [1, 3]),
      derivatives: Tensor(derivatives, shape: [1, 3]))
  }
  private func points(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count, 1]) }

  @Test(arguments: [
    ([1.0, 1, 1], 0.25, 0.15, -0.798_507_696_2), ([1, 1, 1], 0.5, 0.3, 0),
    ([1, 2, 1], 0.75, 0.710_344_827_6, 0.301_380_916_8),
  ]) func exactNumbers(derivatives: [Double], x: Double, y: Double, log: Double) {
    let map = spline(derivatives)
    let (value, found) = map.forward(points([x]))
    #expect(abs(value.item - y) < 1e-10 && abs(found.item - log) < 1e-10)
    let (back, home) = map.inverse(points([y]))
    #expect(abs(back.item - x) < 1e-9 && abs(home.item + log) < 1e-9)
  }

  /// Zeros are the identity, and the derivative is 1 from both sides of the ends.
  @Test(arguments: [2, 8, 10], [1.0, 3]) func zerosAreTheIdentity(bins: Int, bound: Double) {
    let map = RationalQuadraticSpline(
      unconstrained: .zeros([1, 3 * bins - 1], .float64), bound: bound)
    let x = points(
      [-bound.nextUp, -bound, -bound.nextDown, -0.3, 0, 1e-8, 0.7, bound.nextDown, bound]
        + [bound.nextUp, 10 * bound])
    for (value, log) in [map.forward(x), map.inverse(x)] {
      #expect(distance(value, x) < 1e-14)
      #expect(distance(log, log.zerosLike) < 1e-12)
    }
    let (first, last) = (map.derivatives.doubles.first, map.derivatives.doubles.last)
    #expect(first == 1 && last == 1)
    #expect(map.derivatives.doubles.allSatisfy { abs($0 - 1) < 1e-15 })
    #expect(map.inputs.doubles.first == -bound && map.inputs.doubles.last == bound)
  }

  /// Whatever the parameters: rising, continuous with its derivative across knots and ends, and back again,
  /// in the knots too.
  @Test(arguments: [1.0, 5]) func smooth(scale: Double) {
    let map = RationalQuadraticSpline(unconstrained: scattered([1, 14], 3) * scale, bound: 2)
    let grid = points((0...2000).map { -2.5 + Double($0) * 0.0025 })
    let values = map.forward(grid).value.doubles
    #expect(zip(values, values.dropFirst()).allSatisfy { $0 < $1 })
    let knots = map.inputs.doubles
    let (below, above) = (points(knots.map { $0 - 1e-11 }), points(knots.map { $0 + 1e-11 }))
    let (left, right) = (map.forward(below), map.forward(above))
    #expect(distance(left.value, right.value) < 1e-6)
    #expect(distance(left.logDeterminant, right.logDeterminant) < 2e-5)
    let at = map.forward(points(knots))
    #expect(distance(at.value.doubles, map.outputs.doubles) < 1e-14)
    #expect(distance(exp(at.logDeterminant).doubles, map.derivatives.doubles) < 1e-11)
    #expect(distance(map.inverse(at.value).value.doubles, knots) < 1e-10)
    #expect(distance(map.inverse(map.forward(grid).value).value, grid) < 1e-10)
  }

  /// A batch that lies beyond the ends altogether.
  @Test func tails() {
    let map = RationalQuadraticSpline(unconstrained: scattered([2, 14], 3), bound: 2)
    let x = Tensor([5, -7, 100, 2.5] as [Double], shape: [2, 2])
    for (value, log) in [map.forward(x), map.inverse(x)] {
      #expect(value.doubles == x.doubles && log.doubles == [0, 0])
    }
    let slope = gradient(at: x) { map.forward($0).value.sum() }
    #expect(slope.doubles == [1, 1, 1, 1])
  }
}
