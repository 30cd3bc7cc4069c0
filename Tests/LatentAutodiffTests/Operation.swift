// One operation with inputs to differentiate it at; the tables below hold one for every way an
// operation can be called, and every law of derivatives runs over all of them.

import LatentAutodiff
import LatentNumerics
import Testing

/// An operation, the shapes of its inputs, and where their elements are drawn from.
struct Operation: Sendable, CustomTestStringConvertible {
  /// A distribution of inputs that stays away from where a derivative does not exist.
  enum Draw: Sendable {
    /// Standard normal.
    case normal
    /// At least 0.15 from zero, either sign.
    case apart
    /// Between 0.4 and 2.4.
    case positive
    /// Between 0.05 and 0.95.
    case unit
    /// A matrix's worth of normals, well conditioned as a triangle: 1 + |x| on the diagonal.
    case triangular
  }

  struct Input: Sendable {
    var shape: Shape
    var draw: Draw

    static func normal(_ shape: Shape) -> Input { Input(shape: shape, draw: .normal) }
    static func apart(_ shape: Shape) -> Input { Input(shape: shape, draw: .apart) }
    static func positive(_ shape: Shape) -> Input { Input(shape: shape, draw: .positive) }
    static func unit(_ shape: Shape) -> Input { Input(shape: shape, draw: .unit) }
    static func triangular(_ shape: Shape) -> Input { Input(shape: shape, draw: .triangular) }
  }

  var name: String
  var inputs: [Input]
  var function: @Sendable ([Tensor]) throws -> Tensor

  var testDescription: String { "\(name) \(inputs.map(\.shape)), seed \(seed)" }

  /// A function of name and shapes, so that a new entry leaves the others' inputs alone.
  var seed: UInt64 {
    "\(name)\(inputs.map(\.shape))".utf8.reduce(0xcbf2_9ce4_8422_2325) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
  }

  /// The inputs, the same for any type but for rounding.
  func tensors(_ dtype: DType = .float64) -> [Tensor] {
    var stream = RandomStream(seed: seed)
    return inputs.map { input in
      let normal = stream.normalTensor(input.shape, .float64)
      let uniform = stream.uniformTensor(input.shape, .float64)
      let drawn: Tensor
      switch input.draw {
      case .normal: drawn = normal
      case .apart: drawn = normal + sign(normal) * 0.15
      case .positive: drawn = uniform * 2 + 0.4
      case .unit: drawn = uniform * 0.9 + 0.05
      case .triangular:
        let diagonal = Tensor.identity(input.shape[-1], .float64)
        drawn = normal * 0.5 + diagonal * (abs(normal) + 1)
      }
      return drawn.converted(to: dtype)
    }
  }
}

/// A list of operations under construction.
struct Table {
  private(set) var operations: [Operation] = []

  mutating func add(
    _ name: String, _ inputs: Operation.Input...,
    function: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) {
    operations.append(Operation(name: name, inputs: inputs, function: function))
  }

  mutating func add(
    _ name: String, _ inputs: [Operation.Input],
    function: @escaping @Sendable ([Tensor]) throws -> Tensor
  ) {
    operations.append(Operation(name: name, inputs: inputs, function: function))
  }
}

extension Operation {
  static let all =
    arithmetic + functions + reductions + movement + matrices + fused
    + convolutions + spatial + normalization + sequences
}

/// Constants of the type that the inputs have.
func constant(_ values: [Double], _ shape: Shape, like other: Tensor) -> Tensor {
  Tensor(values, shape: shape).converted(to: other.dtype)
}

/// Wraps a sum so that it is a scalar with different weights for all elements.
func weightedSum(_ x: Tensor) -> Tensor {
  let weights: [Double] = (0..<x.count).map { (index: Int) -> Double in
    0.3 + Double((31 * index + 7) % 19) / 13
  }
  return (x * constant(weights, x.shape, like: x)).sum()
}
