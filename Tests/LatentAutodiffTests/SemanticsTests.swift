// `valueAndGradient` as a pure function: what nests, what is constant, what comes back.

import LatentNumerics
import Testing

@testable import LatentAutodiff

@Suite struct SemanticsTests {
  let x = Tensor([1.5, -2.0] as [Double])

  @Test func innerFunctionsSeeOuterVariables() {
    // d/dx of (d/dy x^2 y^3 at y = 2) = 2 x 12.
    let mixed = gradient(at: x) { x in
      gradient(at: Tensor([2.0, 2.0] as [Double])) { y in (square(x) * pow(y, 3)).sum() }.sum()
    }
    #expect(mixed.doubles == [36, -48])
    // The inner variable at the outer one: d/dx (d/dy x y^3 at y = x) = d/dx 3 x^3.
    let same = gradient(at: x) { x in gradient(at: x) { y in (x * pow(y, 3)).sum() }.sum() }
    #expect(relativeError(same.doubles, (square(x) * 9).doubles) < 1e-14)
    // The inner value depends on the outer variable too.
    let value = gradient(at: x) { x in
      let inner = valueAndGradient(at: [Tensor([2.0, 3.0] as [Double])]) {
        (square(x) * $0[0]).sum()
      }
      #expect(inner.value.isRecorded && inner.gradients[0].isRecorded)
      return inner.value
    }
    #expect(value.doubles == [6, -12])
  }

  @Test func innerFunctionsWithoutOuterVariablesAreConstants() {
    let result = gradient(at: x) { x in
      let inner = valueAndGradient(at: [Tensor([2.0, 3.0] as [Double])]) { square($0[0]).sum() }
      #expect(!inner.value.isRecorded && !inner.gradients[0].isRecorded)
      return (inner.gradients[0] * x).sum() * inner.value
    }
    #expect(result.doubles == [4 * 13, 6 * 13])
  }

  /// The inner result may not depend on the inner variable, or on the outer one alone.
  @Test func resultsOfOuterVariablesAlone() {
    let (value, gradients) = valueAndGradient(at: [x]) { outer in
      let inner = valueAndGradient(at: [Tensor([2.0] as [Double])]) { _ in square(outer[0]).sum() }
      #expect(inner.gradients[0].doubles == [0])
      return inner.value + inner.gradients[0].sum()
    }
    #expect(value.item == 6.25 && gradients[0].doubles == [3, -4])
  }

  @Test func constants() {
    #expect(gradient(at: x) { ($0 * $0.detached).sum() }.doubles == x.doubles)
    #expect(gradient(at: x) { _ in Tensor.scalar(3, .float64) }.doubles == [0, 0])
    let unused = Tensor([1, 2, 3] as [Float], shape: [1, 3])
    let (value, gradients) = valueAndGradient(at: [x, unused]) { square($0[0]).sum() }
    #expect(value.item == 6.25 && value.shape == [] && !value.isRecorded)
    #expect(gradients[1].array == NDArray(repeating: 0, shape: [1, 3], .float32))
    #expect(gradients.allSatisfy { !$0.isRecorded })
    // Comparison, rounding, sign and indices do not pass derivatives.
    let none = gradient(at: x) { x in
      (sign(x) + floor(x) + round(x) + (x .> 0) + isFinite(x)).sum()
        + x.argMax(axis: 0).converted(to: .float64)
    }
    #expect(none.doubles == [0, 0])
  }

  @Test func theSameInputTwice() {
    let (_, gradients) = valueAndGradient(at: [x, x]) { (square($0[0]) * $0[1]).sum() }
    #expect(gradients[0].doubles == (square(x) * 2).doubles)
    #expect(gradients[1].doubles == square(x).doubles)
  }

  @Test func auxiliaryValues() {
    let result = valueAndGradient(
      at: [x, x],
      withAuxiliary: { inputs in
        let hidden = exp(inputs[0])
        return (hidden.sum(), (name: "hidden", hidden: hidden, side: sin(inputs[0])))
      })
    #expect(result.gradients[0]?.doubles == exp(x).doubles && result.gradients[1] == nil)
    #expect(result.auxiliary.name == "hidden" && result.auxiliary.hidden.doubles == exp(x).doubles)
    // Once its pass is over an auxiliary value is a constant for those that follow.
    let later = valueAndGradient(at: [x]) { inputs in
      (inputs[0] * result.auxiliary.hidden + result.auxiliary.side).sum()
    }
    #expect(later.gradients[0].doubles == exp(x).doubles)
  }

