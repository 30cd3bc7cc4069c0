// The Frechet distance: known values, laws, SciPy, and what it says of its own error.

import Latent
import Testing

@Suite struct SamplesFrechetTests {
  let metric = FrechetDistance()

  private func distance(_ real: Tensor, _ fake: Tensor) throws -> Double {
    try FrechetDistance(smallSamples: .measured).value(.frechetDistance, real: real, fake: fake)
      .value
  }

  /// An exact sample of a normal with this mean and Cholesky factor.
  private func sample(_ mean: [Double], _ factor: [[Double]]) -> Tensor {
    rows(
      unitSample(mean.count).map { point in
        mean.indices.map { row in
          mean[row] + zip(factor[row], point).reduce(0) { $0 + $1.0 * $1.1 }
        }
      })
  }

  @Test("Diagonal covariances: 10 exactly")
  func diagonal() throws {
    let first = sample([1, 2], [[1, 0], [0, 2]])
    let second = sample([0, 0], [[3, 0], [0, 1]])
    #expect(try distance(first, second).isClose(10))
  }

  @Test("Full covariances: tr(C1 + C2) - 2 sqrt(tr C1 C2 + 2 sqrt det C1 C2), and the shift added")
  func full() throws {
    // C1 = [[2, 0.5], [0.5, 1]], C2 = [[1, -0.3], [-0.3, 2]].
    let root = Double(2).squareRoot()
    let first = [[root, 0], [0.5 / root, Double(0.875).squareRoot()]]
    let second = [[1.0, 0], [-0.3, Double(1.91).squareRoot()]]
    let determinant = 1.75 * 1.91
    let trace = (3.7 + 2 * determinant.squareRoot()).squareRoot()
    let exact = 6 - 2 * trace
    #expect(exact.isClose(0.5754258933))
    let same = try distance(sample([0, 0], first), sample([0, 0], second))
    #expect(same.isClose(exact))
    let shifted = try distance(sample([1, 2], first), sample([0, 0], second))
    #expect(shifted.isClose(exact + 5))
  }

  @Test("A sample and itself: 0, also without full rank and with features that are constant")
  func itself() throws {
    let x = normals(50, 6, seed: 1)
    #expect(try distance(x, x).isClose(0))
    let few = normals(4, 6, seed: 2)
    #expect(try distance(few, few).isClose(0))
    let dead = Tensor.concatenate([x, .ones([50, 2], .float64) * 3], axis: 1)
    #expect(try distance(dead, dead).isClose(0))
    // The constant features add nothing to a distance either.
    let y = normals(60, 6, seed: 3)
    let other = Tensor.concatenate([y, .ones([60, 2], .float64) * 3], axis: 1)
    #expect(try distance(dead, other).isClose(distance(x, y)))
  }

  @Test("A shift by v: |v|²; a scale t of a centred set: (1 - t)² tr C")
  func shiftAndScale() throws {
    for size in [30, 5] {
      let x = normals(size, 8, seed: 4)
      let shift = normals(1, 8, seed: 5)
      let length = square(shift).sum().item
      #expect(try distance(x, x + shift).isClose(length))
      let centered = x - x.mean(axes: [0])
      let trace = square(centered).sum().item / Double(size - 1)
      #expect(try distance(centered, centered * 1.7).isClose(0.49 * trace))
    }
  }

  @Test("SciPy's matrix root, with more examples than dimensions and with fewer")
  func reference() throws {
    let reference = SamplesReference.all
    #expect(try distance(rows(reference.x), rows(reference.y)).isClose(reference.frechet))
    // The general root of a matrix without full rank is right to half the digits only.
    #expect(
      try distance(rows(reference.wideX), rows(reference.wideY))
        .isClose(reference.frechetWide, 1e-6))
  }

  @Test("Too few examples are refused, or say so")
  func tooFew() throws {
    let (x, y) = (normals(6, 6, seed: 1), normals(9, 6, seed: 2))
    #expect(
      throws: SampleError.tooFewExamples(
        metric: "Frechet distance", found: 6,
        expected: "7 or more for features of 6 dimensions")
    ) { try metric.value(.frechetDistance, real: x, fake: y) }
    let found = try FrechetDistance(smallSamples: .measured)
      .value(.frechetDistance, real: x, fake: y)
    #expect(found.settings["smallSample"] != nil && found.standardError == nil)
    #expect(
      try metric.value(.frechetDistance, real: normals(7, 6, seed: 1), fake: y)
        .settings["smallSample"] == nil)
  }

  @Test("The standard error is what repeated samples vary by")
  func standardError() throws {
    let found = try (0..<60).map { (seed: UInt64) -> MetricValue in
      let real = normals(300, 3, seed: 2 * seed + 100)
      let fake = normals(200, 3, seed: 2 * seed + 101) * 1.4 + 0.5
      return try metric.value(.frechetDistance, real: real, fake: fake)
    }
    let (error, spread) = errorsAndSpread(found)
    #expect(abs(error / spread - 1) < 0.3, "\(error), \(spread)")
  }

  @Test("Bias falls with 1/N, and the line through it goes to the truth")
  func infinity() throws {
    // Two samples of one law: the distance is all bias.
    let (x, y) = (normals(2000, 8, seed: 20), normals(2000, 8, seed: 21))
    let plain = try metric.value(.frechetDistance, real: x, fake: y).value
    let eighth = try distance(x[..<250], y[..<250])
    #expect(plain > 0 && (4.0..<12).contains(eighth / plain), "\(eighth), \(plain)")
    let limit = try metric.value(.frechetDistanceAtInfinity, real: x, fake: y)
    let error = try #require(limit.standardError)
    #expect(abs(limit.value) < plain / 3 && error < plain, "\(limit.value), \(error), \(plain)")
    #expect(limit.settings["sizes"] == "15 of 200...2000")
    let same = try metric.value(.frechetDistanceAtInfinity, real: x, fake: x)
    #expect(same.value.isClose(0))
    // The same stream gives the same subsets.
    let again = try metric.value(.frechetDistanceAtInfinity, real: x, fake: y)
    #expect(again == limit)
  }
}
