// The score of Kim and Mnih (2018): where a factor is held fixed, which code varies least?

import LatentAutodiff
import LatentNumerics

extension Metric {
  /// Accuracy of votes for the factor that is held fixed: ``FactorVAEScore``.
  public static let factorVAEScore = Metric(
    "factor-vae", title: "FactorVAE score",
    formula: """
      vote = argmin_i var(c_i) / Var(c_i) over 64 examples with one level of a factor; accuracy of the majority \
      classifier from votes to factors; 10,000 votes to fit to, 5,000 to score; codes with a standard deviation \
      below 0.05 do not vote, and 0 where none does; binomial standard error
      """,
    paper: "Kim and Mnih 2018, section 5; disentanglement_lib", unit: .share, better: .higher,
    chance: "about 1 / factors", ceiling: "1, also of many rotated codes",
    cost: "O(votes examples latents)", test: "LatentEvaluationTests/DisentanglementTableTests.swift"
  )
}

/// The FactorVAE score.
public struct FactorVAEScore: DisentanglementMetric {
  /// Examples of a vote.
  public var examples = 64
  /// Votes that the classifier is fitted to.
  public var trainVotes = 10_000
  /// Votes that it is asked about.
  public var testVotes = 5_000
  /// Codes with a smaller standard deviation do not vote.
  public var leastDeviation = 0.05

  public static var metrics: [Metric] { [.factorVAEScore] }

  /// With the settings of the paper.
  public init() {}

  public func callAsFunction(
    _ data: FactoredCodes, using random: inout RandomStream
  ) -> [MetricValue] {
    let factors = data.factors.count
    let train = VoteExamples(data.train, factors: data.factors)
    let test = VoteExamples(data.test, factors: data.factors)
    guard factors > 1, train.canHold, test.canHold else { return [] }
    let count = Double(data.train.count)
    let variances = data.train.codes.variance(axes: [0]).doubles.map { $0 * count / (count - 1) }
    let voters = variances.indices.filter { variances[$0].squareRoot() >= leastDeviation }
    var accuracy = 0.0
    if !voters.isEmpty {
      var table = [[Int]](repeating: [Int](repeating: 0, count: factors), count: data.latents)
      let known = votes(trainVotes, data.train, train, variances, voters, using: &random)
      for (latent, factor) in known { table[latent][factor] += 1 }
      let majority = table.map { counts in
        counts.indices.max { counts[$0] < counts[$1] || (counts[$0] == counts[$1] && $0 > $1) }
      }
      let asked = votes(testVotes, data.test, test, variances, voters, using: &random)
      accuracy =
        Double(asked.count(where: { majority[$0.latent] == $0.factor })) / Double(asked.count)
    }
    return [
      MetricValue(
        .factorVAEScore, accuracy,
        standardError: ScoreMath.binomialError([accuracy], count: testVotes),
        chance: 1 / Double(factors), ceiling: 1, count: data.train.count + data.test.count,
        settings: data.settings([
          "examples": "\(examples)", "trainVotes": "\(trainVotes)", "testVotes": "\(testVotes)",
          "leastDeviation": "\(leastDeviation)", "voters": "\(voters.count)",
        ]))
    ]
  }

  /// Which code varied least, and which factor was fixed.
  private func votes(
    _ count: Int, _ part: FactoredCodes.Part, _ index: VoteExamples, _ variances: [Double],
    _ voters: [Int], using random: inout RandomStream
  ) -> [(latent: Int, factor: Int)] {
    let able = index.shared.indices.filter { !index.shared[$0].isEmpty }
    let codes = part.codes.doubles
    let (size, width) = (part.codes.shape[1], examples + 1)
    let factors = random.uniform([count], .float64).doubles.map { drawn($0, from: able) }
    let uniform = random.uniform([count, width], .float64)
    var result = [(latent: Int, factor: Int)](repeating: (0, 0), count: count)
    result.withUnsafeMutableBufferPointer { result in
      let result = result
      uniform.withUnsafeElements(of: Double.self) { uniform in
        codes.withUnsafeBufferPointer { codes in
          parallelFor(count) { vote in
            let start = vote * width
            let factor = factors[vote]
            let fixed = drawn(uniform[start], from: index.shared[factor])
            let members = index.companions(of: fixed, factor: factor)
            let chosen = (1..<width).map { drawn(uniform[start + $0], from: members) }
            var best = (ratio: Double.infinity, latent: voters[0])
            for latent in voters {
              var (sum, squares) = (0.0, 0.0)
              // Differences from one of them: nothing cancels where they are all alike.
              let origin = codes[chosen[0] * size + latent]
              for example in chosen {
                let difference = codes[example * size + latent] - origin
                sum += difference
                squares += difference * difference
              }
              let ratio = (squares - sum * sum / Double(examples)) / variances[latent]
              if ratio < best.ratio { best = (ratio, latent) }
            }
            result[vote] = (best.latent, factor)
          }
        }
      }
    }
    return result
  }
}