  /// What an inner pass leaves behind is a constant of the enclosing one, as far as it does not
  /// depend on what that one differentiates.
  @Test func auxiliaryValuesOfInnerFunctions() {
    let z = Tensor([3.0, 4.0] as [Double])
    typealias Function = ([Tensor], Tensor) -> (Tensor, Tensor)
    func withSum(_ x: Tensor, _ other: (Tensor) -> Tensor) -> (Tensor, Tensor) {
      (x.sum(), other(x))
    }
    let rows: [(name: String, function: Function, expected: Tensor)] = [
      ("on the path", { z, _ in withSum(square(z[0])) { $0 } }, square(z)),
      ("computed from it", { z, _ in withSum(square(z[0])) { exp($0) } }, exp(square(z))),
      ("beside it", { z, _ in (square(z[0]).sum(), z[0] * 3) }, z * 3),
      ("the leaf", { z, _ in (square(z[0]).sum(), z[0]) }, z),
      ("of a value without leaves", { z, _ in (.scalar(1, .float64), exp(z[0])) }, exp(z)),
      ("of both", { z, x in (square(z[0]).sum(), z[0] * x) }, z * x * 2),
      ("of a value of both", { z, x in withSum(z[0] * x) { $0 * z[0] } }, square(z) * x * 2),
    ]
    for row in rows {
      let result = valueAndGradient(at: [x]) { outer in
        let inner = valueAndGradient(at: [z], withAuxiliary: { row.function($0, outer[0]) })
        return (inner.auxiliary * outer[0]).sum()
      }
      #expect(
        relativeError(result.gradients[0].doubles, row.expected.doubles) < 1e-14, "\(row.name)")
      #expect(!result.value.isRecorded, "\(row.name)")
    }
    // A result made of what an inner pass left is a constant altogether.
    let constant = gradient(at: x) { _ in
      valueAndGradient(at: [z], withAuxiliary: { z in (z[0].sum(), z[0].sum()) }).auxiliary
    }
    #expect(constant.doubles == [0, 0])
    // Second derivatives: the inner pass is recorded, and what it left takes part.
    let second = gradient(at: x) { x in
      let inner = valueAndGradient(
        at: [x], withAuxiliary: { x in withSum(pow(x[0], 3)) { $0 } })
      return (inner.gradients[0].unsafelyUnwrapped * inner.auxiliary).sum()
    }
    #expect(relativeError(second.doubles, (pow(x, 4) * 15).doubles) < 1e-14)
  }

  @Test func repeatable() throws {
    for operation in Operation.all where operation.seed % 5 == 0 {
      let inputs = operation.tensors()
      let before = inputs.map { $0.array.copy() }
      func run() throws -> [NDArray] {
        let result = try valueAndGradient(at: inputs) { weightedSum(try operation.function($0)) }
        return ([result.value] + result.gradients).map(\.array)
      }
      let first = try run()
      let copies = first.map { $0.copy() }
      #expect(try run() == first, "\(operation.testDescription)")
      #expect(first == copies, "gradients are values: \(operation.testDescription)")
      #expect(inputs.map(\.array) == before, "inputs are untouched: \(operation.testDescription)")
    }
  }

  /// Node numbers of other threads fall between ours.
  @Test func threadsDoNotMeet() async {
    let network = HigherOrderTests.Network(seed: 5)
    let alone = valueAndGradient(at: network.parameters) { network.loss($0, .gelu) }.gradients
    let all = await withTaskGroup(of: [NDArray].self) { group in
      for _ in 0..<8 {
        group.addTask {
          (0..<20).map { _ in
            valueAndGradient(at: network.parameters) { network.loss($0, .gelu) }.gradients
              .map { $0.flattened() }
          }.map { Tensor.concatenate($0, axis: 0).array }
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    let expected = Tensor.concatenate(alone.map { $0.flattened() }, axis: 0).array
    #expect(all.count == 160 && all.allSatisfy { $0 == expected })
  }

  @Test func errorsComeThrough() {
    let bad = Tensor([1, 2, 2, 1] as [Double], shape: [2, 2])
    #expect(throws: NumericsError.self) {
      try valueAndGradient(at: [bad]) { try logDeterminant($0[0]) }
    }
  }

  /// Between element types, where a difference quotient in float64 would see the rounding.
  @Test func convertedTensors() {
    let narrow = Tensor([1.5, -2] as [Float])
    let result = gradient(at: narrow) { x in
      (square(x.converted(to: .float64)) * Tensor([1.0, 3.0] as [Double])).sum()
    }
    #expect(result.dtype == .float32 && result.floats == [3, -12])
    let back = gradient(at: x) { (square($0.converted(to: .float32)) * 2).sum() }
    #expect(back.dtype == .float64 && back.doubles == [6, -8])
    let second = gradient(at: narrow) { x in
      square(gradient(at: x) { pow($0.converted(to: .float64), 3).sum() }).sum()
    }
    #expect(second.floats == narrow.floats.map { 36 * $0 * $0 * $0 })
    #expect(
      gradient(at: x) { $0.converted(to: .int32).converted(to: .float64).sum() }.doubles == [0, 0])
  }

  /// Corners where a naive derivative is NaN.
  @Test func derivativesAtCorners() {
    func slope(_ at: Double, _ function: (Tensor) -> Tensor) -> Double {
      gradient(at: .scalar(at, .float64), of: function).item
    }
    let infinity = Tensor.scalar(-.infinity, .float64)
    #expect(slope(0) { relu($0) } == 0 && slope(0) { abs($0) } == 0)
    #expect(slope(1) { maximum($0, Tensor.scalar(1, .float64)) } == 0.5)
    #expect(slope(2) { $0.clamped(to: 0...1) } == 0 && slope(0.5) { $0.clamped(to: 0...1) } == 1)
    #expect(slope(0) { pow($0, 2.0) } == 0 && slope(0) { pow($0, 1.0) } == 1)
    #expect(slope(0) { pow($0, Tensor.scalar(0, .float64)) } == 0)
    #expect(slope(0) { pow($0, Tensor.scalar(2, .float64)) } == 0)
    #expect(slope(3) { Tensor.where($0 .> 0, $0, log(-$0)) } == 1)
    #expect(slope(1) { Tensor.stack([$0, infinity]).logSumExp() } == 1)
    #expect(slope(1) { (Tensor.stack([infinity, infinity]) + $0).logSumExp(axes: [0]) } == 0)
    #expect(slope(800) { softplus($0) } == 1 && slope(-800) { softplus($0) } == 0)
    #expect(slope(-800) { logSigmoid($0) } == 1 && slope(-800) { silu($0) } == 0)
  }

  /// What is left out of a matrix is zero, whatever it was.
  @Test func partsOfMatricesWithInfiniteRests() {
    let wild = Tensor([1, .infinity, .nan, 2, 3, -.infinity, 4, 5, 6] as [Double], shape: [3, 3])
    #expect(wild.lowerTriangle.doubles == [1, 0, 0, 2, 3, 0, 4, 5, 6])
    #expect(wild.diagonal.doubles == [1, 3, 6])
    let corner = Tensor([1, .infinity] as [Double]).diagonalMatrix
    #expect(corner.doubles == [1, 0, 0, .infinity])
    let slope = gradient(at: wild) { (square($0.lowerTriangle) + square($0.diagonal)).sum() }
    #expect(slope.doubles == [8, 0, 0, 4, 24, 0, 8, 10, 48])
  }

  @Test func resultsMustBeScalars() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = valueAndGradient(at: [Tensor([1.0, 2.0])]) { $0[0] }
    }
    let text = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
    #expect(text.contains("the gradient of a result of shape [2]: expected a scalar"))
    #expect(text.contains("SemanticsTests.swift"), "names the caller's line")
  }
}
