// A million extreme parameters a distribution: values, derivatives, samples, entropies and
// divergences stay finite inside the support. And float32 agrees with float64.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

/// A distribution over a long vector of single numbers from parameters that reach far out.
struct Extreme: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let parameters: @Sendable (inout Wild) -> [Tensor]
  let value: @Sendable (inout Wild, [Tensor]) -> Tensor
  let make: @Sendable ([Tensor]) -> any FullDistribution
  /// What the divergence is asked to; nil: another setting of the same.
  var prior: (any FullDistribution)?
}

/// Numbers that crowd at 0, at the ends, and between.
struct Wild {
  var random: RandomStream
  let dtype: DType
  let count = 1_000_000

  /// Within `limit`; a tenth exactly at the ends, a tenth exactly 0, many magnitudes between.
  mutating func numbers(within limit: Double) -> Tensor {
    let u = random.uniformTensor([count], .float64) * 2 - 1
    let kind = random.uniformTensor([count], .float64)
    let magnitudes = pow(abs(u), 15) * sign(u)
    let middle = Tensor.where(kind .< 0.4, magnitudes, u)
    let withZeros = Tensor.where(kind .> 0.8, middle.zerosLike, middle)
    return (Tensor.where(kind .> 0.9, sign(u), withZeros) * limit).converted(to: dtype)
  }

  /// In [0, 1], a quarter at each end.
  mutating func fractions() -> Tensor {
    (random.uniformTensor([count], dtype) * 2 - 0.5).clamped(to: 0...1)
  }
}

let extremes: [Extreme] = [
  Extreme(testDescription: "DiagonalNormal") {
    [$0.numbers(within: 1e4), $0.numbers(within: 30)]
  } value: { wild, _ in
    wild.numbers(within: 1e4)
  } make: {
    DiagonalNormal(mean: $0[0], logVariance: $0[1], eventRank: 0)
  },
  Extreme(testDescription: "Laplace") {
    [$0.numbers(within: 1e4), $0.numbers(within: 30)]
  } value: { wild, _ in
    wild.numbers(within: 1e4)
  } make: {
    Laplace(mean: $0[0], logScale: $0[1], eventRank: 0)
  },
  Extreme(testDescription: "Bernoulli") {
    [$0.numbers(within: 1e4)]
  } value: { wild, _ in
    wild.fractions()
  } make: {
    Bernoulli(logits: $0[0], eventRank: 0)
  },
  Extreme(testDescription: "Bernoulli, fused") {
    [$0.numbers(within: 1e4)]
  } value: { wild, _ in
    wild.fractions().reshaped([-1, 10])
  } make: {
    Bernoulli(logits: $0[0].reshaped([-1, 10]))
  },
  Extreme(testDescription: "ContinuousBernoulli") {
    [$0.numbers(within: 1e4)]
  } value: { wild, _ in
    wild.fractions()
  } make: {
    ContinuousBernoulli(logits: $0[0], eventRank: 0)
  },
  Extreme(testDescription: "Categorical") {
    [$0.numbers(within: 1e4)]
  } value: { wild, _ in
    (wild.random.uniformTensor([wild.count / 10], .float64) * 10).converted(to: .int32)
  } make: {
    Categorical(logits: $0[0].reshaped([-1, 10]))
  },
  Extreme(testDescription: "Uniform") { wild in
    let low = wild.numbers(within: 1e4)
    return [low, low + exp(wild.numbers(within: 10)) + 1]
  } value: { wild, p in
    let u = wild.fractions()
    return minimum(p[0] + (p[1] - p[0]) * u, p[1])
  } make: {
    Uniform(low: $0[0], high: $0[1], eventRank: 0)
  },
  Extreme(testDescription: "FullCovarianceNormal") {
    // Derivatives grow with the fourth power of 1 / scale: e^-10 is what float32 can hold.
    [$0.numbers(within: 1e3), $0.numbers(within: 10)]
  } value: { wild, _ in
    wild.numbers(within: 1e3).sliced(0, 0..<400_000).reshaped([-1, 2])
  } make: { p in
    // Off-diagonal elements up to 1: the factor's condition is the diagonal's alone.
    let raw = p[1].sliced(0, 0..<600_000).reshaped([-1, 3])
    let parts = raw.split(into: 3, axis: -1)
    let bounded = Tensor.concatenate([parts[0], tanh(parts[1]), parts[2]], axis: -1)
    return FullCovarianceNormal(
      mean: p[0].sliced(0, 0..<400_000).reshaped([-1, 2]), unconstrained: bounded)
  },
  Extreme(testDescription: "Mixture of normals") {
    [$0.numbers(within: 1e4), $0.numbers(within: 1e4), $0.numbers(within: 30)]
  } value: { wild, _ in
    wild.numbers(within: 1e4).sliced(0, 0..<100_000)
  } make: { p in
    let shape: Shape = [100_000, 10]
    return Mixture(
      logWeights: p[0].reshaped(shape),
      components: DiagonalNormal(
        mean: p[1].reshaped(shape), logVariance: p[2].reshaped(shape), eventRank: 0))
  },
]

