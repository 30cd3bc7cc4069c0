// Expected values computed by PyTorch in float64 (../shared/fixtures/README.md beside the
// package), and the rule that gives every implementation the same first weights and inputs.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics
import LatentStorage

/// One network of the benchmark workloads, with what belongs to it in PyTorch.
protocol FixtureNetwork: Sendable {
  associatedtype Model: LatentVariableModel where Model.Posterior == FixedNoise
  var name: String { get }
  /// Shape of one example as PyTorch has it, channels first.
  var inputShape: [Int] { get }
  /// PyTorch's parameters in its order, and where each is in ours.
  var parameters: [FixtureParameter] { get }
  /// Four examples as PyTorch has them.
  func inputs() -> Tensor
  /// How far the array `name` may be off where `usual` is the rule.
  func tolerance(of name: String, _ usual: Double) -> Double
  func emptyModel(noise: Tensor) -> Model
  /// The likelihood's parameters, as the fixtures store them but for the order of the axes.
  func output(_ likelihood: Model.Likelihood) -> Tensor
}

/// A parameter under PyTorch's name, shape and first values, and the path of ours.
struct FixtureParameter: Sendable {
  /// How first values are drawn.
  enum Start: Sendable { case uniform(fanIn: Int), scale, shift, embedding }
  /// How our layout differs.
  enum Layout: Sendable {
    case same
    /// Kernels: the second axis goes last.
    case channelsLast
    /// A linear layer after (columns) or before (rows) a flattened image [C, H, W].
    case columns([Int]), rows([Int])
  }
  var name: String
  var shape: Shape
  var start: Start
  var layout = Layout.same
  var path: String
  /// Rows of our parameter, where several of PyTorch's are one of ours.
  var rows: Range<Int>?

  static func linear(
    _ name: String, _ inputs: Int, _ outputs: Int, _ path: String, rows: Range<Int>? = nil,
    layout: Layout = .same
  ) -> [FixtureParameter] {
    var biasLayout = Layout.same
    if case .rows = layout { biasLayout = layout }
    let start = Start.uniform(fanIn: inputs)
    return [
      FixtureParameter(
        name: "\(name).weight", shape: [outputs, inputs], start: start, layout: layout,
        path: "\(path).weight", rows: rows),
      FixtureParameter(
        name: "\(name).bias", shape: [outputs], start: start, layout: biasLayout,
        path: "\(path).bias", rows: rows),
    ]
  }

  /// `shape` is the weight's, its second axis the one that goes last.
  static func convolution(
    _ name: String, _ shape: Shape, inputs: Int, outputs: Int, _ path: String
  ) -> [FixtureParameter] {
    let start = Start.uniform(fanIn: inputs * shape[2] * shape[3])
    return [
      FixtureParameter(
        name: "\(name).weight", shape: shape, start: start, layout: .channelsLast,
        path: "\(path).weight"),
      FixtureParameter(name: "\(name).bias", shape: [outputs], start: start, path: "\(path).bias"),
    ]
  }

  /// Float32 values by the rule for parameter number `index`, as float64.
  func firstValue(_ index: Int) -> Tensor {
    let values = FixtureRule.uniform(stream: index, count: shape.count).map { u -> Double in
      let centered = 2 * u - 1
      switch start {
      case .uniform(let fanIn): return Double(Float(centered / Double(fanIn).squareRoot()))
      case .scale: return Double(Float(1 + 0.1 * centered))
      case .shift, .embedding: return Double(Float(0.1 * centered))
      }
    }
    return Tensor(values, shape: shape)
  }

  func toOurs(_ tensor: Tensor) -> Tensor {
    switch layout {
    case .same: return tensor
    case .channelsLast: return tensor.permuted([0, 2, 3, 1])
    case .columns(let size):
      return tensor.reshaped(Shape([shape[0]] + size)).permuted([0, 2, 3, 1]).reshaped(shape)
    case .rows(let size):
      return tensor.reshaped(Shape(size + [shape.count / size.reduce(1, *)]))
        .permuted([1, 2, 0, 3]).reshaped(shape)
    }
  }

  func toTheirs(_ tensor: Tensor) -> Tensor {
    switch layout {
    case .same: return tensor
    case .channelsLast: return tensor.permuted([0, 3, 1, 2])
    case .columns(let size):
      return tensor.reshaped([shape[0], size[1], size[2], size[0]]).permuted([0, 3, 1, 2])
        .reshaped(shape)
    case .rows(let size):
      return tensor.reshaped([size[1], size[2], size[0], shape.count / size.reduce(1, *)])
        .permuted([2, 0, 1, 3]).reshaped(shape)
    }
  }
}

