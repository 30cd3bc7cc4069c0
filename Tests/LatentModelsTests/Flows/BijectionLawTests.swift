// What holds for every bijection: the determinant is that of the Jacobian, the inverse goes back, axes in front broadcast.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct BijectionLawTests {
  static let invertible = bijectionRows.filter { $0.inverse != nil }

  @Test func everyKindIsThere() {
    #expect(bijectionRows.count == 58)
    // Planar, radial and Sylvester maps have no formula for the way back.
    let oneWay = Set(bijectionRows.filter { $0.inverse == nil }.map { $0.name.prefix(6) })
    #expect(oneWay == ["planar", "radial", "sylves"])
  }

  @Test(arguments: bijectionRows) func determinantIsThatOfTheJacobian(_ row: BijectionRow) {
    let z = scattered([3, row.size], 7) * 1.5
    let map = row.map(3)
    let found = map.forward(z).logDeterminant
    #expect(found.shape == [3] && map.eventRank == 1)
    let expected = jacobians(z) { map.forward($0).value }.map(logAbsoluteDeterminant)
    #expect(distance(found.doubles, expected) < 1e-8, "\(found) \(expected)")
  }

  @Test(arguments: invertible) func inverseGoesBack(_ row: BijectionRow) throws {
    let z = scattered([3, row.size], 7) * 1.5
    let map = try #require(row.map(3) as? any InvertibleBijection)
    let (y, there) = map.forward(z)
    let (back, home) = map.inverse(y)
    #expect(distance(back, z) < 1e-10)
    #expect(distance(there + home, there.zerosLike) < 1e-10)
    let (x, first) = map.inverse(z)
    let (again, second) = map.forward(x)
    #expect(distance(again, z) < 1e-10)
    #expect(distance(first + second, first.zerosLike) < 1e-10)
    func turned(_ map: some InvertibleBijection) -> any InvertibleBijection { map.inverted }
    let inverted = turned(map)
    #expect(inverted.forward(z).value.doubles == x.doubles)
    #expect(inverted.inverse(z).value.doubles == y.doubles)
  }

  @Test(arguments: bijectionRows) func oneExampleAndSampleAxes(_ row: BijectionRow) throws {
    let z = scattered([4, 3, row.size], 7)
    let map = row.map(3)
    let (all, logs) = map.forward(z)
    #expect(all.shape == z.shape && logs.shape == [4, 3])
    let one = row.map(1)
    for sample in 0..<4 {
      let (each, log) = map.forward(z.selecting(sample))
      #expect(distance(each, all.selecting(sample)) < 1e-12)
      #expect(distance(log, logs.selecting(sample)) < 1e-12)
      // The first example of a batch is a batch of one.
      let (single, its) = one.forward(z.selecting(sample).sliced(0, 0..<1))
      #expect(distance(single, each.sliced(0, 0..<1)) < 1e-12 && its.shape == [1])
      #expect(distance(its, log.sliced(0, 0..<1)) < 1e-12)
    }
    guard let inverse = map as? any InvertibleBijection else { return }
    let (back, home) = inverse.inverse(all)
    #expect(distance(back, z) < 1e-10 && home.shape == [4, 3])
  }

  @Test(arguments: bijectionRows) func derivatives(_ row: BijectionRow) {
    let inputs = row.parameters(2) + [scattered([2, row.size], 7)]
    func joined(_ result: (value: Tensor, logDeterminant: Tensor)) -> Tensor {
      Tensor.concatenate([result.value.flattened(), result.logDeterminant], axis: 0)
    }
    func map(_ inputs: [Tensor]) -> any Bijection { row.make(Array(inputs.dropLast())) }
    let error = gradientError(at: inputs) { joined(map($0).forward($0[$0.count - 1])) }
    #expect(error < 1e-6, "\(error)")
    if row.inverse == nil { return }
    let back = gradientError(at: inputs) { inputs in
      guard let map = map(inputs) as? any InvertibleBijection else { return .scalar(.nan) }
      return joined(map.inverse(inputs[inputs.count - 1]))
    }
    #expect(back < 1e-6, "\(back)")
  }

  /// With constant parameters the density of a value is the same, and depends on the value alone.
  @Test(arguments: invertible.filter { $0.size == 2 }) func detached(_ row: BijectionRow) throws {
    let z = scattered([3, 2], 7)
    func density(_ map: some InvertibleBijection, detached: Bool, _ z: Tensor) -> Tensor {
      let base = StandardNormal(eventShape: [2], batchShape: [3], dtype: .float64)
      let q = TransformedDistribution(base, map)
      if !detached { return q.logProbability(of: z) }
      guard let constant = (q as? any DetachableDistribution)?.detached else { return z }
      return constant.logProbability(of: z)
    }
    func of(_ parameters: [Tensor], detached: Bool, _ z: Tensor) -> Tensor {
      guard let map = row.make(parameters) as? any InvertibleBijection else { return z }
      return density(map, detached: detached, z)
    }
    let inputs = row.parameters(3) + [z]
    func gradients(detached: Bool) -> (value: Tensor, gradients: [Tensor]) {
      valueAndGradient(at: inputs) {
        of(Array($0.dropLast()), detached: detached, $0[$0.count - 1]).sum()
      }
    }
    let (whole, constant) = (gradients(detached: false), gradients(detached: true))
    #expect(whole.value.item == constant.value.item)
    #expect(whole.gradients.last?.doubles == constant.gradients.last?.doubles)
    #expect(constant.gradients.dropLast().allSatisfy { $0.doubles.allSatisfy { $0 == 0 } })
  }

  /// The density adds up to 1: on a grid where it can be asked anywhere.
  @Test(arguments: invertible.filter { $0.size < 3 }) func densityAddsUp(_ row: BijectionRow) {
    func integral(_ map: some InvertibleBijection) -> Double {
      let q = TransformedDistribution(
        StandardNormal(eventShape: [row.size], batchShape: [1], dtype: .float64), map)
      let step = row.size == 1 ? 0.01 : 0.06
      let line = (Tensor.range(Int(24 / step) + 1, .float64) * step) - 12
      let count = line.count
      let points =
        row.size == 1
        ? line.reshaped([count, 1, 1])
        : Tensor.stack(
          [
            line.reshaped([count, 1]).broadcast(to: [count, count]),
            line.broadcast(to: [count, count]),
          ], axis: -1
        ).reshaped([count * count, 1, 2])
      return exp(q.logProbability(of: points)).sum().item * pow(step, Double(row.size))
    }
    guard let map = row.inverse else { return }
    let total = integral(map)
    #expect(abs(total - 1) < 2e-3, "\(total)")
  }

  /// Where the density of draws is all that is known: the mean of p / q under q is 1 for a narrower p.
  @Test(arguments: bijectionRows.filter { $0.inverse == nil && $0.size < 3 })
  func densityOfDraws(_ row: BijectionRow) {
    func weights(_ map: some Bijection) -> [Double] {
      let q = TransformedDistribution(
        StandardNormal(eventShape: [row.size], batchShape: [1], dtype: .float64), map)
      var random = RandomStream(seed: 3)
      let (z, density) = q.sampleAndLogProbability([40_000], using: &random)
      let p = DiagonalNormal(
        mean: q.pointEstimate ?? z, logVariance: Tensor(repeating: -2, shape: [1], .float64))
      return exp(p.logProbability(of: z) - density).doubles
    }
    let ratios = weights(row.map(1))
    let count = Double(ratios.count)
    let mean = ratios.reduce(0, +) / count
    let variance = ratios.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count
    #expect(abs(mean - 1) < 5 * (variance / count).squareRoot(), "\(mean) \(variance)")
  }
}
