// Closed-form divergences: against Monte Carlo with 10^6 draws, exactly 0 for equal
// distributions, never negative, precise for near-equal ones.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

struct KLPair: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let parameters: [Tensor]
  let p: @Sendable ([Tensor]) -> any FullDistribution
  let q: @Sendable ([Tensor]) -> any FullDistribution
}

private let triangles = array(
  [2, 2, 2], [1, 0, -0.9, 0.5, 0.7, 0, 0.3, 0.8])

let klPairs: [KLPair] = [
  KLPair(
    testDescription: "DiagonalNormal || DiagonalNormal",
    parameters: [spread([2, 3]), spread([2, 3], 2), spread([3], 3), spread([2, 1], 4)],
    p: { DiagonalNormal(mean: $0[0], logVariance: $0[1]) },
    q: { DiagonalNormal(mean: $0[2], logVariance: $0[3]) }),
  KLPair(
    testDescription: "DiagonalNormal, event rank 2 || StandardNormal",
    parameters: [spread([2, 3, 1]), spread([], 2)],
    p: { DiagonalNormal(mean: $0[0], logVariance: $0[1], eventRank: 2) },
    q: { _ in StandardNormal(eventShape: [3, 1], dtype: .float64) }),
  KLPair(
    testDescription: "DiagonalNormal, event rank 0 || StandardNormal",
    parameters: [vector([0.3, -1]), vector([-2, 0.5])],
    p: { DiagonalNormal(mean: $0[0], logVariance: $0[1], eventRank: 0) },
    q: { _ in StandardNormal(eventShape: [], dtype: .float64) }),
  KLPair(
    testDescription: "StandardNormal || DiagonalNormal",
    parameters: [spread([2, 3]), spread([2, 3], 2)],
    p: { _ in StandardNormal(eventShape: [3], batchShape: [2], dtype: .float64) },
    q: { DiagonalNormal(mean: $0[0], logVariance: $0[1]) }),
  KLPair(
    testDescription: "FullCovarianceNormal || FullCovarianceNormal",
    parameters: [spread([2, 2]), triangles, spread([2], 4), spread([3], 3)],
    p: { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
    q: { FullCovarianceNormal(mean: $0[2], unconstrained: $0[3]) }),
  KLPair(
    testDescription: "FullCovarianceNormal || DiagonalNormal",
    parameters: [spread([2, 2]), triangles, spread([2], 4), spread([2], 3)],
    p: { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
    q: { DiagonalNormal(mean: $0[2], logVariance: $0[3]) }),
  KLPair(
    testDescription: "FullCovarianceNormal || StandardNormal",
    parameters: [spread([2, 2]), triangles],
    p: { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) },
    q: { _ in StandardNormal(eventShape: [2], dtype: .float64) }),
  KLPair(
    testDescription: "DiagonalNormal || FullCovarianceNormal",
    parameters: [spread([2, 2], 4), spread([2], 3), spread([2, 2]), triangles],
    p: { DiagonalNormal(mean: $0[0], logVariance: $0[1]) },
    q: { FullCovarianceNormal(mean: $0[2], scaleTriangle: $0[3]) }),
  KLPair(
    testDescription: "StandardNormal || FullCovarianceNormal",
    parameters: [spread([2, 2]), triangles],
    p: { _ in StandardNormal(eventShape: [2], batchShape: [2], dtype: .float64) },
    q: { FullCovarianceNormal(mean: $0[0], scaleTriangle: $0[1]) }),
  KLPair(
    testDescription: "Bernoulli || Bernoulli",
    parameters: [
      array([2, 3], [-6, 0.2, 3, 4, -1, 0]), array([2, 3], [-5.5, 1.4, -1, 3, -0.9, 2]),
    ],
    p: { Bernoulli(logits: $0[0]) }, q: { Bernoulli(logits: $0[1]) }),
  KLPair(
    testDescription: "ContinuousBernoulli || ContinuousBernoulli",
    parameters: [
      array([2, 4], [-6, 0.2, 3, 0, 4, -1, 0.01, 1e-3]),
      array([2, 4], [-5.95, 1.4, -1, 0, 3, -0.9, 2, -0.05]),
    ],
    p: { ContinuousBernoulli(logits: $0[0]) }, q: { ContinuousBernoulli(logits: $0[1]) }),
  KLPair(
    testDescription: "Categorical || Categorical",
    parameters: [spread([2, 3, 4], scale: 2), spread([3, 4], scale: 2, 2)],
    p: { Categorical(logits: $0[0], eventRank: 1) },
    q: { Categorical(logits: $0[1], eventRank: 1) }),
  KLPair(
    testDescription: "Laplace || Laplace",
    parameters: [
      array([2, 3], [0.3, -1, 2, 5, 0, 0.1]), array([2, 3], [0, -0.5, 1, -2, 2, 0.4]),
      array([3], [0.2, 0.5, 2.1]), array([2, 1], [0.3, -1]),
    ],
    p: { Laplace(mean: $0[0], logScale: $0[1]) }, q: { Laplace(mean: $0[2], logScale: $0[3]) }),
  KLPair(
    testDescription: "Uniform || Uniform",
    parameters: [spread([2, 3]) - 2, spread([3], 2) + 2, vector([-4]), spread([2, 1], 5) + 5],
    p: { Uniform(low: $0[0], high: $0[1]) },
    q: { Uniform(low: $0[2] + vector([0, 0, 0]), high: $0[3]) }),
]

@Suite(.serialized) struct KLTests {
  static func closedForm(_ p: any FullDistribution, _ q: any FullDistribution) -> Tensor? {
    p.closedFormKL(to: q) ?? q.closedFormKL(from: p)
  }

  /// log p - log q of a million draws of p.
  static func expectMonteCarlo(
    _ p: some FullDistribution, _ q: some FullDistribution, _ exact: Tensor, _ name: String
  ) {
    var random = RandomStream(seed: 31).split(name)
    let ratios = (0..<10).map { _ in
      let (draws, density) = p.sampleAndLogProbability([100_000], using: &random)
      return density - q.logProbability(of: draws)
    }
    expectMean(Tensor.concatenate(ratios, axis: 0), is: exact, "KL \(name), seed 31")
  }

  @Test(arguments: klPairs) func agreesWithMonteCarlo(_ pair: KLPair) throws {
    let (p, q) = (pair.p(pair.parameters), pair.q(pair.parameters))
    let exact = try #require(Self.closedForm(p, q))
    #expect(exact.shape == p.batchShape.broadcast(with: q.batchShape))
    #expect(exact.doubles.allSatisfy { $0 >= 0 }, "\(pair.testDescription): \(exact)")
    Self.expectMonteCarlo(p, q, exact, pair.testDescription)
  }

  @Test(arguments: klPairs) func gradient(_ pair: KLPair) throws {
    let error = gradientError(at: pair.parameters) { parameters in
      Self.closedForm(pair.p(parameters), pair.q(parameters)) ?? Tensor.scalar(.nan, .float64)
    }
    #expect(error < 1e-6, "\(pair.testDescription): \(error)")
  }

  @Test(arguments: smallRows + eventRows) func selfDivergenceIsExactlyZero(_ row: Row) throws {
    let p = row.distribution
    guard let zero = Self.closedForm(p, row.distribution) else {
      #expect(row.name.hasPrefix("Mixture"), "\(row.name) has no closed form with itself")
      return
    }
    #expect(zero.shape == p.batchShape, "\(row.name)")
    #expect(zero.doubles.allSatisfy { $0 == 0 }, "\(row.name): \(zero)")
  }

  /// For parameters moved by h the divergence is h^2 times half the Fisher information; the
  /// subtraction of logarithms would leave rounding of order 1e-16 / 1e-12 = 1e-4.
  @Test func nearEqualOnesDoNotCancel() throws {
    let h = 1e-6
    let cases: [(String, any FullDistribution, any FullDistribution, fisher: Double)] = [
      ("DiagonalNormal, mean", normal(5, 3), normal(5 + h, 3), Double.exp(-3)),
      ("DiagonalNormal, variance", normal(5, 3), normal(5, 3 + h), 0.5),
      ("Bernoulli", bernoulli(3), bernoulli(3 + h), 0.045_176_659_730_912_14),
      ("Bernoulli", bernoulli(-30), bernoulli(-30 + h), 9.357_622_968_839_299e-14),
      ("ContinuousBernoulli", continuous(0), continuous(h), 1.0 / 12),
      ("ContinuousBernoulli", continuous(5), continuous(5 + h), 0.033_170_327_119_807_94),
      (
        "Categorical", Categorical(logits: vector([3, 0])),
        Categorical(logits: vector([3 + h, 0])),
        0.045_176_659_730_912_14
      ),
      ("Laplace, scale", laplace(5, 1), laplace(5, 1 + h), 1),
      ("Laplace, mean", laplace(0, 1), laplace(h, 1), Double.exp(-2)),
    ]
    for (name, p, q, fisher) in cases {
      let found = try #require(p.closedFormKL(to: q)).item
      let expected = h * h * fisher / 2
      #expect(abs(found / expected - 1) < 1e-5, "\(name): \(found), expected \(expected)")
    }
  }

  private func normal(_ mean: Double, _ logVariance: Double) -> DiagonalNormal {
    DiagonalNormal(
      mean: .scalar(mean, .float64), logVariance: .scalar(logVariance, .float64), eventRank: 0)
  }
  private func bernoulli(_ l: Double) -> Bernoulli {
    Bernoulli(logits: .scalar(l, .float64), eventRank: 0)
  }
  private func continuous(_ l: Double) -> ContinuousBernoulli {
    ContinuousBernoulli(logits: .scalar(l, .float64), eventRank: 0)
  }
  private func laplace(_ mean: Double, _ logScale: Double) -> Laplace {
    Laplace(mean: .scalar(mean, .float64), logScale: .scalar(logScale, .float64), eventRank: 0)
  }

  @Test func infiniteWhereTheSupportIsNotContained() {
    let p = Uniform(low: vector([0, 0]), high: vector([1, 3]), eventRank: 0)
    let q = Uniform(low: vector([0]), high: vector([2]), eventRank: 0)
    #expect(p.closedFormKL(to: q)?.doubles == [0.693_147_180_559_945_3, .infinity])
    let some = Categorical(logits: vector([0, 0, -.infinity]))
    let fewer = Categorical(logits: vector([0, -.infinity, -.infinity]))
    #expect(some.closedFormKL(to: fewer)?.item == .infinity)
    #expect(some.closedFormKL(to: some)?.item == 0)
    #expect(fewer.closedFormKL(to: some)?.item == 0.693_147_180_559_945_3)
  }

  @Test func fallBackIsReported() {
    var random = RandomStream(seed: 3)
    let p = laplace(0.3, -0.2)
    let q = normal(0.1, 0.4)
    let estimate = klDivergence(from: p, to: q, samples: 4096, using: &random)
    #expect(estimate.method == .monteCarlo(samples: 4096))
    #expect(klDivergence(from: q, to: q, using: &random).method == .closedForm)
    // One p for three q: the sample axis does not meet the batch of q.
    let several = Laplace(mean: vector([0, 1, 2]), logScale: vector([0]), eventRank: 0)
    let three = klDivergence(from: q, to: several, samples: 100_000, using: &random).value
    #expect(three.shape == [3])
    for (index, value) in three.doubles.enumerated() {
      let alone = klDivergence(
        from: q, to: laplace(Double(index), 0), samples: 100_000, using: &random)
      #expect(abs(alone.value.item - value) < 0.02, "\(index): \(value)")
    }
    #expect(Delta(vector([1])).closedFormKL(to: q) == nil)
  }
}

extension Double {
  fileprivate static func exp(_ x: Double) -> Double {
    LatentAutodiff.exp(Tensor.scalar(x, .float64)).item
  }
}
