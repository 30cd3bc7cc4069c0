// Costs of reconstructions beside the likelihood. Numbers of structural similarity are from
// scripts/references/structural_similarity.py.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import Testing

@Suite struct DistortionTests {
  /// Two pictures by the rule of the reference, and the same two changed.
  static func pictures(_ height: Int, _ width: Int, _ channels: Int) -> (x: Tensor, y: Tensor) {
    let shape: Shape = [2, height, width, channels]
    let x = (0..<shape.count).map { (index: Int) -> Double in
      0.5 + 0.3 * sin(0.7 * Double(index)) + 0.1 * cos(0.013 * Double(index))
    }
    let y = x.enumerated().map { 0.8 * $1 + 0.1 * cos(0.3 * Double($0)) + 0.05 }
    return (Tensor(x, shape: shape), Tensor(y, shape: shape))
  }

  struct Row: Sendable, CustomTestStringConvertible {
    let size: [Int]
    let values: [Double]
    let slopeSum, slopeMaximum: Double
    var testDescription: String { "\(size)" }
  }

  @Test(arguments: [
    Row(
      size: [44, 46, 2], values: [0.911924412508, 0.914784197268],
      slopeSum: 2.027331556635e-01, slopeMaximum: 2.506297449605e-02),
    Row(
      size: [28, 28, 1], values: [0.946439987394, 0.947223127748],
      slopeSum: 3.778331435062e-01, slopeMaximum: 3.113719949644e-02),
  ]) func similarityNumbers(row: Row) {
    let (x, y) = DistortionTests.pictures(row.size[0], row.size[1], row.size[2])
    let similarity = StructuralSimilarity()
    #expect(distance(similarity(x, y).doubles, row.values) < 1e-11)
    #expect(distance(similarity(y, x), similarity(x, y)) < 1e-14, "symmetric")
    #expect(distance(similarity(x, x).doubles, [1, 1]) < 1e-14)
    let slope = gradient(at: y) { similarity(x, $0).sum() }
    #expect(
      distance([slope.sum().item, abs(slope).max().item], [row.slopeSum, row.slopeMaximum]) < 1e-11)
    // Values of 0 to 255 with their range.
    let bytes = StructuralSimilarity(range: 255)
    #expect(distance(bytes(x * 255, y * 255), similarity(x, y)) < 1e-11)
  }

  /// Flat pictures differ by luminance alone, which counts at the coarsest scale by its weight only.
  @Test(arguments: [(11, 1), (21, 1), (22, 2), (28, 2), (43, 2), (44, 3), (176, 5), (352, 5)])
  func flatPictures(side: Int, scales: Int) {
    #expect(StructuralSimilarity.scales(height: side, width: side + 3) == scales)
    if side > 64 { return }
    let x = Tensor(repeating: 0.3, shape: [1, side, side, 1], .float64)
    let luminance = (2 * 0.3 * 0.6 + 1e-4) / (0.09 + 0.36 + 1e-4)
    let weights = StructuralSimilarity.exponents.prefix(scales)
    let expected = pow(luminance, (weights.last ?? 0) / weights.reduce(0, +))
    #expect(distance(StructuralSimilarity()(x, x * 2).doubles, [expected]) < 1e-13)
  }

  @Test func similarityDerivatives() {
    let (x, y) = DistortionTests.pictures(12, 11, 1)
    let error = gradientError(at: [y]) { StructuralSimilarity()(x, $0[0]) }
    #expect(error < 1e-6, "\(error)")
    // Opposite contrasts have no power of their own: the least value, without derivative.
    let opposite = gradient(at: 1 - x) { StructuralSimilarity()(x, $0).sum() }
    #expect(opposite.doubles.allSatisfy { $0 == 0 })
  }

  /// |u| + log(1 + e^(-2 |u|)) - log 2 over the sharpness, at errors that overflow cosh too.
  @Test func logCosh() {
    let x = Tensor([0, 1e-3, -0.4, 2, 500, -500] as [Double], shape: [2, 3])
    let mean = Tensor.zeros([2, 3], .float64)
    let context = Tiny.training()
    func cost(_ mean: Tensor) -> Tensor {
      Distortion.logCosh(sharpness: 3)(
        DiagonalNormal(mean: mean, standardDeviation: 1), x, observedIn: context)
    }
    let each = x.doubles.map { value -> Double in
      let u = Swift.abs(3 * value)
      return (u + log1p(exp(-2 * u)) - log(2)) / 3
    }
    let expected = [each[0] + each[1] + each[2], each[3] + each[4] + each[5]]
    #expect(distance(cost(mean).doubles, expected) < 1e-14)
    let slope = gradient(at: mean) { cost($0).sum() }
    #expect(distance(slope.doubles, x.doubles.map { -Foundation.tanh(3 * $0) }) < 1e-14)
  }

  /// What a mask hides costs nothing, whatever it is, and has no derivative.
  @Test(arguments: [Distortion.squared, .logCosh(sharpness: 2)]) func masks(cost: Distortion) {
    var context = Tiny.training()
    context.fields["mask"] = Tensor([1, 0, 1, 0, 0, 0] as [Double], shape: [2, 3])
    let x = Tensor([1, .nan, 2, .infinity, 0, .nan] as [Double], shape: [2, 3])
    let mean = numbers([2, 3], 1)
    func total(_ mean: Tensor, _ x: Tensor, _ context: LayerContext) -> Tensor {
      cost(DiagonalNormal(mean: mean, standardDeviation: 1), x, observedIn: context)
    }
    let found = total(mean, x, context)
    let seen = [0, 2].map { [mean.doubles[$0], x.doubles[$0]] }
    let alone = total(
      Tensor(seen.map { $0[0] }, shape: [1, 2]), Tensor(seen.map { $0[1] }, shape: [1, 2]),
      Tiny.training())
    #expect(distance(found.doubles, [alone.item, 0]) < 1e-14)
    let slope = gradient(at: mean) { total($0, x, context).sum() }.doubles
    #expect([1, 3, 4, 5].allSatisfy { slope[$0] == 0 } && slope[0] != 0)
  }

  /// The cost takes the place of the likelihood in the bound; a point has no divergence.
  @Test func terms() {
    let model = Tiny.model(NormalHead(.fixed(1)))
    var context = Tiny.training(step: 1)
    let terms = DistortedReconstruction<_, LogCoshDescription> {
      ($0.sharpness, $0.beta) = (3, .linear(from: 0, to: 4, steps: 4))
    }(model, Tiny.x, &context)
    let q = model.encode(Tiny.x)
    let z = reparameterized(mean: q.mean, logVariance: q.logVariance, noise: Tiny.noise())
    let cost = zip(model.decode(z).mean.doubles, Tiny.x.doubles)
      .reduce(0) { $0 + log(cosh(3 * ($1.0 - $1.1))) / 12 }
    let kl = zip(q.mean.doubles, q.logVariance.doubles).reduce(0) { $0 + normalKL($1.0, $1.1) / 4 }
    #expect(terms.terms.map(\.name) == ["reconstruction", "kl"])
    #expect(distance(terms.terms.map(\.value.item), [cost, kl]) < 1e-13)
    #expect(distance([terms.total.item], [cost + 2 * kl]) < 1e-13)
    #expect(distance([terms.afterWarmup?.item ?? .nan], [cost + 4 * kl]) < 1e-13)
    let plain = DistortedReconstruction<_, LogCoshDescription>()(
      CodeDistanceTests.point, Tiny.x, &context)
    #expect(plain.terms.map(\.name) == ["reconstruction"] && plain.klMethod == nil)
  }
}
