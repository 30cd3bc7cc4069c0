// The shape of tails against ArviZ: Resources/pareto-tails.json is written by scripts/references/pareto_tails.py, which
// states the rule of the weights.

import Foundation
import Latent
import Testing

@Suite struct ParetoTailTests {
  struct Case: Decodable, Sendable, CustomStringConvertible {
    let kind: String
    let scale: Double
    let count: Int
    let shape: Double

    var description: String { "\(count) \(kind) weights of scale \(scale)" }

    var logWeights: [Double] {
      (1...count).map { i in
        let u = (Double(i) * 0.618_033_988_749_894_9).truncatingRemainder(dividingBy: 1)
        return switch kind {
        case "pareto": -scale * log1p(-u)
        case "bounded": scale * u
        default: scale * sin(1.7 * Double(i))
        }
      }
    }
  }

  static let cases: [Case] = {
    let file = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../Resources/pareto-tails.json")
    guard let data = try? Data(contentsOf: file),
      let cases = try? JSONDecoder().decode([Case].self, from: data)
    else { fatalError("no reference numbers at \(file)") }
    return cases
  }()

  @Test(arguments: cases) func isThatOfArviZ(reference: Case) {
    let found = ImportanceEstimate(logWeights: reference.logWeights).tailShape
    #expect(abs(found - reference.shape) < 1e-9, "\(found) instead of \(reference.shape)")
    let moved = ImportanceEstimate(logWeights: reference.logWeights.map { $0 - 1000 }).tailShape
    #expect(abs(moved - found) < 1e-6, "weights count by their ratios: \(moved) and \(found)")
  }

  @Test func tailsOfParetoWeightsAreFlagged() {
    func weights(_ shape: Double) -> [Double] {
      (0..<4000).map { -shape * log1p(-(Double($0) + 0.5) / 4000) }
    }
    for shape in [0.2, 0.5, 0.9, 1.3] {
      let estimate = ImportanceEstimate(logWeights: weights(shape))
      #expect(abs(estimate.tailShape - shape) < 0.1, "\(estimate.tailShape) of \(shape)")
      #expect(estimate.isReliable == (shape < 0.7))
    }
  }

  @Test func extremes() {
    for count in [1, 2, 20, 21, 500] {
      let same = ImportanceEstimate(logWeights: Array(repeating: -3, count: count))
      #expect(same.tailShape == -.infinity && same.isReliable)
      #expect(same.logLikelihood == -3 && abs(same.effectiveSamples - Double(count)) < 1e-9)
      #expect(same.standardError == (count > 1 ? 0 : .infinity))
      let none = ImportanceEstimate(logWeights: Array(repeating: -.infinity, count: count))
      #expect(none.logLikelihood == -.infinity && none.effectiveSamples == 0 && !none.isReliable)
    }
    let few = ImportanceEstimate(logWeights: (0..<20).map { Double($0) })
    #expect(few.tailShape == .infinity && !few.isReliable, "too few to tell")
    let spoiled = ImportanceEstimate(logWeights: [0, .nan, 1])
    #expect(spoiled.logLikelihood.isNaN && !spoiled.isReliable)
  }
}
