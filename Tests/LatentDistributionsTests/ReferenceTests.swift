// Values computed with independent implementations, to 1e-12 relative in float64. The expression
// that gave each is beside it: SciPy 1.17, PyTorch 2.15 (float64), and mpmath 1.3 with 40 digits
// where those two lose precision themselves.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

struct Reference: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let found: Tensor?
  let expected: [Double]

  init(_ name: String, _ found: Tensor?, _ expected: [Double]) {
    testDescription = name
    self.found = found
    self.expected = expected
  }
}

private let normal = DiagonalNormal(
  mean: vector([0.3, -1.2, 2.5]), logVariance: vector([-2, 0.5, 3]))
private let otherNormal = DiagonalNormal(
  mean: vector([1, -1, 0]), logVariance: vector([0.5, 0.5, -1]))
private let continuous = ContinuousBernoulli(
  logits: vector([-40, -3, -0.4, -1e-9, 0.3, 0.6, 2, 500]), eventRank: 0)
private let labels = Categorical(logits: array([2, 4], [0.5, -1, 2, 0, 3, 3, -4, 1]))
private let otherLabels = Categorical(logits: array([2, 4], [0, 1, -1, 0.3, 2.9, 3.1, -4, 1]))
private let laplace = Laplace(mean: vector([0.3, -1.2, 2.5]), logScale: vector([-2, 0.5, 1.5]))
private let otherLaplace = Laplace(mean: vector([0.4, -1, -2]), logScale: vector([-1.9, 0, 2]))
private let uniform = Uniform(low: vector([-1, 2]), high: vector([3, 2.5]))
private let full = FullCovarianceNormal(
  mean: vector([0.3, -1.2, 2.5]),
  scaleTriangle: array([3, 3], [1.5, 0, 0, -0.9, 0.5, 0, 0.2, 0.3, 2]))
private let otherFull = FullCovarianceNormal(
  mean: vector([1, -1, 0]), scaleTriangle: array([3, 3], [1, 0, 0, 0.4, 0.8, 0, -0.1, 0.6, 1.2]))
private let mixture = Mixture(
  logWeights: vector([0.5, -1, 0.2]),
  components: DiagonalNormal(
    mean: vector([-2, 0, 3]), logVariance: vector([-1, 0, 2]), eventRank: 0))
private let prior = StandardNormal(eventShape: [3], dtype: .float64)

