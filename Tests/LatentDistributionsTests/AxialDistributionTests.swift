// Distributions on the unit sphere: numbers from quadrature with mpmath (scripts/references/manifolds.py), and laws.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

/// One family of axial distributions, opened.
struct AxialCase: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Around a direction `[..., m]` with concentrations.
  let make:
    @Sendable (Tensor, Tensor) -> any EvaluableDistribution & ReparameterizedDistribution
      & DistributionWithMode
  /// The statistic of an angle.
  let statistic: @Sendable (Double) -> Double
  /// m, concentration, mean cosine, divergence from the uniform distribution.
  let numbers: [[Double]]

  /// Around a vector, in float64.
  func at(
    _ direction: [Double], _ concentration: Double
  ) -> any EvaluableDistribution & ReparameterizedDistribution & DistributionWithMode {
    make(Tensor(direction), .scalar(concentration, .float64))
  }
}

let axialCases = [
  AxialCase(
    testDescription: "von Mises-Fisher", make: { VonMisesFisher(direction: $0, concentration: $1) },
    statistic: { cos($0) },
    numbers: [
      [2, 1, 0.446389965896535, 0.210475607389356], [3, 1, 0.313035285499331, 0.151595923928136],
      [3, 10, 0.900000004122307, 1.99573231683822], [5, 2, 0.361106650206708, 0.342699284279155],
      [11, 50, 0.904073850358943, 8.80766960421886],
      [50, 100, 0.783660718358596, 23.5707184221786],
      [100, 1, 0.00999901979633546, 0.00499926486295743],
      [1000, 1, 0.000999999001997996, 0.000499999251498663],
    ]),
  AxialCase(
    testDescription: "power spherical", make: { PowerSpherical(direction: $0, concentration: $1) },
    statistic: { 2 * log(cos($0 / 2)) },
    numbers: [
      [2, 1, 0.5, 0.306852819440055], [3, 1, 0.333333333333333, 0.193147180559945],
      [3, 10, 0.833333333333333, 1.48880436370746], [5, 2, 0.333333333333333, 0.303972804325936],
      [11, 50, 0.833333333333333, 6.20127532148071],
      [50, 100, 0.671140939597315, 14.8583212538523],
      [100, 1, 0.01, 0.00502499875024989], [1000, 1, 0.001, 0.000500249999875],
    ]),
]

@Suite(.serialized) struct AxialDistributionTests {
  static let seed: UInt64 = 91

  static func uniform(_ dimension: Int) -> UniformSphere {
    UniformSphere(eventShape: [dimension], dtype: .float64)
  }

  /// A direction without zeros.
  static func direction(_ dimension: Int) -> Tensor {
    Tensor((0..<dimension).map { sin(1.7 * Double($0) + 0.4) })
  }

  @Test(arguments: axialCases) func numbers(_ axial: AxialCase) throws {
    for row in axial.numbers {
      let m = Int(row[0])
      let q = axial.make(Self.direction(m), .scalar(row[1], .float64))
      let kl = try #require(q.closedFormKL(to: Self.uniform(m))).item
      #expect(abs(kl - row[3]) < 1e-12 * (1 + row[3]) + 1e-13, "\(axial) \(row): \(kl)")
      let area = Self.uniform(m).logArea
      #expect(abs((q.entropy?.item ?? 0) - (area - kl)) < 1e-12, "\(axial) \(row)")
      var random = RandomStream(seed: Self.seed).split("\(row)")
      let z = q.sample([m > 50 ? 2000 : 10_000], using: &random)
      expectMean((z * q.mode).sum(axes: [1]), is: .scalar(row[2], .float64), "\(axial) \(row)")
      let lengths = square(z).sum(axes: [1]).doubles
      #expect(lengths.allSatisfy { abs($0 - 1) < 1e-12 }, "\(axial) \(row)")
    }
  }

