// Ranks of true latents: uniform under the exact posterior, and under no other.

import Foundation
import Latent
import Testing

@testable import LatentEvaluation

@Suite struct RankCalibrationTests {
  @Test func exactPosteriorsPass() {
    let ranks = LinearGaussian.model().rankCalibration(simulations: 1000, seed: 1)
    #expect(ranks.pValue > 0.01, "\(ranks.pValue)")
    #expect(ranks.counts.count == 1 && ranks.counts[0].reduce(0, +) == 1000)
    #expect(ranks.measurements.map(\.part) == [nil, "0"])
  }

  /// Half the deviation, twice it, and means that follow the data too much.
  @Test(arguments: [(0.5, 0.125), (0.5, 2.0), (1.1, 0.5)])
  func othersFail(gain: Double, variance: Double) {
    let model = LinearGaussian.model(gain: gain, variance: variance)
    #expect(model.rankCalibration(simulations: 1000, seed: 1).pValue < 1e-3)
  }

  /// P-values of an exact posterior are uniform over seeds.
  @Test func pValuesAreUniform() {
    let model = LinearGaussian.model()
    let values = (0..<40).map {
      model.rankCalibration(simulations: 200, draws: 19, bins: 10, seed: $0).pValue
    }
    let (mean, _) = meanAndItsError(values)
    #expect(abs(mean - 0.5) < 4 * (1.0 / 12 / 40).squareRoot(), "\(mean)")
  }

  /// Two degrees of freedom: exp(-x/2); one: erfc(sqrt(x/2)); four: exp(-x/2) (1 + x/2).
  @Test(arguments: [1e-9, 0.1, 0.999, 1, 3, 3.84, 10, 60, 700])
  func chiSquare(x: Double) {
    let exact = [
      1: erfc((x / 2).squareRoot()), 2: exp(-x / 2), 4: exp(-x / 2) * (1 + x / 2),
    ]
    for (degrees, tail) in exact {
      let found = ChiSquare.tail(x, degreesOfFreedom: degrees)
      #expect(abs(found - tail) < 1e-12 + 1e-10 * tail, "\(found) of \(tail), \(degrees)")
    }
    #expect(ChiSquare.tail(0, degreesOfFreedom: 3) == 1)
  }
}
