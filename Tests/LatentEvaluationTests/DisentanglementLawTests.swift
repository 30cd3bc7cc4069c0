// What holds for every score of disentanglement.

import Foundation
import Latent
import Testing

@Suite struct DisentanglementLawTests {
  /// Codes that are neither perfect nor noise.
  static let known = KnownCodes(450, seed: 21)
  static let codes = known.rotated(degrees: 20) + known.noise(seed: 22) * 0.3

  static func measure(_ codes: Tensor) throws -> [MetricValue] {
    try Disentanglement.measure(
      known.data(codes), using: RandomStream(seed: 23),
      metrics: QuickScores(rounds: 4, pairPoints: 300, votes: 300).metrics)
  }

  static func order(_ indices: [Int32], _ factors: [Double]) -> Tensor {
    codes.gathering(Tensor(indices), axis: 1) * Tensor(NDArray(factors))
  }

  /// What weighs codes by how far they reach, or compares them with each other, changes with the scale of one.
  static let changesWithScale: Set<String> = [
    "irs", "irs-dlib", "wasserstein-correlation", "wasserstein-correlation-normalized",
    "knn-probe", "infom", "infoc",
  ]
  /// In the square of the codes' unit.
  static let changesWithUnit: Set<String> = ["wasserstein-correlation"]

  @Test("Order, signs and scales of codes change nothing")
  func invariance() throws {
    let straight = try DisentanglementLawTests.measure(DisentanglementLawTests.codes)
    let transforms: [(String, Tensor, except: Set<String>)] = [
      ("order", DisentanglementLawTests.order([2, 0, 3, 1], [1, 1, 1, 1]), []),
      ("signs", DisentanglementLawTests.order([0, 1, 2, 3], [-1, 1, -1, -1]), []),
      (
        "unit", DisentanglementLawTests.order([3, 2, 1, 0], [4, -4, 4, 4]),
        DisentanglementLawTests.changesWithUnit
      ),
      (
        "scales", DisentanglementLawTests.order([1, 0, 2, 3], [0.5, 3, -7, 20]),
        DisentanglementLawTests.changesWithScale
      ),
    ]
    for (name, codes, except) in transforms {
      let found = try DisentanglementLawTests.measure(codes)
      #expect(found.count == straight.count)
      for (left, right) in zip(straight, found) where !except.contains(left.metric.name) {
        #expect(left.metric == right.metric && left.part == right.part)
        let metric = left.metric.name
        // L-BFGS and votes by float32 distances see rounding.
        let tolerance = ["beta-vae", "knn-probe"].contains(metric) ? 0.011 : 1e-6
        #expect(
          abs(left.value - right.value) < tolerance,
          "\(name), \(metric) \(left.part ?? ""): \(left.value), \(right.value)")
      }
    }
  }

  @Test(
    "The number of threads and the list of scores change nothing; values are as their metrics say")
  func repeatable() throws {
    let first = try DisentanglementLawTests.measure(DisentanglementLawTests.codes)
    let threads = Threads.count
    Threads.count = 1
    defer { Threads.count = threads }
    let second = try DisentanglementLawTests.measure(DisentanglementLawTests.codes)
    #expect(first == second)
    let data = try DisentanglementLawTests.known.data(DisentanglementLawTests.codes)
    var own = RandomStream(seed: 23).split("mig")
    let alone = MutualInformationGap()(data, using: &own)
    #expect(alone == first.filter { $0.metric == .mutualInformationGap })
    for measurement in first {
      #expect(measurement.value.isFinite && measurement.count > 0)
      if let error = measurement.standardError { #expect(error >= 0 && error < 1) }
      if let chance = measurement.chance, let ceiling = measurement.ceiling {
        #expect(chance < ceiling, "\(measurement.metric.name)")
      }
      if measurement.metric.unit == .share {
        #expect((-1.0...1.000001).contains(measurement.value), "\(measurement.metric.name)")
      }
    }
    let names = first.filter { $0.part == nil }.map(\.metric)
    #expect(names == Disentanglement.metrics.flatMap { type(of: $0).metrics })
  }

  @Test("The bootstrap knows the standard error of a correlation")
  func standardErrors() throws {
    // Of a normal pair: (1 - r^2) / sqrt(n).
    var random = RandomStream(seed: 24)
    let x = Tensor(random.normal([2000, 1], .float64))
    let y = x * 0.6 + Tensor(random.normal([2000, 1], .float64)) * 0.8
    let score = FactorCorrelation()(x, y, using: &random)[0]
    let expected = (1 - 0.36) / 2000.0.squareRoot()
    let error = try #require(score.standardError)
    #expect(abs(error / expected - 1) < 0.4)
    #expect(abs(score.value - 0.6) < 4 * error)
    #expect(try #require(score.chance) < 0.05)
  }
}
