// Signs as codes: their numbers, their distances and their entropies.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics
import Testing

@testable import LatentModels

@Suite struct BinaryQuantizerTests {
  static func quantizer(
    bits: Int, spherical: Bool, group: Int = 1, sharpness: Double = 100
  ) -> BinaryQuantizer {
    BinaryQuantizer(
      dimension: bits, isSpherical: spherical, commitment: 0,
      entropy: BinaryEntropy(weight: 1, diversity: 1, sharpness: sharpness, group: group))
  }

  /// The index is the number that the signs write, for every one of up to 16 bits.
  @Test(arguments: [false, true]) func indices(spherical: Bool) {
    var context = LayerContext.inference
    let three = Self.quantizer(bits: 3, spherical: spherical)
    let z = Tensor([1, -1, 1, -2, -0.5, 0.1, 0, 1, -1] as [Double], shape: [3, 3])
    #expect(three(z, &context).indices.array.int32s == [5, 1, 2])
    for bits in [1, 2, 7, 16] {
      let quantizer = Self.quantizer(bits: bits, spherical: spherical)
      let all = Tensor((0..<Int32(1 << bits)).map { $0 }, shape: [1 << bits, 1])
      let codes = quantizer.codes(at: all, .float32)
      #expect(quantizer.quantized(codes, &context).indices.array == all.array)
      let length = spherical ? 1 : Double(bits)
      let lengths = square(codes).sum(axes: [1]).doubles
      #expect(lengths.allSatisfy { abs($0 - length) < 1e-5 * length })
    }
  }

  /// |u - c|² = 2 - 2 |u|_1 / sqrt(b), at most 2 - 2 / sqrt(b), which a coordinate axis attains.
  @Test func distanceOnTheSphere() {
    var random = RandomStream(seed: 1)
    for bits in [2, 5, 9] {
      let quantizer = Self.quantizer(bits: bits, spherical: true)
      let axis = Tensor.oneHot(Tensor([0] as [Int32]), classes: bits, .float64) * 3
      let z = Tensor.concatenate([axis, random.normalTensor([200, bits], .float64)], axis: 0)
      let u = quantizer.prepared(z)
      var context = LayerContext.inference
      let error = square(u - quantizer.quantized(u, &context).codes).sum(axes: [1]).doubles
      let root = Double(bits).squareRoot()
      let expected = (2 - abs(u).sum(axes: [1]) * (2 / root)).doubles
      #expect(distance(error, expected) < 1e-12)
      #expect(error.allSatisfy { $0 <= 2 - 2 / root + 1e-12 })
      #expect(abs(error[0] - (2 - 2 / root)) < 1e-12)
    }
  }

  /// A vector of zeros is as unsure as can be, a long one is sure, and even signs use every code.
  @Test(arguments: [1, 3, 4]) func entropies(group: Int) {
    let entropy = BinaryEntropy(weight: 1, diversity: 1, sharpness: 100, group: group)
    let zeros = entropy.entropies(of: .zeros([3, 4], .float64), size: 1)
    #expect(abs(zeros.each.item - 4 * log(2)) < 1e-14)
    #expect(abs(zeros.all.item - 4 * log(2)) < 1e-14)
    let quantizer = Self.quantizer(bits: 4, spherical: false)
    let all = quantizer.codes(at: Tensor((0..<16).map { Int32($0) }, shape: [16, 1]), .float64)
    let even = entropy.entropies(of: all * 1e3, size: 1)
    #expect(even.each.item == 0)
    #expect(abs(even.all.item - 4 * log(2)) < 1e-14)
    // One code for all: no entropy, and no NaN in its derivative.
    let result = valueAndGradient(
      at: [Tensor(repeating: 1e3, shape: [3, 4], .float64)],
      withAuxiliary: {
        let found = entropy.entropies(of: $0[0], size: 1)
        return (found.each - found.all, ())
      })
    #expect(abs(result.value.item) < 1e-14)
    #expect(result.gradients[0].map { $0.array.nonFiniteCount == 0 } ?? false)
  }

  /// Joint bits tell what single ones do not: two bits that are always equal have the entropy of one.
  @Test func jointBits() {
    let z = Tensor([9, 9, -9, -9] as [Double], shape: [2, 2])
    func all(_ group: Int) -> Double {
      BinaryEntropy(weight: 1, diversity: 1, sharpness: 1, group: group)
        .entropies(of: z, size: 1).all.item
    }
    #expect(abs(all(1) - 2 * log(2)) < 1e-10)
    #expect(abs(all(2) - log(2)) < 1e-10)
  }
}
