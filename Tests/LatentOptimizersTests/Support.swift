// The problem that every optimiser is tested on: two parameters with given gradients, all numbers
// exact in binary, so that PyTorch gets the same ones.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers
import Testing

/// Two parameters and a buffer.
struct Pair: Module {
  var a: Tensor
  var b: Tensor
  var count: Tensor

  /// Parameter k holds ((5 i + k) mod 7 - 3) / 4 at position i.
  init(_ dtype: DType = .float64, sizes: (Shape, Shape) = ([2, 3], [4])) {
    func values(_ index: Int, _ shape: Shape) -> Tensor {
      Tensor((0..<shape.count).map { Double(($0 * 5 + index) % 7 - 3) / 4 }, shape: shape)
        .converted(to: dtype)
    }
    a = values(0, sizes.0)
    b = values(1, sizes.1)
    count = .zeros([1], dtype)
  }

  mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&a, "a")
    visitor.visit(&b, "b")
    visitor.visitBuffer(&count, "count")
  }

  /// ((7 i + 5 step + 3 k) mod 11 - 5) / 8; the second parameter has none at step 2.
  func gradients(step: Int) -> Gradients {
    Gradients(
      parameters.enumerated().map { index, parameter in
        if index == 1 && step == 2 { return nil }
        let values = (0..<parameter.count).map {
          Double(($0 * 7 + step * 5 + index * 3) % 11 - 5) / 8
        }
        return Tensor(values, shape: parameter.shape).converted(to: parameter.dtype)
      })
  }

  var numbers: [Double] { a.doubles + b.doubles }
}

extension Optimizer {
  /// Steps `range` of the problem.
  mutating func run(_ model: inout Pair, _ range: Range<Int>) {
    for step in range { update(&model, along: model.gradients(step: step)) }
  }
}

/// An optimiser and where PyTorch's is after five steps.
struct Row: Sendable, CustomTestStringConvertible {
  let name: String
  let make: @Sendable () -> any Optimizer
  let expected: [Double]
  var testDescription: String { name }

  init(_ name: String, _ make: @escaping @Sendable () -> any Optimizer, _ expected: [Double]) {
    self.name = name
    self.make = make
    self.expected = expected
  }
}

/// The largest relative difference.
func distance(_ found: [Double], _ expected: [Double]) -> Double {
  guard found.count == expected.count else { return .infinity }
  return zip(found, expected).reduce(0) { worst, pair in
    let error = Swift.abs(pair.0 - pair.1) / max(Swift.abs(pair.1), 1e-300)
    return error.isNaN ? .infinity : max(worst, pair.0 == pair.1 ? 0 : error)
  }
}
