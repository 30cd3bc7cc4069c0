// The aggregate posterior: known limits, the identity of its parts, and every number again by loops over pairs.

import Foundation
import Latent
import Testing

/// A normal that nobody knows to be one: what any posterior that is a product of elements can do.
struct Anonymous: FactorizedDistribution, DistributionWithMean {
  let base: DiagonalNormal
  var batchShape: Shape { base.batchShape }
  var eventShape: Shape { base.eventShape }
  var dtype: DType { base.dtype }
  var mean: Tensor { base.mean }
  var mode: Tensor { base.mode }
  func elementLogProbabilities(of value: Tensor) -> Tensor {
    base.elementLogProbabilities(of: value)
  }
  func sample(_ sampleShape: Shape, using random: inout RandomStream) -> Tensor {
    base.sample(sampleShape, using: &random)
  }
}

@Suite struct AggregateTests {
  static func normal(_ mean: [Double], _ logVariance: [Double], latents: Int) -> DiagonalNormal {
    let shape: Shape = [mean.count / latents, latents]
    return DiagonalNormal(
      mean: Tensor(mean, shape: shape), logVariance: Tensor(logVariance, shape: shape))
  }

  /// Of 13 examples in batches of 5, 5 and 3, two latents that depend on each other over the data.
  static let batches: [DiagonalNormal] = [0..<5, 5..<10, 10..<13].map { range in
    var (mean, logVariance): ([Double], [Double]) = ([], [])
    for index in range.map(Double.init) {
      mean += [1.5 * sin(index), sin(index) + 0.3 * cos(3 * index)]
      logVariance += [0.1 * index - 1, -2 - 0.05 * index]
    }
    return normal(mean, logVariance, latents: 2)
  }

  static let prior = StandardNormal(eventShape: [2], dtype: .float64)

  static func parts(
    _ posteriors: [any Distribution], prior: any Distribution = prior, seed: UInt64 = 1
  ) -> AggregateDivergences {
    var random = RandomStream(seed: seed)
    return EncodedData(posteriors).aggregateDivergences(from: prior, using: &random)
  }

  static func mean(_ part: Measured<[Double]>) -> Double {
    let values = part.value ?? []
    return values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
  }

  @Test("Posteriors that do not meet tell all of log n, identical ones nothing")
  func limits() {
    for count in [1, 2, 50] {
      let apart = Self.normal(
        (0..<count).flatMap { [Double($0) * 1000, 0] },
        Array(repeating: 0, count: 2 * count), latents: 2)
      let far = Self.parts([apart])
      #expect(abs(Self.mean(far.information) - log(Double(count))) < 1e-9)
      #expect(far.ceiling == log(Double(count)))
      let same = Self.normal(
        Array(repeating: 0.7, count: 2 * count), Array(repeating: -1, count: 2 * count),
        latents: 2)
      let near = Self.parts([same])
      #expect(abs(Self.mean(near.information)) < 1e-12)
      #expect(abs(Self.mean(near.correlation)) < 1e-12)
    }
    let standard = Self.normal(
      Array(repeating: 0, count: 40), Array(repeating: 0, count: 40), latents: 2)
    let none = Self.parts([standard])
    for part in [none.divergence, none.aggregate, none.marginal] {
      #expect((part.value ?? [1]).allSatisfy { abs($0) < 1e-12 })
    }
  }

  @Test("The parts add up to the divergence, for each draw")
  func identity() {
    for posteriors in [
      Self.batches, Self.batches.map { Anonymous(base: $0) },
    ] as [[any Distribution]] {
      let parts = Self.parts(posteriors)
      let whole = parts.divergence.value ?? []
      #expect(whole.count == 13 && parts.missing.isEmpty)
      for index in whole.indices {
        let sum =
          (parts.information.value?[index] ?? .nan) + (parts.correlation.value?[index] ?? .nan)
          + (parts.marginal.value?[index] ?? .nan)
        #expect(abs(sum - whole[index]) < 1e-12)
      }
      let marginals = (parts.dimensions.value ?? []).reduce(0, +)
      #expect(abs(marginals - Self.mean(parts.marginal)) < 1e-12)
      let outer = Self.mean(parts.divergence) - Self.mean(parts.information)
      #expect(abs(outer - Self.mean(parts.aggregate)) < 1e-12)
    }
  }

  @Test("Every number again by loops over pairs")
  func loops() {
    var random = RandomStream(seed: 1)
    let codes = Self.batches.flatMap {
      $0.sampleAndLogProbability(using: &random).value.doubles
    }
    let means = Self.batches.flatMap { $0.mean.doubles }
    let logVariances = Self.batches.flatMap { $0.logVariance.doubles }
    func element(_ z: Double, _ index: Int) -> Double {
      let distance = z - means[index]
      return -0.5
        * (distance * distance * exp(-logVariances[index]) + logVariances[index] + log(2 * .pi))
    }
    let parts = Self.parts(Self.batches)
    for i in 0..<13 {
      let pairs = (0..<13).map { j in (0..<2).map { element(codes[2 * i + $0], 2 * j + $0) } }
      let joint = log(pairs.reduce(0) { $0 + exp($1[0] + $1[1]) } / 13)
      let marginals = (0..<2).reduce(0) { sum, d in
        sum + log(pairs.reduce(0) { $0 + exp($1[d]) } / 13)
      }
      let own = pairs[i][0] + pairs[i][1]
      #expect(abs((parts.information.value?[i] ?? .nan) - (own - joint)) < 1e-11)
      #expect(abs((parts.correlation.value?[i] ?? .nan) - (joint - marginals)) < 1e-11)
    }
  }

