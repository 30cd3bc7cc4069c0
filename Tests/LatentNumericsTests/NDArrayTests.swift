// Arrays as values: what goes in comes out, and nobody sees another's writes.

import Foundation
import LatentNumerics
import Testing

@Suite struct NDArrayTests {
  @Test(arguments: DType.arithmetic) func roundTrips(dtype: DType) {
    var cases = Cases(seed: 10)
    for _ in 0..<60 {
      let array = cases.array(cases.shape(), dtype)
      let bytes = array.withUnsafeBytes { Data($0) }
      #expect(bytes.count == array.count * dtype.size && array.byteCount == bytes.count)
      #expect(bytes.withUnsafeBytes { NDArray(bytes: $0, shape: array.shape, dtype) } == array)
      #expect(array.copy() == array)
      // float64 holds every value of the other types.
      #expect(array.converted(to: .float64).converted(to: dtype) == array, "\(array)")
      #expect(NDArray(array.doubles, shape: array.shape).converted(to: dtype) == array)
      #expect(array.reshaped([array.count]).reshaped(array.shape) == array)
    }
  }

  /// Toward zero, saturating, NaN to 0.
  @Test func conversionToIntegers() {
    let values = [2.9, -2.9, 1e10, -1e10, .nan, .infinity, -.infinity, 255.9, -0.5]
    let integers: [Int32] = [2, -2, .max, .min, 0, .max, .min, 255, 0]
    let bytes: [UInt8] = [2, 0, 255, 0, 0, 255, 0, 255, 0]
    for dtype in [DType.float64, .float32] {
      let array = NDArray(values).converted(to: dtype)
      #expect(array.int32s == integers)
      #expect(array.elements(as: UInt8.self) == bytes)
    }
    #expect(NDArray([-3, 300, 7] as [Int32]).elements(as: UInt8.self) == [0, 255, 7])
  }

  @Test func bytesScale() {
    let bytes = NDArray((0...255).map { UInt8($0) })
    for dtype in [DType.float32, .float64] {
      let scaled = bytes.scaledBytes(to: dtype, scale: 2 / 255, shift: -1)
      let oracle = (0...255).map { Double($0) * 2 / 255 - 1 }
      #expect(distance(scaled, oracle) < (dtype == .float32 ? 2e-7 : 1e-15))
    }
  }

  @Test func copiesDoNotSeeWrites() {
    let original = NDArray((0..<12).map { Float($0) }, shape: [3, 4])
    var changed = original
    var row = original.rows(1..<2)
    var flat = original.reshaped([12])
    changed.withUnsafeMutableBytes { $0.bindMemory(to: Float.self)[0] = -1 }
    row.withUnsafeMutableBytes { $0.bindMemory(to: Float.self)[0] = -2 }
    flat.overwrite(0, from: 11, with: NDArray([Float(-3)]))
    #expect(original.floats == (0..<12).map { Float($0) })
    #expect(changed.floats[0] == -1 && row.floats == [-2, 5, 6, 7] && flat.floats[11] == -3)
    // A piece of itself as the source.
    var shifted = original
    shifted.overwrite(0, from: 0, with: shifted.rows(1..<3))
    #expect(shifted.floats == [4, 5, 6, 7, 8, 9, 10, 11, 8, 9, 10, 11])
    // A fused pass writes in place only where nobody else looks.
    let (output, _) = original.addingBias(
      NDArray([Float](repeating: 1, count: 4)), activation: .none, savingPre: false)
    #expect(original.floats[0] == 0 && output.floats[0] == 1)
  }

  @Test func equalityIsOfBits() {
    #expect(NDArray([0.0]) != NDArray([-0.0]))
    #expect(NDArray([Double.nan]) == NDArray([Double.nan]))
    #expect(NDArray([Float(1)]) != NDArray([1.0] as [Double]))
    #expect(NDArray([1.0], shape: [1, 1]) != NDArray([1.0]))
  }

  @Test func itemsCountsAndText() {
    for dtype in DType.arithmetic {
      #expect(NDArray(repeating: 7, shape: [1, 1], dtype).item == 7)
      #expect(
        NDArray(repeating: 3, shape: [2, 5], dtype).doubles == Array(repeating: 3, count: 10))
      #expect(NDArray(repeating: 7, shape: [0, 4], dtype).doubles.isEmpty)
    }
    let wild = NDArray([1, .nan, .infinity, -.infinity, 0] as [Double])
    #expect(wild.nonFiniteCount == 3 && wild.converted(to: .float32).nonFiniteCount == 3)
    #expect(NDArray([Int32(1)]).nonFiniteCount == 0)
    #expect(
      NDArray((0..<9).map { Int32($0) }).description
        == "NDArray([9], int32, [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, ...])")
  }
}