@Suite(.serialized) struct ExtremeTests {
  static func expectFinite(_ x: Tensor, _ message: String) {
    let bad = x.array.nonFiniteCount
    #expect(bad == 0, "\(message): \(bad) of \(x.count) are not finite")
  }

  static func check(_ extreme: Extreme, _ dtype: DType) {
    var wild = Wild(random: RandomStream(seed: 99), dtype: dtype)
    let name = "\(extreme.testDescription), \(dtype), seed 99"
    let parameters = extreme.parameters(&wild)
    let value = extreme.value(&wild, parameters)
    let (_, gradients) = valueAndGradient(at: parameters) { parameters in
      let density = extreme.make(parameters).logProbability(of: value)
      expectFinite(density, "density of \(name)")
      return density.mean()
    }
    for gradient in gradients { expectFinite(gradient, "gradient of the density of \(name)") }

    let other = extreme.make(extreme.parameters(&wild))
    let (_, rest) = valueAndGradient(at: parameters) { parameters in
      let distribution = extreme.make(parameters)
      var total = distribution.mean.mean()
      if let sampled = distribution as? any ReparameterizedDistribution {
        let sample = sampled.reparameterizedSample([], using: &wild.random)
        expectFinite(sample, "sample of \(name)")
        total += sample.mean()
      }
      if let entropy = distribution.entropy {
        expectFinite(entropy, "entropy of \(name)")
        total += entropy.mean()
      }
      if extreme.testDescription != "Uniform", let kl = distribution.closedFormKL(to: other) {
        let least = kl.min().item
        #expect(least >= -1e-6, "KL of \(name): \(least)")
        if kl.array.nonFiniteCount > 0 { expectNoNaN(kl, "KL of \(name)") }
        total += Tensor.where(isFinite(kl), kl, kl.zerosLike).mean()
      }
      return total
    }
    for gradient in rest {
      expectNoNaN(gradient, "gradient of sample, entropy and KL of \(name)")
    }
    expectFinite(
      other.logProbability(of: other.sample([], using: &wild.random)), "samples of \(name)")
  }

  static func expectNoNaN(_ x: Tensor, _ message: String) {
    let bad = (x .!= x).sum().item
    #expect(bad == 0, "\(message): \(bad) of \(x.count) are NaN")
  }

  @Test(arguments: extremes, [DType.float32, .float64])
  func staysFinite(_ extreme: Extreme, _ dtype: DType) {
    Self.check(extreme, dtype)
  }

  @Test(arguments: smallRows + eventRows) func float32AgreesWithFloat64(_ row: Row) {
    if row.name == "Uniform" { return }  // 1e6 to 1.001e6: float32 has 7 digits
    let wide = row.distribution
    let narrow = row.make(row.parameters.map { $0.converted(to: .float32) })
    let value = row.value.dtype == .int32 ? row.value : row.value.converted(to: .float32)
    if row.parameters.isEmpty { return }  // fixed to float64 in the table
    expectClose(
      narrow.logProbability(of: value).converted(to: .float64), wide.logProbability(of: row.value),
      3e-6, "density of \(row.name)")
    expectClose(narrow.mean.converted(to: .float64), wide.mean, 1e-6, "mean of \(row.name)")
    if let entropy = wide.entropy {
      expectClose(
        narrow.entropy?.converted(to: .float64) ?? .zeros([]), entropy, 3e-6,
        "entropy of \(row.name)")
    }
  }
}
