// Rounded numbers: values that follow from the formulas, and the places at which published code differs.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct ScalarQuantizerTests {
  static func levels(_ levels: [Int]) -> FiniteScalarQuantizer {
    var settings = FiniteScalarCodes()
    settings.levels = levels
    return FiniteScalarQuantizer(settings)
  }

  static func indices(_ quantizer: some Quantizer, _ z: [Double]) -> [Int32] {
    var context = LayerContext.inference
    let rows = z.count / quantizer.dimension
    return quantizer(Tensor(z, shape: [rows, quantizer.dimension]), &context).indices.array.int32s
  }

  @Test func threeNumbers() {
    let quantizer = Self.levels([3, 5, 4])
    let z = Tensor([0.25, 0.6, -7] as [Double], shape: [1, 3])
    let bounded = quantizer.prepared(z).doubles
    #expect(
      distance([bounded[0], bounded[1] * 2, bounded[2] * 2], [0.244674, 1.073025, -1.998495]) < 1e-6
    )
    var context = LayerContext.inference
    let found = quantizer(z, &context)
    #expect(found.value.doubles == [0, 0.5, -1])
    #expect(found.indices.array.int32s == [10])
    #expect(Self.indices(quantizer, [0, 0, 0]) == [37])
  }

  /// With tan in place of artanh the bound of 0 is -0.000429.
  @Test func zeroIsACode() {
    for size in 3...16 {
      let bounded = Self.levels([size]).prepared(.zeros([1, 1], .float64)).item
      #expect(abs(bounded) < 1e-15, "\(size)")
    }
  }

  @Test func thresholds() {
    let quantizer = Self.levels([4])
    for (threshold, index) in zip([-1.152870, -0.346949, 0.458972], 0...) {
      #expect(Self.indices(quantizer, [threshold - 2e-6]) == [Int32(index)])
      #expect(Self.indices(quantizer, [threshold + 2e-6]) == [Int32(index + 1)])
    }
  }

  /// Halves go to the even level: ±0.5 to 0, 1.5 to 2.
  @Test func halves() {
    let quantizer = Self.levels([7])
    var context = LayerContext.inference
    let place = Tensor([0.5, -0.5, 1.5, 2.5, -1.5] as [Double], shape: [5, 1]) / 3
    let found = quantizer.quantized(place, &context).codes.doubles.map { ($0 * 3).rounded() }
    #expect(found == [0, 0, 2, 2, -2])
  }

  /// Every code is reached, from the ends to the middle.
  @Test(arguments: [[3], [4], [3, 5, 4], [8, 6, 5]]) func everyCode(levels: [Int]) {
    let quantizer = Self.levels(levels)
    let count = levels.reduce(1, *)
    let codes = quantizer.codes(
      at: Tensor((0..<Int32(count)).map { $0 }, shape: [count, 1]), .float64)
    #expect(Set((0..<count).map { codes.selecting($0).doubles }).count == count)
    #expect(codes.doubles.allSatisfy { (-1...1).contains($0) })
    // Numbers whose bounds are near the codes, by the inverse of the bound.
    let z = codes.doubles.enumerated().map { position, code -> Double in
      let level = Double(levels[position % levels.count])
      let half = (level - 1) * 0.999 / 2
      let offset = levels[position % levels.count] % 2 == 0 ? 0.5 : 0
      let bound = code * (level / 2).rounded(.down)
      return atanh(min(max((bound + offset) / half, -0.9999), 0.9999)) - atanh(offset / half)
    }
    #expect(Self.indices(quantizer, z) == (0..<Int32(count)).map { $0 })
  }

  // MARK: Noise in place of rounding

  static func perturbed(_ levels: [Int], noise: Double = 1) -> ScalarPerturbation {
    var settings = ScalarPerturbationCodes()
    (settings.levels, settings.noise) = (levels, noise)
    return ScalarPerturbation(settings)
  }

  /// Levels of a standard normal are equally probable, and their middles lie between -1 and 1.
  @Test func partsOfANormal() {
    var random = RandomStream(seed: 2)
    let quantizer = Self.perturbed([5])
    let drawn = Self.indices(quantizer, random.normal([20_000], .float64).doubles)
    for level in 0..<5 {
      let share = Double(drawn.count { $0 == level }) / 20_000
      #expect(abs(share - 0.2) < 4 * (0.16 / 20_000).squareRoot())
    }
    let codes = quantizer.codes(at: Tensor([0, 1, 2, 3, 4] as [Int32], shape: [5, 1]), .float64)
    #expect(distance(codes.doubles, [-0.8, -0.4, 0, 0.4, 0.8]) < 1e-15)
    #expect(Self.indices(quantizer, [-40, 40]) == [0, 4])
  }

  /// Noise is uniform and as wide as a level; without it training rounds.
  @Test func noise() throws {
    let z = Tensor(repeating: 0.3, shape: [10_000, 1], .float64)
    var context = LayerContext(isTraining: true, random: RandomStream(seed: 3))
    let quantizer = Self.perturbed([4])
    let place = quantizer.prepared(z)
    let offsets = (quantizer(z, &context).value - place).doubles
    #expect(offsets.allSatisfy { abs($0) <= 0.25 })
    #expect(abs(offsets.reduce(0, +) / 10_000) < 4 * 0.25 / 3.0.squareRoot() / 100)
    let variance = offsets.reduce(0) { $0 + $1 * $1 } / 10_000
    #expect(abs(variance - 0.0625 / 3) < 1e-3)
    let rounded = Self.perturbed([4], noise: 0)
    let found = rounded(z, &context)
    #expect(found.value.array == rounded.codes(at: found.indices, .float64).array)
    // After training there is none.
    var after = LayerContext.inference
    let codes = quantizer(z, &after)
    #expect(codes.value.array == quantizer.codes(at: codes.indices, .float64).array)
  }
}
