// The first score of disentanglement (Higgins et al. 2017): can a linear classifier see, from how much codes differ,
// which factor two examples share?

import LatentAutodiff
import LatentNumerics

extension Metric {
  /// Accuracy of telling which factor pairs of examples share: ``BetaVAEScore``.
  public static let betaVAEScore = Metric(
    "beta-vae", title: "beta-VAE score",
    formula: """
      accuracy of a multinomial logistic regression (penalty 1) that sees mean |c - c'| of standardised codes over \
      64 pairs of examples with one factor in common and says which; 10,000 points to fit to, 5,000 to score; \
      binomial standard error
      """,
    paper: "Higgins et al. 2017, section 3; disentanglement_lib", unit: .share, better: .higher,
    chance: "1 / factors", ceiling: "1, also of many rotated codes",
    cost: "O(points pairs latents)",
    test: "LatentEvaluationTests/DisentanglementTableTests.swift")
}

/// The beta-VAE score. A rotation by 30 degrees still scores 1: that it is high says little.
public struct BetaVAEScore: DisentanglementMetric {
  /// Pairs of a point.
  public var pairs = 64
  /// Points that the classifier is fitted to.
  public var trainPoints = 10_000
  /// Points that it is asked about.
  public var testPoints = 5_000

  public static var metrics: [Metric] { [.betaVAEScore] }

  /// With the settings of the paper.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    let factors = data.factors.count
    guard factors > 1 else { return [] }
    let standardization = Standardization(of: data.train.codes)
    let train = points(trainPoints, data.train, data, standardization, using: &random)
    let test = points(testPoints, data.test, data, standardization, using: &random)
    let classifier = LogisticRegression(train.features, labels: train.factors, classes: factors)
    let accuracy = classifier.accuracy(on: test.features, labels: test.factors)
    return [
      MetricValue(
        .betaVAEScore, accuracy,
        standardError: ScoreMath.binomialError([accuracy], count: testPoints),
        chance: 1 / Double(factors), ceiling: 1, count: data.train.count + data.test.count,
        settings: data.settings([
          "pairs": "\(pairs)", "trainPoints": "\(trainPoints)", "testPoints": "\(testPoints)",
        ]))
    ]
  }

  /// How much codes of examples with a factor in common differ, `[points, latent]`, and which factor it is.
  private func points(
    _ count: Int, _ part: FactoredCodes.Part, _ data: FactoredCodes,
    _ standardization: Standardization, using random: inout RandomStream
  ) -> (features: Tensor, factors: [Int]) {
    let examples = VoteExamples(part, factors: data.factors)
    let codes = standardization(part.codes).doubles
    let (size, width) = (data.latents, 2 * pairs)
    let factors = random.uniform([count], .float64).doubles
      .map { drawn($0, from: Array(data.factors.indices)) }
    let uniform = random.uniform([count, width], .float64)
    let features = NDArray(shape: [count, size], .float64) { bytes in
      let features = bytes.bindMemory(to: Double.self)
      uniform.withUnsafeElements(of: Double.self) { uniform in
        codes.withUnsafeBufferPointer { codes in
          parallelFor(count) { point in
            let factor = factors[point]
            let own = point * size
            for latent in 0..<size { features[own + latent] = 0 }
            for pair in 0..<pairs {
              let place = point * width + 2 * pair
              let first = min(part.count - 1, Int(uniform[place] * Double(part.count)))
              let second = drawn(
                uniform[place + 1], from: examples.companions(of: first, factor: factor))
              for latent in 0..<size {
                features[own + latent] += Swift.abs(
                  codes[first * size + latent] - codes[second * size + latent])
              }
            }
            for latent in 0..<size { features[own + latent] /= Double(pairs) }
          }
        }
      }
    }
    return (Tensor(features), factors)
  }
}
