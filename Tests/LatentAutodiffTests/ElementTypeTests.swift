// Which type a tensor has: float32 unless its values have another one, and numbers beside it do not
// change it.

import LatentAutodiff
import LatentNumerics
import Testing

@Suite struct ElementTypeTests {
  @Test func literalsAreFloat32() {
    let numbers = [0.5, 2]
    let rows: [(what: String, tensor: Tensor, array: NDArray, dtype: DType)] = [
      ("decimals", Tensor([1.5, 2.0]), NDArray([1.5, 2.0]), .float32),
      ("whole numbers", Tensor([1, 2]), NDArray([1, 2]), .float32),
      (
        "with a shape", Tensor([1.5, 2], shape: [2, 1]), NDArray([1.5, 2], shape: [2, 1]), .float32
      ),
      ("a computation", Tensor([1.0 / 3, 2 * 0.1]), NDArray([1.0 / 3, 2 * 0.1]), .float32),
      ("no numbers", Tensor([1, .nan, -.infinity]), NDArray([1, .nan, -.infinity]), .float32),
      ("nothing", Tensor([]), NDArray([]), .float32),
      (
        "one repeated", Tensor(Array(repeating: 0.5, count: 3)),
        NDArray(Array(repeating: 0.5, count: 3)), .float32
      ),
      ("a scalar", .scalar(0.5), NDArray([0.5], shape: []), .float32),
      ("[Double]", Tensor(numbers), NDArray(numbers), .float64),
      ("as [Double]", Tensor([1.5] as [Double]), NDArray([1.5] as [Double]), .float64),
      ("one Double", Tensor([numbers[0], 1]), NDArray([numbers[0], 1]), .float64),
      ("mapped", Tensor(numbers.map { $0 * 2 }), NDArray(numbers.map { $0 * 2 }), .float64),
      ("[Int32]", Tensor([1, 2] as [Int32]), NDArray([Int32(1), 2]), .int32),
      ("[UInt8]", Tensor([1, 2] as [UInt8]), NDArray([UInt8(1), 2]), .uint8),
    ]
    for row in rows {
      #expect(row.tensor.dtype == row.dtype, "\(row.what)")
      #expect(row.array.dtype == row.dtype, "\(row.what)")
    }
    #expect(Tensor([0.1]).floats == [0.1], "rounded once")
  }

  @Test(arguments: [DType.float32, .float64, .int32])
  func numbersBesideATensorTakeItsType(dtype: DType) {
    let x = Tensor([1, 2, 4]).converted(to: dtype)
    var y = x
    y += 2.0
    y -= 1
    y *= 2.0
    let results: [Tensor] = [
      x + 2.0, 2.0 + x, x - 2.0, 2.0 - x, x * 2.0, 2.0 * x, x .> 2.0, x .== 2, y,
    ]
    for (index, result) in results.enumerated() { #expect(result.dtype == dtype, "\(index)") }
    #expect(y.doubles == [4, 6, 10])
    guard dtype != .int32 else { return }
    y /= 2.0
    for result in [x / 2.0, 2.0 / x, pow(x, 3.0), x.clamped(to: 1.5...3.5), y] {
      #expect(result.dtype == dtype)
    }
    #expect(
      (x * 0.1).doubles == x.doubles.map { dtype == .float64 ? $0 * 0.1 : Double(Float($0) * 0.1) })
  }
}
