// Programmer mistakes trap with the operation and both shapes on standard error, and the caller's
// line. An exit test's body cannot capture its arguments' closures, so each mistake has a number.

import Foundation
import LatentNumerics
import TestSupport
import Testing

@Suite struct TrapTests {
  static let mistakes = [
    Mistake(name: "add", words: ["[2, 3] and [4] do not broadcast"]),
    Mistake(name: "types", words: ["float32 and float64 differ"]),
    Mistake(name: "matmul", words: ["matmul: inner sizes differ", "[2, 3] and [2, 3]"]),
    Mistake(name: "matmul batch", words: ["matmul: shapes [2] and [3] do not broadcast"]),
    Mistake(name: "reshape", words: ["reshape: [2, 3] has 6 elements, [4] 4"]),
    Mistake(name: "axis", words: ["axis 2 is outside shape [2, 3]"]),
    Mistake(name: "slice", words: ["slice 1..<4 by 1 of axis 0 of [2, 3]"]),
    Mistake(name: "permute", words: ["permute: [0, 0] does not order the axes of [2, 3]"]),
    Mistake(name: "broadcast", words: ["broadcast: [2, 3] does not fit [3]"]),
    Mistake(name: "concatenate", words: ["[1, 4]", "does not fit into", "[3, 3]"]),
    Mistake(name: "gather", words: ["gather: index 2 at position 1 is outside 0..<2 of axis 0"]),
    Mistake(name: "gather along", words: ["gather along axis 0", "[2]", "[2, 3]"]),
    Mistake(name: "scatter", words: ["scatter: index -1 at position 0 is outside 0..<5 of axis 0"]),
    Mistake(name: "scatter shape", words: ["scatter: indices [3]", "axis 0 of [2, 3]"]),
    Mistake(name: "select", words: ["where: shapes [2, 3] and [4] do not broadcast"]),
    Mistake(name: "cholesky", words: ["cholesky of shape [2, 3]", "[..., n, n]"]),
    Mistake(
      name: "solve", words: ["triangularSolve: [2, 2] float32 and right side [3, 1] float32"]),
    Mistake(name: "bias", words: ["bias [2] of float32 does not fit rows of [2, 3] of float32"]),
    Mistake(name: "values", words: ["2 values cannot fill shape [3] (3 elements)"]),
    Mistake(name: "elements", words: ["the array holds float32, not float64"]),
    Mistake(name: "item", words: ["item of an array of shape [2, 3]"]),
    Mistake(name: "rank", words: ["a shape has at most 8 axes"]),
    Mistake(name: "negative", words: ["a dimension is negative: -1"]),
    Mistake(name: "bytes", words: ["elementwise function of element type uint8"]),
    Mistake(name: "integer power", words: ["elementwise operation of element type int32"]),
    Mistake(name: "squares of bytes", words: ["sumOfSquares of element type uint8"]),
    Mistake(
      name: "half of integers",
      words: ["multiply of the int32 array [2] and 0.5, which is no 32-bit integer", "TrapTests"]),
    Mistake(name: "infinite integer", words: ["equal of the int32 array [2] and -inf"]),
    Mistake(name: "large integer", words: ["add of the int32 array [2] and 2147483648.0"]),
    Mistake(
      name: "scales of another shape",
      words: ["scales [2, 1] of float32, expected float32 that fit a weight of shape [3, 3]"]),
    Mistake(name: "too long for int8", words: ["70000 products for each output"]),
    Mistake(name: "repeated axis", words: ["an axis is named twice"]),
    Mistake(name: "empty argMax", words: ["argMax of an empty axis of [2, 0]"]),
  ]

  static func make(_ name: String) {
    let x = NDArray(repeating: 1, shape: [2, 3])
    let square = NDArray(repeating: 1, shape: [2, 2])
    switch name {
    case "add": _ = x.binary(.add, NDArray(repeating: 0, shape: [4]))
    case "types": _ = x.binary(.add, x.converted(to: .float64))
    case "matmul": _ = x.matmul(x)
    case "matmul batch":
      _ = NDArray(repeating: 0, shape: [2, 1, 1]).matmul(NDArray(repeating: 0, shape: [3, 1, 1]))
    case "reshape": _ = x.reshaped([4])
    case "axis": _ = x.reduced(.sum, axes: [2], keepingDimensions: false)
    case "slice": _ = x.sliced(0, 1..<4)
    case "permute": _ = x.permuted([0, 0])
    case "broadcast": _ = x.broadcast(to: [3])
    case "concatenate":
      _ = NDArray.concatenate([x, NDArray(repeating: 0, shape: [1, 4])], axis: 0)
    case "gather": _ = x.taking(NDArray([1, 2] as [Int32]), axis: 0)
    case "gather along": _ = x.takingAlong(NDArray([1, 0] as [Int32]), axis: 0)
    case "scatter": _ = x.scatterAdded(NDArray([-1, 0] as [Int32]), axis: 0, length: 5)
    case "scatter shape": _ = x.scatterAdded(NDArray([0, 1, 2] as [Int32]), axis: 0, length: 5)
    case "select": _ = NDArray.select(x, x, NDArray(repeating: 0, shape: [4]))
    case "cholesky": _ = try? x.cholesky()
    case "solve": _ = square.triangularSolve(NDArray(repeating: 0, shape: [3, 1]))
    case "bias":
      _ = x.addingBias(NDArray(repeating: 0, shape: [2]), activation: .none, savingPre: false)
    case "values": _ = NDArray([1, 2] as [Float], shape: [3])
    case "elements": x.withUnsafeElements(of: Double.self) { _ in }
    case "item": _ = x.item
    case "rank": _ = Shape(Array(repeating: 1, count: 9))
    case "negative": _ = Shape([-1])
    case "bytes": _ = NDArray([1] as [UInt8]).unary(.exp)
    case "integer power": _ = NDArray([1] as [Int32]).binary(.power, NDArray([1] as [Int32]))
    case "squares of bytes": _ = NDArray([1] as [UInt8]).sumOfSquares
    case "half of integers": _ = NDArray([1, 2] as [Int32]).binary(.multiply, scalar: 0.5)
    case "infinite integer": _ = NDArray([1, 2] as [Int32]).binary(.equal, scalar: -.infinity)
    case "large integer": _ = NDArray([1, 2] as [Int32]).binary(.add, scalar: 0x1p31)
    case "scales of another shape":
      let scales = square.quantized(scalesShape: [2, 1], inputRange: 0...1).quantization
      let other = NDArray(repeating: 1, shape: [3, 3])
        .quantized(scalesShape: [3, 1], inputRange: 0...1)
      _ = other.with(scales.unsafelyUnwrapped)
    case "too long for int8":
      _ = NDArray(repeating: 1, shape: [1, 70_000])
        .quantized(scalesShape: [1, 1], inputRange: 0...1)
    case "repeated axis": _ = x.reduced(.sum, axes: [0, -2], keepingDimensions: false)
    case "empty argMax":
      _ = NDArray(repeating: 0, shape: [2, 0]).argExtreme(largest: true, axis: 1)
    default: break
    }
  }

  @Test(arguments: mistakes) func traps(mistake: Mistake) async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) { [mistake] in
      TrapTests.make(mistake.name)
    }
    #expect(mistake.missing(in: result?.standardErrorContent) == nil)
  }
}
