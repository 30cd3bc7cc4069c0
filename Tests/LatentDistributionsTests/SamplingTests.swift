// Sampling: moments, entropy and divergences against Monte Carlo, within 4 standard errors.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

/// Fails unless the mean over axis 0 of `draws` is `expected` within 4 standard errors.
func expectMean(_ draws: Tensor, is expected: Tensor, _ message: String) {
  let count = Double(draws.shape[0])
  let average = draws.mean(axes: [0]).doubles
  let errors = sqrt(draws.variance(axes: [0], correction: 1) / count).doubles
  let target = expected.doubles
  #expect(average.count == target.count, "\(message): \(draws.shape) and \(expected.shape)")
  for (index, (found, wanted)) in zip(average, target).enumerated() {
    // Constant draws (the uniform's log-density) leave rounding alone.
    let bound = 4 * errors[index] + 1e-11 * (1 + abs(wanted))
    #expect(
      abs(found - wanted) <= bound,
      "\(message), element \(index): \(found), expected \(wanted) +- \(errors[index])")
  }
}

protocol HasVariance { var variance: Tensor { get } }
extension DiagonalNormal: HasVariance {}
extension StandardNormal: HasVariance {}
extension Bernoulli: HasVariance {}
extension ContinuousBernoulli: HasVariance {}
extension Laplace: HasVariance {}
extension Uniform: HasVariance {}
extension FullCovarianceNormal: HasVariance {}

@Suite(.serialized) struct SamplingTests {
  static let seed: UInt64 = 20_240

  @Test(arguments: smallRows + eventRows) func moments(_ row: Row) {
    let distribution = row.distribution
    var random = RandomStream(seed: Self.seed).split(row.name)
    let draws = distribution.sample([200_000], using: &random).converted(to: .float64)
    let mean = distribution.mean
    expectMean(draws, is: mean, "mean of \(row.name), seed \(Self.seed)")
    if let variance = (distribution as? any HasVariance)?.variance {
      expectMean(
        square(draws - mean), is: variance, "variance of \(row.name), seed \(Self.seed)")
    }
  }

  @Test func covariance() {
    let row = smallRows.first { $0.name == "FullCovarianceNormal, 2 elements" }
    guard let row, let normal = row.distribution as? FullCovarianceNormal else {
      Issue.record("the row is missing")
      return
    }
    var random = RandomStream(seed: Self.seed)
    let centered = normal.sample([200_000], using: &random) - normal.mean
    let products = centered.expandingDimension(at: -1) * centered.expandingDimension(at: 2)
    expectMean(products, is: normal.covariance, "covariance")
  }

  @Test(arguments: smallRows + eventRows) func entropy(_ row: Row) {
    let distribution = row.distribution
    guard let entropy = distribution.entropy else {
      #expect(row.name.hasPrefix("Mixture"), "\(row.name) has no entropy")
      return
    }
    var random = RandomStream(seed: Self.seed).split(row.name)
    let draws = distribution.sample([200_000], using: &random)
    expectMean(
      -distribution.logProbability(of: draws), is: entropy,
      "entropy of \(row.name), seed \(Self.seed)")
  }

  @Test(arguments: smallRows + eventRows) func jointSampleAndDensityAgree(_ row: Row) {
    let distribution = row.distribution
    var random = RandomStream(seed: Self.seed)
    var copy = random
    let (value, density) = distribution.sampleAndLogProbability([7], using: &random)
    let again = distribution.sample([7], using: &copy)
    #expect(value.array == again.array, "\(row.name)")
    #expect(random == copy, "\(row.name): draws of the stream")
    expectClose(
      density, distribution.logProbability(of: value), 1e-9, "density of \(row.name)'s draws")
  }

  @Test func numberOfDrawsIsFixed() {
    for row in smallRows + eventRows {
      func draws(_ shape: Shape) -> UInt64 {
        var random = RandomStream(seed: 1)
        _ = row.distribution.sample(shape, using: &random)
        return random.draw
      }
      #expect(draws([]) == draws([5, 3]), "\(row.name)")
      #expect(draws([]) == (row.name.hasPrefix("Mixture") ? 2 : 1), "\(row.name)")
    }
  }

  /// F(x(u)) = u across the series around logit 0 and both forms beyond it.
  @Test func continuousBernoulliInvertsItsDistributionFunction() {
    let sides = [1e-9, 1e-4, 0.0199, 0.0201, 0.1, 0.299, 0.301, 0.999, 1.001, 6, 20]
    for (dtype, tolerance) in [(DType.float64, 2e-14), (.float32, 1e-6)] {
      let logits = vector(sides + sides.map { -$0 }).converted(to: dtype)
      var random = RandomStream(seed: Self.seed)
      var copy = random
      let draws = ContinuousBernoulli(logits: logits, eventRank: 0)
        .reparameterizedSample([1000], using: &random).converted(to: .float64)
      let uniform = copy.uniformTensor([1000, logits.count], dtype).converted(to: .float64)
      let l = logits.converted(to: .float64)
      let back = expMinusOne(draws * l) / expMinusOne(l)
      // Rounding of x counts with the slope of F.
      let slope = l * exp(draws * l) / expMinusOne(l) + 1
      let error = (abs(back - uniform) / slope).max().item
      #expect(error < tolerance, "\(dtype): \(error)")
    }
  }

  @Test func impossibleClassesAreNeverDrawn() {
    let logits = Tensor([-Float.infinity, 0, -Float.infinity, -3], shape: [4])
    var random = RandomStream(seed: Self.seed)
    let draws = Set(Categorical(logits: logits).sample([100_000], using: &random).array.int32s)
    #expect(draws == [1, 3])
  }
}

/// Fails unless both agree relative to 1 + the larger magnitude.
func expectClose(_ found: Tensor, _ expected: Tensor, _ tolerance: Double, _ message: String) {
  #expect(found.shape == expected.shape, "\(message): \(found.shape), not \(expected.shape)")
  for (index, (a, b)) in zip(found.doubles, expected.doubles).enumerated() {
    let same = a == b || abs(a - b) <= tolerance * (1 + max(abs(a), abs(b)))
    #expect(same, "\(message), element \(index): \(a), expected \(b)")
  }
}