  @Test(arguments: axialCases) func integratesToOne(_ axial: AxialCase) {
    for concentration in [0, 0.5, 3, 40] {
      let circle = axial.at([0.6, -0.8], concentration)
      let angles = (0..<4000).map { 2 * Double.pi * Double($0) / 4000 }
      let points = Tensor(angles.flatMap { [cos($0), sin($0)] }, shape: [4000, 2])
      let ring = exp(circle.logProbability(of: points)).mean().item * 2 * .pi
      #expect(abs(ring - 1) < 1e-9, "\(axial), circle, \(concentration): \(ring)")
      // Heights by quadrature, longitudes by the rule of equal steps.
      let ball = axial.at([0.48, -0.64, 0.6], concentration)
      let (heights, weights) = quadrature(from: -1, to: 1, panels: 80)
      var total = 0.0
      for (height, weight) in zip(heights.doubles, weights.doubles) {
        let radius = (1 - height * height).squareRoot()
        let points = Tensor(
          (0..<120).flatMap { index -> [Double] in
            let angle = 2 * Double.pi * Double(index) / 120
            return [radius * cos(angle), height, radius * sin(angle)]
          }, shape: [120, 3])
        total += weight * exp(ball.logProbability(of: points)).mean().item * 2 * .pi
      }
      #expect(abs(total - 1) < 1e-6, "\(axial), sphere, \(concentration): \(total)")
    }
  }

  /// The corner of Householder's reflection, its opposite, and others.
  @Test(arguments: axialCases) func everyDirectionIsAsGood(_ axial: AxialCase) {
    let directions: [[Double]] = [
      [1, 0, 0], [-1, 0, 0], [0, 1, 0], [1, 1e-9, 0], [0.48, -0.64, 0.6], [-1e-12, 0.6, 0.8],
    ]
    let expected = axial.testDescription == "power spherical" ? 0.5 : 1 / tanh(2.0) - 0.5
    for direction in directions {
      let q = axial.at(direction, 2)
      var random = RandomStream(seed: Self.seed).split("\(direction)")
      let z = q.sample([10_000], using: &random)
      #expect(z.array.nonFiniteCount == 0)
      expectMean(z, is: q.mode * expected, "\(axial) around \(direction)")
      let slope = gradient(at: Tensor(direction)) { direction in
        var random = RandomStream(seed: 1)
        return axial.make(direction, .scalar(2, .float64))
          .reparameterizedSample([10], using: &random).sum()
      }
      #expect(slope.array.nonFiniteCount == 0, "\(axial) around \(direction)")
    }
    // Rotating both leaves the density.
    let (c, s) = (cos(0.7), sin(0.7))
    let rotation = array([3, 3], [c, -s, 0, s, c, 0, 0, 0, 1])
    let (mu, z) = (vector([0.48, -0.64, 0.6]), vector([0, 0.6, -0.8]))
    func rotated(_ x: Tensor) -> Tensor { matmul(x.reshaped([1, 3]), rotation).reshaped([3]) }
    let k = Tensor.scalar(3, .float64)
    let before = axial.make(mu, k).logProbability(of: z).item
    let after = axial.make(rotated(mu), k).logProbability(of: rotated(z)).item
    #expect(abs(before - after) < 1e-13)
  }

  @Test(arguments: axialCases) func divergenceAgreesWithMonteCarlo(_ axial: AxialCase) throws {
    for (m, k) in [(2, 0.7), (3, 4), (7, 30.0)] {
      let q = axial.make(Self.direction(m), .scalar(k, .float64))
      var random = RandomStream(seed: Self.seed).split("\(m)")
      let (z, density) = q.sampleAndLogProbability([10_000], using: &random)
      let exact = try #require(q.closedFormKL(to: Self.uniform(m)))
      let ratio = density - Self.uniform(m).logProbability(of: z)
      expectMean(ratio, is: exact, "\(axial) m \(m)")
      expectClose(q.logProbability(of: z), density, 1e-9, "\(axial) m \(m): density of draws")
    }
  }

