// Student's t distribution of vectors, against SciPy (scripts/references/manifolds.py) and its limits.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite(.serialized) struct StudentTests {
  /// Scales 0.7 and 1.5 around (0.3, -0.2).
  static func student(_ degreesOfFreedom: Double) -> MultivariateStudent {
    MultivariateStudent(
      location: vector([0.3, -0.2]),
      logScale: vector([-0.356_674_943_938_732_4, 0.405_465_108_108_164_38]),
      degreesOfFreedom: degreesOfFreedom)
  }

  @Test func agreesWithSciPy() throws {
    let rows = [
      (3.5, -4.355679293948587, 3.4580958), (10, -4.355305228135696, 3.08666723),
      (1e6, -4.431609154424839, 2.88666923),
    ]
    for (nu, density, entropy) in rows {
      let found = Self.student(nu).logProbability(of: vector([1.5, 2])).item
      #expect(abs(found - density) < 1e-9, "\(nu): \(found)")
      #expect(abs(try #require(Self.student(nu).entropy).item - entropy) < 1e-7, "\(nu)")
    }
  }

  @Test func integratesToOne() {
    let q = MultivariateStudent(
      location: array([1, 1], [0.5]), logScale: vector([0.2]), degreesOfFreedom: 4)
    // In the variable of an arc tangent, whose range is finite.
    let (angles, weights) = quadrature(from: -Double.pi / 2, to: Double.pi / 2, panels: 200)
    let points = tan(angles)
    let density = exp(q.logProbability(of: points.reshaped([points.count, 1, 1]))).flattened()
    let total = (density * (square(points) + 1) * weights).sum().item
    #expect(abs(total - 1) < 1e-9, "\(total)")
  }

  private func tan(_ x: Tensor) -> Tensor { sin(x) / cos(x) }

  /// nu / (nu - 2) times the squared scale; without correlation, but not independent.
  @Test func moments() throws {
    for nu in [6.5, 30, 1e7] {
      let q = Self.student(nu)
      var random = RandomStream(seed: 3).split("\(nu)")
      let (z, density) = q.sampleAndLogProbability([100_000], using: &random)
      expectMean(z, is: q.mode, "\(nu)")
      let variance = vector([0.49, 2.25]) * (nu / (nu - 2))
      if nu > 8 { expectMean(square(z - q.mode), is: variance, "\(nu)") }
      expectMean(-density, is: try #require(q.entropy), "\(nu)")
    }
  }

  @Test func manyDegreesOfFreedomAreNormal() {
    let normal = DiagonalNormal(
      mean: vector([0.3, -0.2]), standardDeviation: vector([0.7, 1.5]))
    let z = vector([1.5, 2])
    for nu in [1e4, 1e6, 1e9] {
      let difference = Self.student(nu).logProbability(of: z) - normal.logProbability(of: z)
      #expect(abs(difference.item) < 10 / nu + 1e-13, "\(nu)")
    }
  }

  @Test func gradients() {
    let error = gradientError(
      at: [spread([2, 3]), spread([2, 1], 2), spread([2, 3], scale: 3, 3)]
    ) {
      MultivariateStudent(location: $0[0], logScale: $0[1], degreesOfFreedom: 2.5)
        .logProbability(of: $0[2])
    }
    #expect(error < 1e-8, "density: \(error)")
    let draws = gradientError(at: [spread([2, 3]), spread([2, 1], 2)]) {
      var random = RandomStream(seed: 8)
      return MultivariateStudent(location: $0[0], logScale: $0[1], degreesOfFreedom: 2.5)
        .reparameterizedSample([4], using: &random)
    }
    #expect(draws < 1e-8, "draws: \(draws)")
  }

  @Test func extremes() {
    for dtype in [DType.float32, .float64] {
      for nu in [0.05, 1, 1e9] {
        let q = MultivariateStudent(
          location: .zeros([3], dtype), logScale: .zeros([3], dtype), degreesOfFreedom: nu)
        let value = Tensor([0, 1e15, -1e9]).converted(to: dtype)
        #expect(q.logProbability(of: value).array.nonFiniteCount == 0, "\(nu) \(dtype)")
      }
    }
    var (first, second) = (RandomStream(seed: 5), RandomStream(seed: 5))
    _ = Self.student(0.5).sample([7], using: &first)
    _ = Self.student(1e5).sample([2], using: &second)
    #expect(first == second)
  }
}