/// Wellons' lowbias32 over a counter.
enum FixtureRule {
  static func uniform(stream: Int, count: Int) -> [Double] {
    let start = UInt32(truncatingIfNeeded: (stream + 1) &* 0x9E37_79B1)
    return (0..<count).map { index in
      var h = UInt32(truncatingIfNeeded: index) &+ start
      h ^= h >> 16
      h = h &* 0x7FEB_352D
      h ^= h >> 15
      h = h &* 0x846C_A68B
      h ^= h >> 16
      return Double(h >> 8) / 16_777_216
    }
  }
}

extension FixtureNetwork {
  /// Weights, gradients and updated weights of the networks as benchmarked are stored as count, sum,
  /// sum of squares and the first 16 values; so are their other large arrays.
  var isReduced: Bool { name.hasSuffix("-full") }
  var path: String { fixtureFolder.appending(path: "\(name).h5").path }

  func tolerance(of name: String, _ usual: Double) -> Double { usual }

  /// Images of gray cells, channels first.
  func inputs() -> Tensor {
    let channels = inputShape.count == 3 ? inputShape[0] : 1
    let side = inputShape.count == 3 ? inputShape[1] : 28
    let cell = side == 28 ? 4 : side / 8
    let cells = side / cell
    let coarse = FixtureRule.uniform(stream: 1000, count: 4 * channels * cells * cells)
    let pixels = (0..<(4 * channels * side * side)).map { position -> Double in
      let (plane, y, x) = (position / (side * side), position / side % side, position % side)
      return Double(Float(coarse[(plane * cells + y / cell) * cells + x / cell]))
    }
    return Tensor(pixels, shape: Shape([4] + inputShape))
  }

  /// Ours from PyTorch's order of axes, and back.
  func channelsLast(_ x: Tensor) -> Tensor { x.rank == 4 ? x.permuted([0, 2, 3, 1]) : x }
  func channelsFirst(_ x: Tensor) -> Tensor { x.rank == 4 ? x.permuted([0, 3, 1, 2]) : x }

  /// The model with PyTorch's first weights.
  func model(_ dtype: DType, noise: Tensor) throws -> Model {
    var model = emptyModel(noise: channelsLast(noise).converted(to: dtype)).converted(to: dtype)
    var parts: [String: [Tensor]] = [:]
    for (index, parameter) in parameters.enumerated() {
      parts[parameter.path, default: []].append(parameter.toOurs(parameter.firstValue(index)))
    }
    try model.load(parts.mapValues { Tensor.concatenate($0, axis: 0).array })
    return model
  }

  /// Our parameters (or what belongs to them, in visiting order) under PyTorch's names.
  func named(_ tensors: [Tensor], of model: Model) -> [String: Tensor] {
    let paths = model.namedParameters.filter(\.isTrained).map(\.path)
    let ours = Dictionary(uniqueKeysWithValues: zip(paths, tensors))
    var result: [String: Tensor] = [:]
    for parameter in parameters {
      guard let tensor = ours[parameter.path] else { continue }
      let part = parameter.rows.map { tensor.sliced(0, $0) } ?? tensor
      result[parameter.name] = parameter.toTheirs(part.reshaped(ourShape(parameter, part)))
    }
    return result
  }

  private func ourShape(_ parameter: FixtureParameter, _ part: Tensor) -> Shape {
    if case .channelsLast = parameter.layout { return part.shape }
    return parameter.shape
  }
}

let fixtureFolder = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent().appending(path: "shared/fixtures")

/// The largest error, relative to the largest element. A stored vector of 3 to 19 numbers for a larger
/// array is its reduction: sums are compared relative to what their terms could add to.
func fixtureError(_ found: Tensor, _ expected: NDArray) -> Double {
  let (values, wanted) = (found.doubles, expected.doubles)
  let largest = max(values.reduce(0) { max($0, Swift.abs($1)) }, 1e-300)
  func worst(_ pairs: [(Double, Double)], _ scale: Double) -> Double {
    pairs.reduce(0) { worst, pair in
      let error = Swift.abs(pair.0 - pair.1) / scale
      return error.isNaN ? .infinity : max(worst, error)
    }
  }
  if found.shape == expected.shape { return worst(Array(zip(values, wanted)), largest) }
  let squares = values.reduce(0) { $0 + $1 * $1 }
  let first = Array(zip(values.prefix(16), wanted.dropFirst(3)))
  guard expected.shape.rank == 1, Int(wanted[0]) == values.count,
    wanted.count == 3 + min(16, values.count)
  else { return .infinity }
  return max(
    worst([(values.reduce(0, +), wanted[1])], (squares * Double(values.count)).squareRoot()),
    worst([(squares, wanted[2])], squares), worst(first, largest))
}
