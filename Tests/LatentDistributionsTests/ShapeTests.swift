// Batch, event and sample axes; masks; what is refused.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite struct DistributionShapeTests {
  @Test(arguments: smallRows + eventRows) func shapes(_ row: Row) {
    let distribution = row.distribution
    let full = distribution.batchShape + distribution.eventShape
    var random = RandomStream(seed: 1)
    #expect(distribution.mean.shape == full, "\(row.name): mean")
    #expect(distribution.mode.shape == full, "\(row.name): mode")
    #expect(distribution.entropy.map { $0.shape == distribution.batchShape } ?? true, "\(row.name)")
    #expect(
      (distribution as? any HasVariance).map { $0.variance.shape == full } ?? true, "\(row.name)")
    #expect(distribution.sample(using: &random).shape == full, "\(row.name)")
    for lead in [[], [3], [3, 2]] as [Shape] {
      let draws = distribution.sample(lead, using: &random)
      #expect(draws.shape == lead + full, "\(row.name): draws")
      #expect(
        distribution.logProbability(of: draws).shape == lead + distribution.batchShape,
        "\(row.name): densities")
    }
    #expect(distribution.dtype == .float64, "\(row.name)")
  }

  /// `[sample, batch, event]` gives what each sample gives alone; so does one value for all.
  @Test(arguments: smallRows + eventRows) func sampleAxes(_ row: Row) {
    let distribution = row.distribution
    var random = RandomStream(seed: 2)
    let draws = distribution.sample([3, 2], using: &random)
    let together = distribution.logProbability(of: draws)
    for i in 0..<3 {
      for j in 0..<2 {
        let alone = distribution.logProbability(of: draws.selecting(i).selecting(j))
        expectClose(together.selecting(i).selecting(j), alone, 1e-13, "\(row.name) \(i) \(j)")
      }
    }
    if distribution.batchShape.rank == 0 { return }
    let first = draws.selecting(0).selecting(0).selecting(0)
    let full = distribution.batchShape + distribution.eventShape
    expectClose(
      distribution.logProbability(of: first),
      distribution.logProbability(of: first.broadcast(to: full)), 1e-13, "\(row.name), one value")
  }

  /// Parameters with a sample axis (a decoder's, for K latent samples) and one value.
  @Test func parametersWithSampleAxis() {
    let logits = spread([4, 2, 3], scale: 3)
    let value = spread([2, 3], 2) .> 0
    let together = Bernoulli(logits: logits).logProbability(of: value)
    for sample in 0..<4 {
      let alone = Bernoulli(logits: logits.selecting(sample)).logProbability(of: value)
      expectClose(together.selecting(sample), alone, 1e-14, "sample \(sample)")
    }
  }

  static func expectFactorized(_ distribution: some FactorizedDistribution, _ row: Row) {
    let event = distribution.eventShape
    let elements = distribution.elementLogProbabilities(of: row.value)
    let axes = Array((elements.rank - event.rank)..<elements.rank)
    let sum = axes.isEmpty ? elements : elements.sum(axes: axes)
    expectClose(distribution.logProbability(of: row.value), sum, 1e-13, "\(row.name): sum")
    let mask = (spread(elements.shape, 9) .> 0).converted(to: .float64)
    let masked = elements * mask
    let expected = axes.isEmpty ? masked : masked.sum(axes: axes)
    expectClose(
      distribution.logProbability(of: row.value, mask: mask), expected, 1e-13, "\(row.name): mask")
  }

  @Test(arguments: smallRows + eventRows) func factorizedSumsAndMasks(_ row: Row) {
    guard let distribution = row.distribution as? any FactorizedDistribution else { return }
    Self.expectFactorized(distribution, row)
  }

  /// Missing entries marked by NaN reach neither the density nor a derivative.
  @Test(arguments: eventRows) func missingEntriesAreHarmless(_ row: Row) {
    guard row.distribution is any FactorizedDistribution, row.value.dtype.isFloatingPoint else {
      return
    }
    let mask = spread(row.value.shape, 9) .> 0
    let holes = Tensor.where(mask, row.value, .scalar(.nan, .float64))
    func density(_ parameters: [Tensor], _ value: Tensor) -> Tensor {
      guard let distribution = row.make(parameters) as? any FactorizedDistribution else {
        return .scalar(.nan, .float64)
      }
      return distribution.logProbability(of: value, mask: mask).sum()
    }
    let (value, gradients) = valueAndGradient(at: row.parameters) { density($0, holes) }
    let (expected, _) = valueAndGradient(at: row.parameters) { density($0, row.value) }
    #expect(value.item == expected.item, "\(row.name)")
    for gradient in gradients {
      #expect(gradient.array.nonFiniteCount == 0, "\(row.name): \(gradient)")
    }
  }

  /// What is not zero counts, whole, in a mask of any type, for values of any type.
  @Test func masksOfFractionsAndOtherTypes() {
    let labels = Categorical(logits: array([2, 3], [0, 1, 5, 2, 0, 1]))
    let values = classes([0, 1])
    let all = labels.elementLogProbabilities(of: values).doubles
    let normal = DiagonalNormal(mean: vector([0, 1]), logVariance: vector([0, 1]))
    let elements = normal.elementLogProbabilities(of: vector([2, 3])).doubles
    let masks: [(name: String, mask: Tensor, kept: [Double])] = [
      ("halves", vector([0.5, 0]), [1, 0]), ("tiny", vector([0, -1e-9]), [0, 1]),
      ("bytes", Tensor([0, 7] as [UInt8]), [0, 1]), ("integers", classes([1, 0]), [1, 0]),
      ("float32", Tensor([0.25, 0.5] as [Float]), [1, 1]),
    ]
    for row in masks {
      expectClose(
        labels.logProbability(of: values, mask: row.mask),
        vector(zip(all, row.kept).map { $0 * $1 }), 1e-15, "labels, \(row.name)")
      expectClose(
        normal.logProbability(of: vector([2, 3]), mask: row.mask),
        .scalar(zip(elements, row.kept).map { $0 * $1 }.reduce(0, +), .float64), 1e-15,
        "normal, \(row.name)")
    }
  }

  @Test func modesAreModes() {
    for row in smallRows + eventRows where !row.name.hasPrefix("Mixture") {
      let distribution = row.distribution
      var random = RandomStream(seed: 4)
      let best = distribution.logProbability(of: distribution.mode).broadcast(
        to: [500] + distribution.batchShape)
      let others = distribution.logProbability(of: distribution.sample([500], using: &random))
      #expect((others .> (best + 1e-9)).sum().item == 0, "\(row.name)")
    }
    let mixture = Mixture(
      logWeights: vector([0, 1]),
      components: DiagonalNormal(
        mean: vector([-9, 9]), logVariance: vector([-4, 0]), eventRank: 0))
    #expect(mixture.mode.item == -9)
    let responsibilities = exp(mixture.logResponsibilities(of: vector([-9, 9]))).doubles
    #expect(zip(responsibilities, [1, 0, 0, 1]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test func delta() {
    let value = spread([2, 3])
    let delta = Delta(value)
    var random = RandomStream(seed: 1)
    #expect(delta.mean.array == value.array)
    #expect(delta.sample([2], using: &random).shape == [2, 2, 3])
    let (draw, density) = delta.sampleAndLogProbability([2], using: &random)
    #expect(random == RandomStream(seed: 1), "a point takes no randomness")
    #expect(density.doubles == [0, 0, 0, 0])
    #expect(delta.logProbability(of: draw).array == density.array)
    #expect(delta.logProbability(of: draw + 1e-9).doubles.allSatisfy { $0 == -.infinity })
    let slope = gradient(at: value) {
      Delta($0).reparameterizedSample([3], using: &random).sum()
    }
    #expect(slope.doubles == [3, 3, 3, 3, 3, 3])
    #expect(Delta(classes([1, 2])).logProbability(of: classes([1, 2])).dtype == .float32)
    let bytes = Tensor([1, 2, 3, 4] as [UInt8], shape: [2, 2])
    let other = Tensor([1, 2, 3, 5] as [UInt8], shape: [2, 2])
    #expect(Delta(bytes).logProbability(of: other).floats == [0, -.infinity])
    #expect(Delta(bytes).sample([2], using: &random).dtype == .uint8)
    #expect(delta.entropy == nil)
  }

  @Test func standardDeviationInits() {
    let mean = spread([2, 3])
    let fixed = DiagonalNormal(mean: mean, standardDeviation: 0.25)
    let other = DiagonalNormal(mean: mean, logVariance: .scalar(-2.772_588_722_239_781, .float64))
    expectClose(
      fixed.standardDeviation, .init(repeating: 0.25, shape: [2, 3], .float64), 1e-15, "")
    expectClose(fixed.logProbability(of: mean + 1), other.logProbability(of: mean + 1), 1e-14, "")
    let standard = DiagonalNormal.standard(shape: [2, 3], dtype: .float64)
    let prior = StandardNormal(eventShape: [3], dtype: .float64)
    expectClose(standard.logProbability(of: mean), prior.logProbability(of: mean), 1e-15, "")
  }

  @Test func covarianceInit() throws {
    let triangle = array([2, 2, 2], [1, 0, -0.9, 0.5, 0.7, 0, 0.3, 0.8])
    let mean = spread([2, 2])
    let direct = FullCovarianceNormal(mean: mean, scaleTriangle: triangle)
    let fromCovariance = try FullCovarianceNormal(mean: mean, covariance: direct.covariance)
    expectClose(fromCovariance.scaleTriangle, triangle, 1e-14, "factor")
    let noisy =
      triangle + array([2, 2], [0, .infinity, 0, 0]).zerosLike
      + array([2, 2], [0, 7, 0, 0])
    expectClose(
      FullCovarianceNormal(mean: mean, scaleTriangle: noisy).scaleTriangle, triangle, 0,
      "upper half")
    #expect(throws: NumericsError.self) {
      try FullCovarianceNormal(mean: mean, covariance: -direct.covariance)
    }
  }

  @Test func valueThatOnlyBroadcastsIsRefused() async {
    await #expect(processExitsWith: .failure) {
      _ = DiagonalNormal.standard(shape: [2, 3]).logProbability(of: .zeros([2, 1]))
    }
    await #expect(processExitsWith: .failure) {
      _ = DiagonalNormal(mean: .zeros([2, 3]), logVariance: .zeros([4, 3]))
    }
    await #expect(processExitsWith: .failure) {
      let p = DiagonalNormal.standard(shape: [2, 3])
      _ = p.closedFormKL(to: StandardNormal(eventShape: [4]))
    }
    await #expect(processExitsWith: .failure) {
      _ = Mixture(logWeights: .zeros([3]), components: Bernoulli(logits: .zeros([4, 2])))
    }
  }
}