  /// The angle's derivative is -(dF/dk) / p, here with both integrals by Simpson's rule in full.
  @Test(arguments: axialCases) func implicitDerivative(_ axial: AxialCase) {
    for (m, k) in [(2, 0.5), (2, 6), (3, 2), (5, 2), (8, 25.0)] {
      let mu = Self.direction(m)
      let count = 12
      let concentrations = Tensor(repeating: k, shape: [count], .float64)
      var angles: [Double] = []
      let slopes = gradient(at: concentrations) { k in
        var random = RandomStream(seed: Self.seed)
        let q = axial.make(mu, k)
        let cosines = (q.reparameterizedSample(using: &random) * q.mode).sum(axes: [1])
        angles = cosines.doubles.map { acos($0) }
        return cosines.sum()
      }.doubles
      func density(_ a: Double) -> Double {
        a <= 0 || a >= .pi
          ? (m == 2 ? exp(k * axial.statistic(min(a, 3.14159))) : 0)
          : pow(sin(a), Double(m - 2)) * exp(k * axial.statistic(a))
      }
      func integral(_ end: Double, _ f: (Double) -> Double) -> Double {
        let steps = 4000
        let h = end / Double(steps)
        var sum = f(0) + f(end)
        for i in 1..<steps {
          let weight: Double = i % 2 == 1 ? 4 : 2
          sum += weight * f(Double(i) * h)
        }
        return sum * h / 3
      }
      func statistic(_ a: Double) -> Double { axial.statistic(min(a, 3.1415926)) }
      let mass = integral(.pi, density)
      let mean = integral(.pi) { density($0) * statistic($0) } / mass
      for (angle, slope) in zip(angles, slopes) {
        let byConcentration = integral(angle) { density($0) * (statistic($0) - mean) }
        let expected = sin(angle) * byConcentration / density(angle)
        #expect(
          abs(slope - expected) < 1e-6 * (1 + abs(expected)),
          "\(axial), m \(m), k \(k), angle \(angle): \(slope), expected \(expected)")
      }
    }
  }

  /// Row 30 of the mistakes: what differentiates through accepted proposals gives 0.1277.
  @Test func derivativeOfTheMeanIsUnbiased() {
    let count = 40_000
    let slopes = gradient(at: Tensor(repeating: 2, shape: [count], .float64)) { k in
      var random = RandomStream(seed: Self.seed)
      let q = VonMisesFisher(direction: Self.direction(5), concentration: k)
      return (q.reparameterizedSample(using: &random) * q.mode).sum()
    }
    expectMean(slopes, is: .scalar(0.1473886768, .float64), "dE[w]/dk")
  }

  /// E[z] = A mu, whose derivative by mu has no part along mu.
  @Test(arguments: axialCases) func derivativeByDirection(_ axial: AxialCase) {
    let mu = [0.48, -0.64, 0.6]
    let (count, a) = (10_000, vector([1, 2, -0.5]))
    let directions = Tensor(mu).broadcast(to: [count, 3])
    let slopes = gradient(at: directions) { directions in
      var random = RandomStream(seed: Self.seed)
      let q = axial.make(directions, .scalar(2, .float64))
      return (q.reparameterizedSample(using: &random) * a).sum()
    }
    let mean = axial.testDescription == "power spherical" ? 0.5 : 1 / tanh(2.0) - 0.5
    let along = (a * Tensor(mu)).sum()
    expectMean(slopes, is: (a - along * Tensor(mu)) * mean, "\(axial)")
  }

  @Test(arguments: axialCases) func gradients(_ axial: AxialCase) {
    let directions = array([2, 3], [0.3, -0.5, 0.9, -1.2, 0.1, 0.4])
    let z = array([2, 3], [0.6, 0, 0.8, 0, -0.6, 0.8])
    let error = gradientError(at: [directions, vector([1.5, 20])]) {
      axial.make($0[0], $0[1]).logProbability(of: z)
    }
    #expect(error < 1e-7, "\(axial), density: \(error)")
    let divergence = gradientError(at: [vector([0.01, 0.5, 4, 90])]) { inputs in
      axial.make(vector([1, 2, 2]), inputs[0]).closedFormKL(to: Self.uniform(3)) ?? inputs[0]
    }
    #expect(divergence < 1e-7, "\(axial), divergence: \(divergence)")
    // The derivative of the derivative, by recorded operations.
    let second = gradientError(at: [vector([0.5, 4])]) { inputs in
      gradient(at: inputs[0]) { k in
        (axial.make(vector([1, 2, 2]), k).closedFormKL(to: Self.uniform(3)) ?? k).sum()
      }
    }
    #expect(second < 1e-6, "\(axial), second derivative: \(second)")
  }

  @Test(arguments: axialCases) func corners(_ axial: AxialCase) throws {
    for dtype in [DType.float32, .float64] {
      for m in [2, 3, 20] {
        let mu = Self.direction(m).converted(to: dtype)
        let concentrations = Tensor([0, 1e-6, 1, 1e3, 1e8]).converted(to: dtype)
        let (value, gradients) = valueAndGradient(at: [mu, concentrations]) { inputs in
          var random = RandomStream(seed: Self.seed)
          let q = axial.make(inputs[0], inputs[1])
          let (z, density) = q.sampleAndLogProbability([50], using: &random)
          #expect(z.array.nonFiniteCount == 0 && density.array.nonFiniteCount == 0)
          let lengths = square(z).sum(axes: [-1]).doubles
          #expect(lengths.allSatisfy { abs($0 - 1) < 1e-5 })
          // At the mode, and what is known in closed form.
          let peak = q.logProbability(of: q.mode)
          let kl = q.closedFormKL(to: UniformSphere(eventShape: [m], dtype: dtype)) ?? peak
          #expect(kl.array.nonFiniteCount == 0 && kl.doubles[0] == 0)
          return z.sum() + density.mean() + peak.mean() + kl.mean()
        }
        #expect(value.array.nonFiniteCount == 0, "\(axial) \(dtype) \(m)")
        for gradient in gradients {
          #expect(gradient.array.nonFiniteCount == 0, "\(axial) \(dtype) \(m): \(gradient)")
        }
      }
    }
    // Row 33: at 1e8 the mean distance from the mode is known to many digits, 1 - A = (m - 1) / (2 k).
    var random = RandomStream(seed: Self.seed)
    let sharp = axial.at([0.48, -0.64, 0.6], 1e8)
    let chords = square(sharp.sample([10_000], using: &random) - sharp.mode).sum(axes: [1])
    let expected = axial.testDescription == "power spherical" ? 4e-8 : 2e-8
    expectMean(chords, is: .scalar(expected, .float64), "\(axial), sharp")
    let flat = axial.at([0.48, -0.64, 0.6], 0)
    let area = Self.uniform(3).logArea
    #expect(abs(flat.logProbability(of: vector([0, 0.6, 0.8])).item + area) < 1e-14)
  }

  @Test func uniformSphere() {
    let p = UniformSphere(eventShape: [2, 2], radius: 2, batchShape: [3])
    var random = RandomStream(seed: Self.seed)
    let z = p.sample([4], using: &random)
    #expect(z.shape == [4, 3, 2, 2] && p.logProbability(of: z).shape == [4, 3])
    let lengths = square(z).flattened(from: 2).sum(axes: [2]).doubles
    #expect(lengths.allSatisfy { abs($0 - 4) < 1e-5 })
    // Of the sphere in 4 dimensions: 2 pi^2 r^3.
    #expect(abs(p.logArea - log(16 * Double.pi * Double.pi)) < 1e-13)
    #expect(p.closedFormKL(to: p)?.doubles == [0, 0, 0])
    #expect(p.closedFormKL(to: UniformSphere(eventShape: [2, 2])) == nil)
    #expect(p.pointEstimate == nil)
  }

  @Test(arguments: axialCases) func drawsTakeAFixedPartOfTheStream(_ axial: AxialCase) {
    var (first, second) = (RandomStream(seed: 5), RandomStream(seed: 5))
    _ = axial.at([1, 2, 3], 0.1).sample([7], using: &first)
    _ = axial.at([3, -2, 3], 1e5).sample([2], using: &second)
    #expect(first == second)
  }
}
