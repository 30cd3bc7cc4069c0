// Estimators of the encoder's gradient over a hundred thousand independent draws: which are unbiased, and
// which have no noise at the exact posterior.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct EstimatorTests {
  typealias Model = Toy.Model
  static let count = 100_000
  /// Not the posterior of x = 1, which is N(1/2, 1/2).
  static let wrong = Toy.model(mean: 0.1, logVariance: 0.2, count: count)

  /// Derivatives by mean and log-variance, one for each independent draw `[count]`.
  static func each(_ rule: any Objective<Model>, _ model: Model = wrong) -> [Tensor] {
    let gradients = Toy.gradients(rule, model, Toy.x(count)).gradients
    return gradients.prefix(2).map { $0.flattened() * Double(count) }
  }

  /// By how many standard errors the means differ, on the same noise.
  static func deviations(_ first: [Tensor], _ second: [Tensor]) -> [Double] {
    zip(first, second).map {
      let (mean, error) = meanAndError($0 - $1)
      return abs(mean) / error
    }
  }

  @Test(arguments: MultiSampleBoundTests.bounds(8).map(\.name).indices)
  func doublyReparameterizedIsUnbiased(index: Int) {
    let (name, plain) = MultiSampleBoundTests.bounds(8)[index]
    let doubly = MultiSampleBoundTests.bounds(8, .dreg)[index].rule
    let (first, second) = (Self.each(doubly), Self.each(plain))
    let found = Self.deviations(first, second)
    #expect(found.allSatisfy { $0 < 4 }, "\(name): \(found) standard errors")
    if name == "iwae" {
      for (doubly, plain) in zip(first, second) {
        #expect(meanAndError(doubly).error < meanAndError(plain).error, "\(name): less noise")
      }
    }
  }

  /// Sticking the landing is unbiased for one draw, and only for one.
  @Test func stickingTheLanding() {
    let one = Self.deviations(
      Self.each(Toy.iwae(1, .stl)), Self.each(Toy.iwae(1)))
    #expect(one.allSatisfy { $0 < 4 }, "one draw: \(one) standard errors")
    let eight = Self.deviations(
      Self.each(Toy.iwae(8, .stl)), Self.each(Toy.iwae(8)))
    #expect(eight.allSatisfy { $0 > 10 }, "eight draws: \(eight) standard errors")
  }

  /// Draws as constants give the same mean as draws that are differentiated.
  @Test func fixedDrawsAreUnbiased() {
    let found = Self.deviations(
      Self.each(Toy.vimco(4)), Self.each(Toy.iwae(4)))
    #expect(found.allSatisfy { $0 < 4 }, "\(found) standard errors")
  }

  /// At the exact posterior no draw moves the encoder, but for the plain estimator's noise.
  @Test func exactPosterior() {
    let exact = Toy.model(mean: 0.5, logVariance: -log(2), count: Self.count)
    func largest(_ rule: any Objective<Model>) -> Double {
      Self.each(rule, exact).map { abs($0).max().item }.max() ?? .nan
    }
    for estimator in EncoderEstimator.allCases {
      for (name, rule) in MultiSampleBoundTests.bounds(8, estimator) {
        let largest = largest(rule)
        #expect(
          estimator == .pathwise ? largest > 0.1 : largest < 1e-12,
          "\(name) \(estimator): \(largest)")
      }
    }
    #expect(largest(Toy.vimco(8)) > 0.01, "the weights' own gradient is left")
  }
}
