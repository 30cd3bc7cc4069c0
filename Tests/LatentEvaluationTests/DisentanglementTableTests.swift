// What perfect, rotated and random codes score: a rule of acceptance must name the number of each metric, for perfect
// codes do not always have 1, nor noise 0.

import Foundation
import Latent
import Testing

/// Factors with 3, 6, 10 and 8 equally likely levels, and codes of them.
struct KnownCodes: Sendable {
  let factors, perfect: Tensor

  init(_ count: Int, seed: UInt64) {
    var random = RandomStream(seed: seed)
    let columns = [3, 6, 10, 8].map { levels in
      floor(Tensor(random.uniform([count, 1], .float64)) * Double(levels))
    }
    factors = .concatenate(columns, axis: 1)
    perfect = (factors - factors.mean(axes: [0])) / sqrt(factors.variance(axes: [0]))
  }

  /// Turned by an angle in the planes of the first two and the last two codes.
  func rotated(degrees: Double) -> Tensor {
    let (c, s) = (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    let turn = [c, s, 0, 0, -s, c, 0, 0, 0, 0, c, s, 0, 0, -s, c]
    return matmul(perfect, Tensor(NDArray(turn, shape: [4, 4])))
  }

  func noise(seed: UInt64) -> Tensor {
    var random = RandomStream(seed: seed)
    return Tensor(random.normal(perfect.shape, .float64))
  }

  func data(_ codes: Tensor) throws -> FactoredCodes {
    let count = codes.shape[0]
    let cut = count * 2 / 3
    return try FactoredCodes(
      codes, factors: factors, names: ["a", "b", "c", "d"], train: Array(0..<cut),
      test: Array(cut..<count))
  }
}

/// All scores, those that fit trees and count votes with less work than by default.
struct QuickScores: Sendable {
  let rounds, pairPoints, votes: Int

  var metrics: [any DisentanglementMetric] {
    Disentanglement.metrics.map { metric in
      if var trees = metric as? ImportanceScores {
        trees.rounds = rounds
        return trees
      }
      if var score = metric as? FactorVAEScore {
        (score.trainVotes, score.testVotes) = (votes, votes)
        return score
      }
      if var pairs = metric as? BetaVAEScore {
        (pairs.trainPoints, pairs.testPoints) = (pairPoints, pairPoints)
        return pairs
      }
      return metric
    }
  }
}

@Suite struct DisentanglementTableTests {
  static let known = KnownCodes(6000, seed: 11)
  static let cases: [(codes: String, expected: [String: (Double, tolerance: Double)])] = [
    (
      "perfect",
      [
        "beta-vae": (1, 0.03), "factor-vae": (1, 0.03), "mig": (0.996, 0.01),
        "sap-svm": (0.3, 0.03), "sap": (0.999, 0.01), "modularity": (1, 0.01),
        "dci-disentanglement": (1, 0.01), "dci-completeness": (1, 0.01),
        "dci-informativeness": (1, 0.01), "dci-explicitness": (1, 0.01),
        "explicitness": (1, 0.01), "irs": (1, 0.01), "irs-dlib": (1, 0.01), "mcc": (1, 0.01),
      ]
    ),
    (
      "rotated by 45 degrees",
      [
        "beta-vae": (0.55, 0.03), "factor-vae": (0.49, 0.03), "mig": (0.003, 0.01),
        "sap-svm": (0.013, 0.03), "sap": (0.024, 0.01), "modularity": (0.87, 0.01),
        "dci-disentanglement": (0.5, 0.01), "dci-completeness": (0.5, 0.01),
        "explicitness": (1, 0.01),
      ]
    ),
    ("rotated by 30 degrees", ["beta-vae": (1, 0.03), "factor-vae": (1, 0.03)]),
    (
      "noise",
      [
        "beta-vae": (0.26, 0.03), "factor-vae": (0.27, 0.03), "mig": (0.001, 0.01),
        "sap-svm": (0.003, 0.03), "sap": (0, 0.01), "modularity": (0.65, 0.1),
        "dci-disentanglement": (0.005, 0.01), "dci-completeness": (0.005, 0.01),
        "explicitness": (0.51, 0.015), "irs-dlib": (0.36, 0.08),
      ]
    ),
  ]

  @Test("The table of what codes score", arguments: cases.indices)
  func scores(row: Int) throws {
    let known = DisentanglementTableTests.known
    let (name, expected) = DisentanglementTableTests.cases[row]
    let codes =
      switch name {
      case "perfect": known.perfect
      case "noise": known.noise(seed: 12)
      default: known.rotated(degrees: name.contains("45") ? 45 : 30)
      }
    // The importances of 12 rounds are those of 100 to a hundredth here, and 4,000 points are sure to a hundredth.
    let settings = QuickScores(rounds: 12, pairPoints: 4000, votes: 10_000)
    let metrics = settings.metrics.filter { metric in
      type(of: metric).metrics.contains { expected[$0.name] != nil }
    }
    let found = DisentanglementTests.overall(
      try Disentanglement.measure(
        known.data(codes), using: RandomStream(seed: 13), metrics: metrics))
    for (metric, (value, tolerance)) in expected {
      let measured = try #require(found[metric]?.value, "\(metric)")
      #expect(
        abs(measured - value) <= tolerance, "\(name), \(metric): \(measured), expected \(value)")
    }
  }

  @Test("Robustness of noise depends on its tails, and the chance level says so")
  func robustness() throws {
    let known = KnownCodes(15_000, seed: 14)
    var random = RandomStream(seed: 15)
    let uniform = Tensor(random.uniform(known.perfect.shape, .float64))
    for (codes, expected) in [(known.noise(seed: 16), 0.36), (uniform, 0.014)] {
      let score = InterventionalRobustness()(try known.data(codes), using: &random)[1]
      #expect(abs(score.value - expected) < 0.03)
      #expect(abs(score.value - (score.chance ?? 0)) < 0.01)
    }
  }
}
