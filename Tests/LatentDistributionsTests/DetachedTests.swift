// A distribution with constant parameters has the same density, the same derivative by the value, and none
// by the parameters.

import LatentAutodiff
import LatentDistributions
import LatentNumerics
import Testing

@Suite struct DetachedTests {
  static let rows = DistributionGradientTests.rows.filter {
    $0.distribution is any DetachableDistribution
  }

  @Test func everyDifferentiableFamily() {
    let names = Set(Self.rows.map { "\(type(of: $0.distribution))" })
    #expect(
      names == ["DiagonalNormal", "Laplace", "ContinuousBernoulli", "FullCovarianceNormal"])
  }

  @Test(arguments: rows) func constantParameters(_ row: Row) {
    let whole = row.distribution
    func constant(_ parameters: [Tensor]) -> any EvaluableDistribution {
      (row.make(parameters) as? any DetachableDistribution)?.detached ?? whole
    }
    #expect(constant(row.parameters).batchShape == whole.batchShape)
    #expect(constant(row.parameters).eventShape == whole.eventShape)
    let results = valueAndGradient(at: row.parameters + [row.value]) {
      constant(Array($0.dropLast())).logProbability(of: $0[$0.count - 1]).sum()
    }
    #expect(results.value.item == whole.logProbability(of: row.value).sum().item)
    for gradient in results.gradients.dropLast() {
      #expect(gradient.doubles.allSatisfy { $0 == 0 }, "\(row.name)")
    }
    let slope = gradient(at: row.value) { whole.logProbability(of: $0).sum() }
    #expect(results.gradients.last?.array == slope.array, "\(row.name)")
  }

  @Test func standardNormal() {
    let normal = StandardNormal(eventShape: [2], dtype: .float64).detached
    #expect(normal.eventShape == [2] && normal.dtype == .float64)
  }
}