let references: [Reference] = [
  // scipy.stats.norm.logpdf([.1, .4, -7], [.3, -1.2, 2.5], exp([-1, .25, 1.5])).sum()
  Reference(
    "normal: log-probability",
    normal.logProbability(of: vector([0.1, 0.4, -7])),
    [-6.677_597_426_124_662]),
  // scipy.stats.norm.entropy(0, exp([-1, .25, 1.5])).sum()
  Reference(
    "normal: entropy",
    normal.entropy,
    [5.006_815_599_614_018_5]),
  // torch kl_divergence(Normal(m, s), Normal(0, 1)).sum()
  Reference(
    "normal: KL",
    normal.closedFormKL(to: prior),
    [12.574_796_738_562_203]),
  // torch kl_divergence(Normal(m, s), Normal([1, -1, 0], exp([.25, .25, -.5]))).sum()
  Reference(
    "normal: KL",
    normal.closedFormKL(to: otherNormal),
    [34.245_478_854_642_43]),
  // scipy.stats.norm.logpdf([.1, .4, -7]).sum()
  Reference(
    "standard normal: log-probability",
    prior.logProbability(of: vector([0.1, 0.4, -7])),
    [-27.341_815_599_614_02]),
  // torch Bernoulli(logits=[-2.5, .3, 4]).log_prob([1, 0, 1]).sum()
  Reference(
    "Bernoulli: log-probability",
    Bernoulli(logits: vector([-2.5, 0.3, 4])).logProbability(of: vector([1, 0, 1])),
    [-3.451_394_906_678_886_7]),
  // mpmath -log1p(exp(-40)) - log1p(exp(-36))
  Reference(
    "Bernoulli: log-probability",
    Bernoulli(logits: vector([40, -36])).logProbability(of: vector([1, 0])),
    [-2.362_006_372_796_485e-16]),
  // -torch binary_cross_entropy_with_logits([-2.5, .3, 4], [.2, .5, .9], reduction="sum")
  Reference(
    "Bernoulli, soft: log-probability",
    Bernoulli(logits: vector([-2.5, 0.3, 4])).logProbability(of: vector([0.2, 0.5, 0.9])),
    [-1.701_394_906_678_886_5]),
  // scipy.stats.bernoulli.entropy(expit([-2.5, .3, 4])).sum()
  Reference(
    "Bernoulli: entropy",
    Bernoulli(logits: vector([-2.5, 0.3, 4])).entropy,
    [1.040_652_441_536_863_9]),
  // mpmath sum p log(p/q) + (1-p) log((1-p)/(1-q))
  Reference(
    "Bernoulli: KL",
    Bernoulli(logits: vector([-2.5, 0.3, 20])).closedFormKL(
      to: Bernoulli(logits: vector([1, 0.2, 25]))),
    [0.970_096_208_004_053_8]),
  // the same of 20 and 25
  Reference(
    "Bernoulli: KL",
    Bernoulli(logits: vector([20])).closedFormKL(to: Bernoulli(logits: vector([25]))),
    [8.258_502_414_501_505e-09]),
  // mpmath x l - log(expm1(l) / l)
  Reference(
    "continuous Bernoulli: log-probability",
    continuous.logProbability(of: vector([0.1, 0.4, 0.7, 0.2, 0.9, 0.5, 0.8, 0.999])),
    [
      -0.311_120_545_886_063_7, -0.050_318_530_389_188_72, -0.086_657_800_285_226_99,
      2.999_999_999_583_333e-10, 0.116_252_808_488_910_69, -0.014_955_255_419_671_123,
      0.438_560_638_428_804_4, 5.714_608_098_422_191,
    ]),
  // mpmath 1 / (1 - exp(-l)) - 1 / l
  Reference(
    "continuous Bernoulli: mean",
    continuous.mean,
    [
      0.024_999_999_999_999_994, 0.280_937_636_842_077_4, 0.466_755_218_280_263_6,
      0.499_999_999_916_666_66, 0.524_962_580_176_749_2, 0.549_702_548_494_204_1,
      0.656_517_642_749_665_6, 0.998,
    ]),
  // mpmath 1 / l^2 - 1 / (2 sinh(l / 2))^2
  Reference(
    "continuous Bernoulli: variance",
    continuous.variance,
    [
      0.000_624_999_999_999_995_8, 0.055_970_105_609_051_35, 0.082_670_875_889_725_3,
      0.083_333_333_333_333_33, 0.082_959_668_412_590_9, 0.081_854_495_025_834_2,
      0.068_984_584_758_422_38, 4e-06,
    ]),
  // mpmath log(expm1(l) / l) - l mean
  Reference(
    "continuous Bernoulli: entropy",
    continuous.entropy,
    [
      -2.688_879_454_113_936_7, -0.306_868_559_084_579_1, -0.006_640_112_402_667_552,
      -4.166_666_666_666_667e-20, -0.003_741_582_541_935_467_7, -0.014_866_273_676_851_354,
      -0.151_595_923_928_135_67, -5.214_608_098_422_191,
    ]),
  // torch ContinuousBernoulli(logits=[-2.5, .3, 4]).log_prob([.2, .5, .9]).sum()
  Reference(
    "continuous Bernoulli: log-probability",
    ContinuousBernoulli(logits: vector([-2.5, 0.3, 4])).logProbability(
      of: vector([0.2, 0.5, 0.9])),
    [1.502_973_832_050_881_4]),
  // mpmath (a - b) mean(a) - log Z(a) + log Z(b)
  Reference(
    "continuous Bernoulli: KL",
    ContinuousBernoulli(logits: vector([3, -0.2, 1.05, -30]), eventRank: 0).closedFormKL(
      to: ContinuousBernoulli(logits: vector([-1, 0.3, 1, 12]), eventRank: 0)),
    [
      0.567_255_776_855_419_8, 0.010_408_863_111_006_255, 9.883_190_269_953_521e-05,
      11.516_284_587_646_95,
    ]),
  // torch Categorical(logits=[[.5, -1, 2, 0], [3, 3, -4, 1]]).log_prob([1, 2])
  Reference(
    "categorical: log-probability",
    labels.logProbability(of: classes([1, 2])),
    [-3.342_349_582_389_822, -7.759_050_628_449_553]),
  // the same .entropy()
  Reference(
    "categorical: entropy",
    labels.entropy,
    [0.878_281_175_268_733, 0.888_742_428_511_409_4]),
  // mpmath sum p log(p / q), q of [[0, 1, -1, .3], [2.9, 3.1, -4, 1]]
  Reference(
    "categorical: KL",
    labels.closedFormKL(to: otherLabels),
    [1.460_681_671_612_417_6, 0.004_674_067_998_037_774]),
  // mpmath sum k p_k
  Reference(
    "categorical: mean",
    labels.mean,
    [1.743_858_361_751_389, 0.659_020_003_196_921_7]),
  // scipy.stats.laplace.logpdf([.1, .4, -7], [.3, -1.2, 2.5], exp([-2, .5, 1.5])).sum()
  Reference(
    "Laplace: log-probability",
    laplace.logProbability(of: vector([0.1, 0.4, -7])),
    [-6.647_438_338_416_263]),
  // scipy.stats.laplace.entropy(0, exp([-2, .5, 1.5])).sum()
  Reference(
    "Laplace: entropy",
    laplace.entropy,
    [5.079_441_541_679_836]),
  // torch kl_divergence(Laplace(m, b), Laplace([.4, -1, -2], exp([-1.9, 0, 2]))).sum()
  Reference(
    "Laplace: KL",
    laplace.closedFormKL(to: otherLaplace),
    [0.692_377_732_640_476_8]),
  // scipy.stats.uniform.logpdf([0, 2.2], [-1, 2], [4, .5]).sum()
  Reference(
    "uniform: log-probability",
    uniform.logProbability(of: vector([0, 2.2])),
    [-0.693_147_180_559_945_3]),
  // torch kl_divergence(Uniform([-1, 2], [3, 2.5]), Uniform([-1.5, 0], [3, 7])).sum()
  Reference(
    "uniform: KL",
    uniform.closedFormKL(to: Uniform(low: vector([-1.5, 0]), high: vector([3, 7]))),
    [2.756_840_365_271_642]),
  // scipy.stats.multivariate_normal.logpdf([.1, .4, -7], m, A A^T)
  Reference(
    "full covariance: log-probability",
    full.logProbability(of: vector([0.1, 0.4, -7])),
    [-20.971_623_152_166_572]),
  // scipy.stats.multivariate_normal.entropy(m, A A^T)
  Reference(
    "full covariance: entropy",
    full.entropy,
    [4.662_280_707_722_188]),
  // torch kl_divergence(MultivariateNormal(m, scale_tril=A), MultivariateNormal([1, -1, 0], scal
  // e_tril=B))
  Reference(
    "full covariance: KL",
    full.closedFormKL(to: otherFull),
    [5.478_417_758_482_691]),
  // the same to covariance diag(exp([.5, .5, -1]))
  Reference(
    "full covariance: KL",
    full.closedFormKL(to: otherNormal),
    [13.366_956_448_242_54]),
  // the same to MultivariateNormal(0, I)
  Reference(
    "full covariance: KL",
    full.closedFormKL(to: prior),
    [5.704_534_891_891_836]),
  // torch kl_divergence of the diagonal one to B's
  Reference(
    "full covariance: KL to",
    otherFull.closedFormKL(from: otherNormal),
    [1.319_039_708_808_844]),
  // torch MixtureSameFamily(Categorical(logits=[.5, -1, .2]), Normal([-2, 0, 3], exp([-.5, 0, 1]
  // ))).log_prob([-50, .4, 2])
  Reference(
    "mixture: log-probability",
    mixture.logProbability(of: vector([-50, 0.4, 2])),
    [-192.972_300_765_941_07, -2.563_801_701_028_659, -2.849_520_557_439_202_4]),
  // the same .mean
  Reference(
    "mixture: mean",
    mixture.mean,
    [0.113_269_098_218_927_5]),
]

@Suite struct ReferenceTests {
  @Test(arguments: references) func agrees(_ reference: Reference) throws {
    let found = try #require(reference.found).doubles
    #expect(found.count == reference.expected.count, "\(reference.testDescription)")
    for (index, (value, expected)) in zip(found, reference.expected).enumerated() {
      #expect(
        abs(value - expected) <= 1e-12 * abs(expected) + 1e-19,
        "\(reference.testDescription), element \(index): \(value), expected \(expected)")
    }
  }
}
