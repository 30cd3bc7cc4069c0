// Normals on the Poincare ball: numbers from quadrature with mpmath (scripts/references/manifolds.py), and laws.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite(.serialized) struct PoincareBallTests {
  static let seed: UInt64 = 17

  @Test func distances() {
    let ball = PoincareBall()
    let (x, y) = (vector([0.3, -0.2]), vector([-0.1, 0.6]))
    let found: Double = ball.squaredDistance(x, y).item.squareRoot()
    #expect(abs(found - 2.0423399433) < 1e-10)
    // The definition: 2 artanh |(-x) + y|.
    let sum = ball.sum(-x, y)
    let expected: Double = 2 * Foundation.atanh(square(sum).sum().item.squareRoot())
    #expect(abs(found - expected) < 1e-14)
    for c in [0, 1e-8, 0.3, 1, 2.5] {
      let ball = PoincareBall(curvature: c)
      let points = [
        vector([0.3, -0.2]), vector([-0.1, 0.4]), vector([0, 0]), vector([0.3, -0.2 + 1e-9]),
        vector([-0.58, 0.1]),
      ]
      for x in points {
        for y in points {
          let v = ball.logarithm(at: x, of: y)
          let squares: Double = square(v).sum().item
          let difference: Double = squares - ball.squaredDistance(x, y).item
          #expect(abs(difference) < 1e-14 * (1 + squares), "\(c)")
          expectClose(ball.exponential(at: x, of: v), y, 1e-13, "there and back, c \(c)")
        }
      }
    }
    // Coordinates are halved where the ball is flat.
    let flat = PoincareBall(curvature: 0)
    let double: Double = 4 * square(x - y).sum().item
    #expect(abs(flat.squaredDistance(x, y).item - double) < 1e-14)
  }

  @Test func densities() {
    // c = 1, at distance 1 from 0: |z| = tanh(1/2).
    let z = vector([0.462_117_157_260_009_75, 0])
    let zero = vector([0, 0])
    let wrapped = WrappedNormal(location: zero, logVariance: vector([0]))
    let density = wrapped.logProbability(of: z).item
    #expect(abs(density + 2.4993164280) < 1e-10, "\(density)")
    let coordinates = density + PoincareBall().logVolume(at: z).item
    #expect(abs(coordinates + 0.6325640390) < 1e-10, "\(coordinates)")
    let normal = RiemannianNormal(location: zero, logScale: .scalar(0, .float64))
    #expect(abs(normal.logProbability(of: z).item + 2.6819532728) < 1e-10)
  }

  /// log Z of scale, curvature and dimension: the density at the location is 1 / (Z S).
  @Test func normalizers() {
    let rows: [(s: Double, c: Double, d: Int, z: Double)] = [
      (1, 1, 2, 1.410686134642448), (1, 1, 5, 462.84918705425899),
      (0.3, 2, 3, 0.040732341103734272),
      (0.01, 1, 10, 3.845764956767097e-18), (5, 1, 3, 1.6245161841990029e22),
      (0.7, 0.5, 1, 0.87731989612085018),
    ]
    for row in rows {
      let q = RiemannianNormal(
        location: .zeros([row.d], .float64), logScale: .scalar(Foundation.log(row.s), .float64),
        ball: PoincareBall(curvature: row.c))
      let half = Double(row.d) / 2
      let area: Double = Foundation.log(2) + half * Foundation.log(Double.pi) - lgamma(half)
      let expected: Double = Foundation.log(row.z)
      let found = -q.logProbability(of: .zeros([row.d], .float64)).item - area
      let tolerance: Double = 1e-12 * (1 + abs(expected))
      #expect(abs(found - expected) < tolerance, "\(row): \(found)")
    }
  }

  /// A grid of the disc with the volume lambda^2.
  static func integral(_ q: any EvaluableDistribution, _ ball: PoincareBall) -> Double {
    let (radii, weights) = quadrature(from: 0, to: 16, panels: 120)
    let directions = 240
    var total = 0.0
    for (distance, weight) in zip(radii.doubles, weights.doubles) {
      // In rings of equal distance from 0 the volume is sinh(sqrt c r) / sqrt c.
      let root = ball.curvature.squareRoot()
      let radius: Double = Foundation.tanh(root * distance / 2) / root
      let points = Tensor(
        (0..<directions).flatMap { index -> [Double] in
          let angle = 2 * Double.pi * Double(index) / Double(directions)
          return [radius * Foundation.cos(angle), radius * Foundation.sin(angle)]
        }, shape: [directions, 2])
      let mean = exp(q.logProbability(of: points)).mean().item
      let circumference: Double = 2 * Double.pi * Foundation.sinh(root * distance) / root
      total += weight * mean * circumference
    }
    return total
  }

  @Test func integrateToOne() {
    let location = vector([0.3, -0.2])
    for c in [1, 0.4] {
      let ball = PoincareBall(curvature: c)
      let wrapped = WrappedNormal(
        location: location,
        logVariance: vector([-0.713_349_887_877_464_8, -1.832_581_463_748_310_1]), ball: ball)
      let total = Self.integral(wrapped, ball)
      #expect(abs(total - 1) < 1e-6, "wrapped, c \(c): \(total)")
      let normal = RiemannianNormal(
        location: location, logScale: .scalar(Foundation.log(0.6), .float64), ball: ball)
      let other = Self.integral(normal, ball)
      #expect(abs(other - 1) < 1e-6, "Riemannian, c \(c): \(other)")
    }
  }

  /// The same over coordinates: the other measure.
  @Test func integratesOverCoordinates() {
    let ball = PoincareBall()
    let q = WrappedNormal(
      location: vector([0.3, -0.2]),
      logVariance: vector([-0.713_349_887_877_464_8, -1.832_581_463_748_310_1]))
    let count = 1500
    let side: [Double] = (0..<count).map { (2 * Double($0) + 1) / Double(count) - 1 }
    var total = 0.0
    for x in side {
      let inside = side.filter { x * x + $0 * $0 < 1 - 1e-7 }
      if inside.isEmpty { continue }
      let points = Tensor(inside.flatMap { [x, $0] }, shape: [inside.count, 2])
      let density = q.logProbability(of: points) + ball.logVolume(at: points)
      total += exp(density).sum().item * 4 / Double(count * count)
    }
    #expect(abs(total - 1) < 1e-6, "\(total)")
  }

  static let families:
    [(
      String,
      @Sendable (Tensor, Tensor, PoincareBall) -> any EvaluableDistribution
        & ReparameterizedDistribution
    )] = [
      ("wrapped", { WrappedNormal(location: $0, logVariance: $1, ball: $2) }),
      (
        "Riemannian",
        { RiemannianNormal(location: $0, logScale: $1.selecting(0, axis: -1) * 0.5, ball: $2) }
      ),
    ]

  /// Draws: the density that comes with them is that of the values, and distances have their distribution.
  @Test(arguments: [0, 1]) func draws(_ index: Int) {
    let (name, make) = Self.families[index]
    for (c, d) in [(1.0, 2), (0.5, 5), (2, 3), (1, 1)] {
      let ball = PoincareBall(curvature: c)
      let location = Tensor((0..<d).map { 0.2 * Foundation.sin(Double($0) + 1) })
      let q = make(location, Tensor(repeating: -0.8, shape: [d], .float64), ball)
      var random = RandomStream(seed: Self.seed).split("\(c) \(d)")
      let (z, density) = q.sampleAndLogProbability([8000], using: &random)
      #expect(z.shape == [8000, d] && density.shape == [8000])
      expectClose(q.logProbability(of: z), density, 1e-7, "\(name) \(c) \(d)")
      let squares = ball.squaredDistance(location, z)
      // Of a wrapped normal lengths are those of a normal; of the other, the derivative of the normaliser.
      let variance: Double = Foundation.exp(-0.8)
      var expected = variance * Double(d)
      if index == 1 {
        func logZ(_ s: Double) -> Double {
          -make(.zeros([d], .float64), Tensor(repeating: 2 * s, shape: [d], .float64), ball)
            .logProbability(of: .zeros([d], .float64)).item
        }
        let h = 1e-4
        let slope: Double = (logZ(-0.4 + h) - logZ(-0.4 - h)) / (2 * h)
        expected = slope * variance
      }
      expectMean(squares, is: .scalar(expected, .float64), "\(name) \(c) \(d)")
    }
  }

  /// Of the radius, d/ds E[r^2] by draws against that of the normaliser's second derivative.
  @Test func implicitDerivative() {
    let (count, s, d) = (8000, -0.3, 3)
    let slopes = gradient(at: Tensor(repeating: s, shape: [count], .float64)) { logScale in
      var random = RandomStream(seed: Self.seed)
      let q = RiemannianNormal(location: .zeros([d], .float64), logScale: logScale)
      let z = q.reparameterizedSample(using: &random)
      return PoincareBall().squaredDistance(z.zerosLike, z).sum()
    }
    func expectation(_ s: Double) -> Double {
      // E[r^2] = scale^2 dlogZ/ds.
      let slope = gradient(at: Tensor.scalar(s, .float64)) {
        -RiemannianNormal(location: .zeros([d], .float64), logScale: $0)
          .logProbability(of: .zeros([d], .float64))
      }.item
      return Foundation.exp(2 * s) * slope
    }
    let h = 1e-4
    let expected = (expectation(s + h) - expectation(s - h)) / (2 * h)
    expectMean(slopes, is: .scalar(expected, .float64), "d E[r^2] / d log scale")
  }

  @Test(arguments: [0, 1]) func gradients(_ index: Int) {
    let (name, make) = Self.families[index]
    let location = array([2, 2], [0.3, -0.2, 0, 0])
    let z = array([2, 2], [0.1, 0.5, -0.3, 0.2])
    let error = gradientError(at: [location, array([2, 2], [-0.5, 0.2, -1, 0.3]), z]) {
      make($0[0], $0[1], PoincareBall(curvature: 1.3)).logProbability(of: $0[2])
    }
    #expect(error < 1e-7, "\(name), density: \(error)")
    // Draws by the location, the noise held; the scale of the second is implicit.
    let parameters = index == 0 ? [location, array([2, 2], [-0.5, 0.2, -1, 0.3])] : [location]
    let samples = gradientError(at: parameters) {
      var random = RandomStream(seed: Self.seed)
      return make($0[0], $0.count > 1 ? $0[1] : z, PoincareBall()).reparameterizedSample(
        [3], using: &random)
    }
    #expect(samples < 1e-7, "\(name), draws: \(samples)")
  }

  /// Row 35 of the mistakes: z = location; and points at the boundary.
  @Test(arguments: [0, 1]) func corners(_ index: Int) {
    let (name, make) = Self.families[index]
    for dtype in [DType.float32, .float64] {
      let far = 1 - 1e-12
      let locations = array([4, 2], [0, 0, 0.3, -0.2, far, 0, 0.6, 0.8]).converted(to: dtype)
      let scales = array([4, 2], [0, 0, -9, -9, 1, 1, 2, 2]).converted(to: dtype)
      let (value, gradients) = valueAndGradient(at: [locations, scales]) { inputs in
        let ball = PoincareBall()
        let q = make(inputs[0], inputs[1], ball)
        var random = RandomStream(seed: Self.seed)
        let (z, density) = q.sampleAndLogProbability([200], using: &random)
        #expect(z.array.nonFiniteCount == 0 && density.array.nonFiniteCount == 0, "\(name)")
        #expect(square(z).sum(axes: [-1]).doubles.allSatisfy { $0 < 1 }, "\(name)")
        let prior = WrappedNormal(
          location: .zeros([2], dtype), logVariance: .zeros([1], dtype), ball: ball)
        let other = prior.logProbability(of: z)
        #expect(other.array.nonFiniteCount == 0, "\(name)")
        let center = q.logProbability(of: ball.inside(inputs[0]))
        return (density - other).mean() + center.mean()
      }
      #expect(value.array.nonFiniteCount == 0, "\(name) \(dtype)")
      for gradient in gradients {
        #expect(gradient.array.nonFiniteCount == 0, "\(name) \(dtype): \(gradient)")
      }
    }
    // The limit at the location is the value there.
    let q = make(vector([0.3, -0.2]), vector([-1, -1]), PoincareBall())
    let at = q.logProbability(of: vector([0.3, -0.2])).item
    let near = q.logProbability(of: vector([0.3 + 1e-9, -0.2])).item
    #expect(abs(at - near) < 1e-12, "\(name): \(at), \(near)")
  }

  /// Without curvature all is as in a flat space, coordinates halved.
  @Test(arguments: [0, 1]) func flatLimit(_ index: Int) {
    let (name, make) = Self.families[index]
    let logVariance = vector([-0.6, -0.6])
    let (location, z) = (vector([0.3, -0.2]), vector([0.1, 0.5]))
    let expected = DiagonalNormal(mean: location * 2, logVariance: logVariance)
      .logProbability(of: z * 2).item
    for (c, tolerance) in [(1e-4, 1e-4), (1e-8, 1e-8), (0, 1e-13)] {
      let found = make(location, logVariance, PoincareBall(curvature: c)).logProbability(of: z).item
      #expect(abs(found - expected) < tolerance * 10, "\(name), c \(c): \(found), \(expected)")
    }
  }

  @Test func pathsStayInside() {
    let ball = PoincareBall(curvature: 1)
    let (x, y) = (array([2, 2], [0.99, 0, 0.1, 0.2]), array([2, 2], [-0.4, -0.02, 0.1, 0.2]))
    let path = ball.path(from: x, to: y, steps: 7)
    #expect(path.shape == [7, 2, 2])
    #expect(square(path).sum(axes: [2]).doubles.allSatisfy { $0 < 1 })
    expectClose(path.selecting(0), x, 1e-12, "start")
    expectClose(path.selecting(6), y, 1e-9, "end")
    let whole = sqrt(ball.squaredDistance(x, y)).doubles
    for step in 0..<6 {
      let part = ball.squaredDistance(path.selecting(step), path.selecting(step + 1)).doubles
      for (one, all) in zip(part, whole) { #expect(abs(one.squareRoot() - all / 6) < 1e-6) }
    }
  }
}
