// Critics and their penalties against PyTorch (scripts/references/critics.py) and central differences, and the
// cross-entropy that all of them minimise.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

/// sin(1.7 i + start).
func waves(_ shape: Shape, _ start: Double) -> Tensor {
  Tensor((0..<shape.count).map { sin(1.7 * Double($0) + start) }, shape: shape)
}

@Suite struct CriticTests {
  static let pictures = critic([8, 8, 2], channels: [3], hidden: [9])
  static let vectors = critic([3], channels: [3], hidden: [5])

  /// With weights by the rule of the reference.
  static func critic(_ shape: Shape, channels: [Int], hidden: [Int]) -> PictureCritic {
    var random = RandomStream(seed: 1)
    var critic = PictureCritic(shape, channels: channels, hidden: hidden, using: &random)
      .converted(to: .float64)
    critic.setParameters(
      critic.parameters.enumerated().map { index, old in
        let scale = shape.rank == 3 && index % 2 == 0 ? 0.3 : 1
        return waves(old.shape, Double(index + 1)) * scale
      })
    return critic
  }

  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let critic: PictureCritic
    let x: Tensor
    let logits: [Double]
    /// The penalty, and the sum of squares of its derivative by each parameter.
    let twoSided, oneSided: (Double, [Double])
    var testDescription: String { name }
  }

  static let cases = [
    Case(
      name: "pictures", critic: pictures, x: waves([2, 8, 8, 2], 5),
      logits: [-0.09247610504440529, -1.1126581058297256],
      twoSided: (0.30326551208812824, [1.247658644055818, 0.0, 2.4530809365517694, 0.0]),
      oneSided: (0.30326551208812824, [1.247658644055818, 0.0, 2.4530809365517694, 0.0])),
    Case(
      name: "vectors", critic: vectors, x: waves([4, 3], 5),
      logits: [0.952417895840828, 1.4148466949824947, -0.03705226483077462, -0.9582784140808931],
      twoSided: (0.20184137262606971, [0.12351619572705283, 0.0, 0.37005194902346794, 0.0]),
      oneSided: (0.061541541285476266, [0.16249518135113006, 0.0, 0.3591885354207718, 0.0])),
  ]

  @Test(arguments: cases) func againstPyTorch(row: Case) {
    #expect(distance(row.critic(row.x).doubles, row.logits) < 1e-12)
    for (isOneSided, expected) in [(false, row.twoSided), (true, row.oneSided)] {
      let result = valueAndGradient(at: row.critic) {
        gradientPenalty(of: $0, at: row.x, isOneSided: isOneSided)
      }
      let squares = result.gradients.tensors.map { $0.map { square($0).sum().item } ?? 0 }
      #expect(distance([result.value.item], [expected.0]) < 1e-12)
      #expect(distance(squares, expected.1) < 1e-10, "one-sided: \(isOneSided)")
    }
  }

  @Test(arguments: cases, [false, true]) func penaltyAgainstDifferences(row: Case, oneSided: Bool) {
    let error = gradientError(at: row.critic.parameters) { parameters in
      var critic = row.critic
      critic.setParameters(parameters)
      return gradientPenalty(of: critic, at: row.x, isOneSided: oneSided)
    }
    #expect(error < 1e-7)
  }

  /// Where a critic is flat, the norm of its slope has no derivative: it stays where it is, without NaN.
  @Test func aFlatCritic() {
    var critic = CriticTests.vectors
    critic.setParameters(critic.parameters.map(\.zerosLike))
    let result = valueAndGradient(at: critic) {
      gradientPenalty(of: $0, at: waves([4, 3], 5), isOneSided: false)
    }
    #expect(result.value.item == 1)
    #expect(result.gradients.tensors.allSatisfy { $0?.doubles.allSatisfy { $0 == 0 } ?? true })
  }

  /// Who knows nothing pays log 2 for each thing, who knows the odds of each value the entropy of that: the
  /// derivative at the log-ratio of the densities is zero.
  @Test func crossEntropy() {
    let nothing = Tensor.zeros([6, 1], .float64)
    let ignorance = discrimination(real: nothing, fake: nothing.sliced(0, 0..<2)).item
    #expect(abs(ignorance - log(2)) < 1e-15)
    // Real things are 3/4 of kind a and 1/4 of kind b, fakes half and half.
    let logits = Tensor([log(1.5), log(0.5)] as [Double])
    let slope = gradient(at: logits) { logits in
      func kinds(_ a: Int, _ b: Int) -> Tensor {
        logits.gathering(Tensor((0..<(a + b)).map { Int32($0 < a ? 0 : 1) }, shape: [a + b]))
      }
      return discrimination(real: kinds(3, 1), fake: kinds(2, 2))
    }
    #expect(slope.doubles.allSatisfy { abs($0) < 1e-16 })
  }

  @Test(arguments: [
    ([28, 28, 1], [64, 128, 256], 2), ([8, 8, 3], [4, 5], 1), ([32, 16, 3], [4, 5, 6], 2),
    ([7, 7, 1], [4], 0), ([6, 6, 1], [4], 0), ([10], [4], 0),
  ]) func shapes(input: [Int], channels: [Int], convolutions: Int) {
    var random = RandomStream(seed: 1)
    let critic = PictureCritic(
      Shape(input), channels: channels, hidden: [7, 5], outputs: 2, using: &random)
    #expect(critic.convolutions.count == convolutions)
    let values = critic.activations(Tensor.zeros([3] + Shape(input)))
    #expect(values.count == (convolutions == 0 ? 3 : convolutions + 1))
    #expect(values.last?.shape == [3, 2] && values.allSatisfy { $0.shape[0] == 3 })
    #expect(critic.unvisitedTensors.isEmpty && critic.repeatedPaths.isEmpty)
  }
}
