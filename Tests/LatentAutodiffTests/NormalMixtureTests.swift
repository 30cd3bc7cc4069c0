// Densities of normal mixtures at sizes that the table of operations does not have: more components than a block of
// the kernel, and enough work for several threads.

import Foundation
import LatentAutodiff
import LatentNumerics
import Testing

@Suite(.serialized) struct NormalMixtureTests {
  private struct Case {
    let inputs: [Tensor]
    let logWeights: Tensor

    init(_ values: Int, _ components: Int, _ elements: Int, _ dtype: DType) {
      var random = RandomStream(seed: 3)
      func numbers(_ shape: Shape) -> Tensor {
        Tensor(random.normal(shape)).converted(to: .float64).converted(to: dtype)
      }
      inputs = [
        numbers([values, elements]), numbers([components, elements]),
        numbers([components, elements]),
      ]
      logWeights = numbers([values, components])
    }

    func derivatives(_ function: ([Tensor]) -> Tensor) -> [NDArray] {
      let result = valueAndGradient(at: inputs) { inputs in
        let densities = function(inputs)
        return (densities * Tensor([0.7, -1.3], shape: [2, 1]).converted(to: densities.dtype)).sum()
      }
      return [result.value.array] + result.gradients.map(\.array)
    }

    var kernel: [NDArray] {
      derivatives {
        normalMixtureLogProbabilities(
          of: $0[0], mean: $0[1], logVariance: $0[2], logWeights: logWeights)
      }
    }
  }

  /// By the formula, with nothing in common but logarithms and exponentials.
  @Test func severalBlocks() {
    let setting = Case(3, 2100, 2, .float64)
    let formula = setting.derivatives { inputs in
      let distances = inputs[0].expandingDimension(at: 1) - inputs[1]
      let logs =
        (square(distances) / exp(inputs[2]) + inputs[2]) * -0.5 - 0.5 * log(2 * Double.pi)
      let joint = exp(logs.sum(axes: [2]) + setting.logWeights).sum(axes: [1])
      let each = exp(logs + setting.logWeights.expandingDimension(at: 2)).sum(axes: [1])
      return Tensor.stack([log(joint), log(each).sum(axes: [1])])
    }
    for (found, expected) in zip(setting.kernel, formula) {
      let errors = zip(found.doubles, expected.doubles).map { abs($0 - $1) / max(1, abs($1)) }
      #expect((errors.max() ?? 1) < 1e-12)
    }
  }

  /// The joint density alone is the first of the two, to the bit, and so are its derivatives; that by the weights is
  /// theirs in each value, summed.
  @Test(arguments: [DType.float32, .float64]) func jointAlone(dtype: DType) {
    let setting = Case(70, 90, 5, dtype)
    let weights = setting.logWeights.selecting(0, axis: 0)
    let both = valueAndGradient(at: setting.inputs) {
      normalMixtureLogProbabilities(
        of: $0[0], mean: $0[1], logVariance: $0[2], logWeights: weights.broadcast(to: [70, 90])
      ).selecting(0, axis: 0).sum()
    }
    let alone = valueAndGradient(at: setting.inputs + [weights]) {
      normalMixtureLogProbability(
        of: $0[0], mean: $0[1], logVariance: $0[2], logWeights: $0[3]
      ).sum()
    }
    #expect(alone.value.array == both.value.array)
    let tolerance = dtype == .float32 ? 1e-4 : 1e-12
    for (found, expected) in zip(alone.gradients, both.gradients) {
      let errors = zip(found.doubles, expected.doubles).map { abs($0 - $1) / max(1, abs($1)) }
      #expect((errors.max() ?? 1) < tolerance)
    }
    // One for each value, shared out among the components.
    #expect(abs(alone.gradients[3].doubles.reduce(0, +) - 70) < 70 * tolerance)
  }

  @Test(arguments: [DType.float32, .float64]) func threadsChangeNothing(dtype: DType) {
    let setting = Case(130, 130, 6, dtype)
    let before = Threads.count
    defer { Threads.count = before }
    Threads.count = 1
    let alone = setting.kernel
    for threads in [2, 3, 5] {
      Threads.count = threads
      #expect(setting.kernel == alone, "\(threads) threads")
    }
  }

  /// A component that cannot be chosen does not count; a value that is no number makes its densities none.
  @Test func weightsOfZeroAndNumbersThatAreNone() {
    func densities(_ z: [Double], _ logWeights: [Double]) -> [Double] {
      normalMixtureLogProbabilities(
        of: Tensor(z, shape: [2, 1]), mean: Tensor([0.0, 5] as [Double], shape: [2, 1]),
        logVariance: Tensor([0.0, 0] as [Double], shape: [2, 1]),
        logWeights: Tensor(logWeights, shape: [2, 2])
      ).doubles
    }
    let normal = -0.5 * log(2 * Double.pi)
    let found = densities([0, 1], [0, -.infinity, 0, -.infinity])
    for (value, expected) in zip(found, [normal, normal - 0.5, normal, normal - 0.5]) {
      #expect(abs(value - expected) < 1e-15)
    }
    #expect(densities([0, 1], [-.infinity, -.infinity, 0, 0])[0] == -.infinity)
    let broken = densities([.nan, 1], [0, 0, 0, 0])
    #expect(broken.map(\.isNaN) == [true, false, true, false])
  }
}