  @Test("Any product of elements has the numbers of the normals that it is")
  func anonymous() {
    let (known, found) = (
      Self.parts(Self.batches), Self.parts(Self.batches.map { Anonymous(base: $0) })
    )
    for (a, b) in [
      (known.divergence, found.divergence), (known.information, found.information),
      (known.correlation, found.correlation), (known.marginal, found.marginal),
      (known.dimensions, found.dimensions),
    ] {
      for (a, b) in zip(a.value ?? [.nan], b.value ?? [.nan]) { #expect(abs(a - b) < 1e-11) }
    }
  }

  @Test("What cannot be measured is said")
  func missing() throws {
    // Neither marginals of dependent latents ...
    let dependent = try FullCovarianceNormal(
      mean: Tensor([0, 1, 2, 3] as [Double], shape: [2, 2]),
      covariance: Tensor([1, 0.5, 0.5, 1, 1, 0, 0, 2] as [Double], shape: [2, 2, 2]))
    let full = Self.parts([dependent])
    #expect(full.information.value?.count == 2 && full.aggregate.value?.count == 2)
    #expect(full.missing == [.dependentPosterior("FullCovarianceNormal")])
    // ... nor densities of other examples' draws ...
    let own = Self.parts(Self.batches.map { OwnDraws(base: $0) })
    #expect(own.divergence.value?.count == 13)
    #expect(own.missing == [.posteriorOfOwnDraws("OwnDraws")])
    #expect(own.missing[0].description.contains("the density of its own draws only"))
    // ... nor divergences from priors that are no products, or have no density ...
    let mixture = Mixture(
      logWeights: .zeros([13], .float64),
      components: Self.normal(
        Self.batches.flatMap { $0.mean.doubles }, Self.batches.flatMap { $0.logVariance.doubles },
        latents: 2))
    let mixed = Self.parts(Self.batches, prior: mixture)
    #expect(mixed.missing == [.dependentPrior("Mixture<DiagonalNormal>")])
    #expect(abs(Self.mean(mixed.aggregate)) < 1e-12, "the prior is the aggregate posterior")
    let drawn = Self.parts(
      Self.batches, prior: OwnDraws(base: .standard(shape: [2], dtype: .float64)))
    #expect(drawn.missing == [.priorOfOwnDraws("OwnDraws")])
    #expect(drawn.correlation.value?.count == 13)
    // ... nor anything of points, or of nothing.
    let point = Delta(Tensor([1, 2] as [Double], shape: [1, 2]))
    #expect(Self.parts([point]).missing == [.pointPosterior("Delta")])
    #expect(Self.parts([]).missing == [.noExamples])
  }

  @Test("The information is below its ceiling, and the aggregate divergence not below 0")
  func bounds() {
    var random = RandomStream(seed: 8)
    let q = DiagonalNormal(
      mean: random.normalTensor([400, 3], .float64) * 0.8,
      logVariance: random.normalTensor([400, 3], .float64) - 1)
    let parts = Self.parts([q], prior: StandardNormal(eventShape: [3], dtype: .float64))
    #expect(Self.mean(parts.information) < parts.ceiling)
    let aggregate = meanAndItsError(parts.aggregate.value ?? [])
    #expect(aggregate.mean > -4 * aggregate.error)
    let found = parts.measurements
    #expect(
      found.map(\.metric.name)
        == ["index-information", "total-correlation", "marginal-kl", "aggregate-kl"]
        + Array(repeating: "marginal-kl", count: 3))
    #expect(found[0].ceiling == log(400))
  }

  @Test("Units of a linear encoder are active by a^2 Var(x)")
  func activeUnits() throws {
    let x = (0..<50).map { Double($0 * 7 % 50) / 10 }
    let (mean, error) = meanAndItsError(x)
    let variance = error * error * 50
    #expect(abs(mean - 2.45) < 1e-12)
    let slopes = [2, 0.05, 0, -1]
    func encoded(_ range: Range<Int>) -> DiagonalNormal {
      Self.normal(
        range.flatMap { index in slopes.map { $0 * x[index] + 3 } },
        Array(repeating: 0, count: 4 * range.count), latents: 4)
    }
    let units = try EncodedData([encoded(0..<20), encoded(20..<50)]).activeUnits.get()
    for (found, slope) in zip(units.variances, slopes) {
      #expect(abs(found - slope * slope * variance) < 1e-12)
    }
    #expect(units.count == 2 && units.examples == 50, "0.05 squared times 2.125 is below 0.01")
    #expect(units.measurements[0].value == 2 && units.measurements[0].ceiling == 4)
    #expect(
      EncodedData([OwnDraws(base: encoded(0..<5))]).activeUnits == .missing(.noPoint("OwnDraws")))
    #expect(EncodedData().activeUnits == .missing(.noExamples))
  }
}
