// Distances of codes from the prior: exact cases, numbers evaluated apart in float64, and identities that
// kept diagonals, wrong axes and scaled batches break.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct CodeDistanceTests {
  static func column(_ values: [Double]) -> Tensor { Tensor(values, shape: [values.count, 1]) }
  static func twice(_ x: Tensor) -> Tensor { Tensor.concatenate([x, x], axis: 0) }

  struct Row: Sendable, CustomTestStringConvertible {
    let kernel: MaximumMeanDiscrepancy.Kernel
    let scales, z, y: [Double]
    let value, tolerance: Double
    var testDescription: String { "\(kernel) \(scales)" }
  }

  @Test(arguments: [
    // C = 2, diagonals left out, the cross term whole.
    Row(kernel: .imq, scales: [1], z: [0, 1], y: [0, 1], value: -1.0 / 3, tolerance: 1e-15),
    Row(
      kernel: .imq, scales: MaximumMeanDiscrepancy.manyScales, z: [-1, 0, 2], y: [0.5, 1, -2],
      value: -0.90333543, tolerance: 1e-8),
    Row(
      kernel: .rbf, scales: [1], z: [-1, 0, 2], y: [0.5, 1, -2], value: -0.24147182,
      tolerance: 1e-8),
  ]) func discrepancies(row: Row) {
    let discrepancy = MaximumMeanDiscrepancy(row.kernel, scales: row.scales)
    let (z, y) = (CodeDistanceTests.column(row.z), CodeDistanceTests.column(row.y))
    #expect(distance([discrepancy(z, y).item], [row.value]) < row.tolerance)
    let shifted = discrepancy(z + 3, y + 3)
    #expect(distance(shifted, discrepancy(z, y)) < 1e-12, "only differences count")
  }

  /// In several dimensions, pair by pair.
  @Test(arguments: MaximumMeanDiscrepancy.Kernel.allCases) func pairByPair(
    kernel: MaximumMeanDiscrepancy.Kernel
  ) {
    let (z, y, scales) = (numbers([5, 3], 1), numbers([5, 3], 4) * 2, [0.3, 2])
    func similarity(_ a: Tensor, _ i: Int, _ b: Tensor, _ j: Int) -> Double {
      let squared = square(a[i] - b[j]).sum().item
      return scales.reduce(0) {
        let constant = 6 * $1
        return $0 + (kernel == .rbf ? exp(-squared / constant) : constant / (constant + squared))
      }
    }
    var expected = 0.0
    for i in 0..<5 {
      for j in 0..<5 {
        if i != j { expected += (similarity(z, i, z, j) + similarity(y, i, y, j)) / 20 }
        expected -= similarity(z, i, y, j) * 2 / 25
      }
    }
    let discrepancy = MaximumMeanDiscrepancy(kernel, scales: scales)
    #expect(distance([discrepancy(z, y).item], [expected]) < 1e-14)
    let error = gradientError(at: [z]) { discrepancy($0[0], y) }
    #expect(error < 1e-7, "\(error)")
    let pictures = discrepancy(z.reshaped([5, 1, 3]), y.reshaped([5, 1, 3]))
    #expect(distance(pictures, discrepancy(z, y)) == 0, "codes may have a shape")
  }

  /// On the mean it is the population's: between N(0, 1) and N(m, t²) under a normal kernel.
  @Test(arguments: [(1.0, 1.0, 0.17726763), (0.0, 2.0, 0.09418702)]) func populations(
    shift: Double, scale: Double, expected: Double
  ) {
    var random = RandomStream(seed: 2)
    let discrepancy = MaximumMeanDiscrepancy(.rbf, scales: [1])
    let values = (0..<400).map { _ -> Double in
      let z = random.normalTensor([50, 1], .float64)
      return discrepancy(z, random.normalTensor([50, 1], .float64) * scale + shift).item
    }
    let mean = values.reduce(0, +) / 400
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399
    #expect(abs(mean - expected) < 4 * (variance / 400).squareRoot(), "\(mean)")
  }

  @Test func slices() {
    let line = Tensor([1, -1] as [Double], shape: [1, 2])
    let (z, y) = (CodeDistanceTests.column([0, 2]), CodeDistanceTests.column([5, 1]))
    func along(_ z: Tensor, _ y: Tensor, _ directions: Tensor) -> Double {
      SlicedWasserstein.distance(from: z, to: y, along: directions).item
    }
    #expect(along(z, y, line) == 5)
    #expect(along(CodeDistanceTests.twice(z), CodeDistanceTests.twice(y), line) == 5)
    let codes = numbers([6, 3], 2)
    let shuffled = codes.gathering(Tensor([4, 2, 0, 5, 1, 3] as [Int32]))
    let basis = Tensor.identity(3, .float64)
    #expect(along(codes, shuffled, numbers([3, 6], 1)) == 0, "the same codes in another order")
    let shift = Tensor([1, -2, 0.5] as [Double])
    #expect(distance([along(codes, shuffled + shift, basis)], [5.25 / 3]) < 1e-14)
    // Codes twice as far from the middle: each projection is off by itself.
    let lengths = square(codes).mean().item
    #expect(distance([along(codes, codes * 2, basis)], [lengths]) < 1e-14)
    // No two projections are equal: there the distance has a kink.
    var random = RandomStream(seed: 6)
    let draws = (0..<2).map { _ in random.normalTensor([6, 3], .float64) }
    let error = gradientError(at: [draws[0]]) {
      SlicedWasserstein.distance(from: $0[0], to: draws[1] * 2, along: numbers([3, 4], 1))
    }
    #expect(error < 1e-7, "\(error)")
  }

  /// Directions are of length 1 and new in every call; the distance of codes from themselves elsewhere is known.
  @Test func directions() {
    var random = RandomStream(seed: 4)
    let z = random.normalTensor([20, 5], .float64)
    let sliced = SlicedWasserstein(directions: 200)
    let shift = Tensor([2, 0, 0, 0, 0] as [Double])
    let shifted = (0..<2).map { _ in sliced(from: z, to: z + shift, using: &random).item }
    #expect(shifted[0] != shifted[1])
    // |m|²/d on the mean, whatever the codes. Of theta_1² in five dimensions the variance is 2 (d - 1) / (d² (d + 2)).
    let error = 4 * (8.0 / 175 / 200).squareRoot()
    for value in shifted { #expect(abs(value - 0.8) < 4 * error, "\(value)") }
  }

  static let point = { () -> VAE<MLPPointEncoder, MLPDecoder<NormalHead>, StandardNormalPrior> in
    var random = RandomStream(seed: 1)
    return VAE(
      encoder: MLPPointEncoder(inputShape: [3], hidden: [4], latentSize: 2, using: &random),
      decoder: MLPDecoder(
        latentSize: 2, hidden: [4], outputShape: [3], head: NormalHead(.fixed(1)),
        activation: .tanh, using: &random),
      prior: .standardNormal(2)
    ).converted(to: .float64)
  }()

  /// The squared error is a sum over the example, of the mean; half of it is the likelihood of unit
  /// variance without its constant. Prior draws come after the posterior's.
  @Test func wassersteinTerms() {
    let model = CodeDistanceTests.point
    func run(_ cost: ReconstructionCost) -> LossTerms {
      var context = Tiny.training(step: 0)
      return WassersteinAutoencoder<_, WassersteinMMDDescription> {
        ($0.lambda, $0.cost) = (.linear(from: 0, to: 8, steps: 4), cost)
      }(model, Tiny.x, &context)
    }
    let (squared, likelihood) = (run(.squared), run(.likelihood))
    let errors = square(model.reconstruct(Tiny.x) - Tiny.x).sum().item / 4
    var random = RandomStream(seed: 3)
    let y = random.normalTensor([4, 2], .float64)
    let mmd = MaximumMeanDiscrepancy()(model.codes(of: Tiny.x), y).item
    #expect(squared.terms.map(\.name) == ["reconstruction", "mmd"])
    #expect(distance(squared.terms.map(\.value.item), [errors, mmd]) < 1e-13)
    #expect(distance([squared.total.item], [errors + 2 * mmd]) < 1e-13)
    #expect(distance([squared.afterWarmup?.item ?? .nan], [errors + 8 * mmd]) < 1e-13)
    #expect(
      distance([likelihood.terms[0].value.item], [errors / 2 + 1.5 * log(2 * .pi)]) < 1e-13)
  }

  /// `alpha` 0 and `lambda` 1 is the evidence lower bound, `alpha` 1 has no divergence.
  @Test func infoTerms() {
    let model = Tiny.model(BernoulliHead())
    func run(_ objective: some Objective<Tiny.Model<BernoulliHead>>) -> LossTerms {
      var context = Tiny.training()
      return objective(model, Tiny.x, &context)
    }
    let bound = run(ELBO())
    #expect(distance(run(InfoVAE { ($0.alpha, $0.lambda) = (0, 1) }).total, bound.total) < 1e-15)
    let terms = run(InfoVAE { ($0.alpha, $0.lambda) = (0.25, 5) })
    let parts = terms.terms.map(\.value.item)
    #expect(terms.terms.map(\.name) == ["reconstruction", "kl", "mmd"])
    #expect(distance(Array(parts.prefix(2)), bound.terms.map(\.value.item)) < 1e-15)
    #expect(distance([terms.total.item], [parts[0] + 0.75 * parts[1] + 4.25 * parts[2]]) < 1e-14)
  }
}
