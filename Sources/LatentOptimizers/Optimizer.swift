// Rules that turn gradients into new parameters.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// An update rule with its state. A value: a copy is a snapshot.
public protocol Optimizer: Sendable {
  /// The step size; schedules write it before each update.
  var learningRate: Double { get set }
  /// Updates done so far.
  var step: Int { get }
  /// The rule and its numbers, for logs and checkpoints.
  var summary: String { get }

  /// Replaces the model's parameters. `scale` multiplies the gradients first (clipping by norm).
  mutating func update(_ model: inout some Module, along gradients: Gradients, scale: Double)

  /// The moments by name, for checkpoints; empty before the first update.
  var state: [String: NDArray] { get }
  /// Continues from a saved state.
  /// - Throws: `OptimizerStateMismatch` where names, sizes or types are not those of this rule and
  ///   `model`; the rule is then unchanged.
  mutating func restore(_ state: [String: NDArray], step: Int, for model: some Module) throws
}

extension Optimizer {
  public mutating func update(_ model: inout some Module, along gradients: Gradients) {
    update(&model, along: gradients, scale: 1)
  }
}

/// A saved optimiser state that belongs to another rule or another model.
public struct OptimizerStateMismatch: Error, Sendable, Equatable, CustomStringConvertible {
  /// Names with sizes and types.
  public let expected: [String]
  public let found: [String]

  public var description: String {
    "optimizer state: found \(found), expected \(expected): "
      + "the run was saved with another optimizer or another model"
  }
}

/// The model's parameters as one buffer, each starting at a multiple of 64 bytes.
///
/// After an update the model's tensors are views of the new buffer, so that packing costs nothing at the next one.
struct FlatParameters: Sendable {
  private(set) var buffer: NDArray?
  private var offsets: [Int] = []
  private var counts: [Int] = []
  private var shapes: [Shape] = []

  /// Takes the parameters out of the model as one buffer, of which nobody else is a holder unless
  /// the model was copied. `end` puts them back.
  mutating func begin(_ model: inout some Module) -> NDArray {
    let parameters = model.parameters
    let packed = pack(parameters)
    shapes = parameters.map(\.shape)
    let nothing = Tensor.zeros([0])
    model.setParameters(parameters.map { _ in nothing })
    buffer = nil
    return packed
  }

  /// Makes the model's parameters views of the updated buffer.
  mutating func end(_ updated: NDArray, _ model: inout some Module) {
    buffer = updated
    model.setParameters(
      shapes.indices.map { Tensor(updated.view(from: offsets[$0], shape: shapes[$0])) })
  }

  /// Packs the parameters unless they still are views of the buffer.
  private mutating func pack(_ parameters: [Tensor]) -> NDArray {
    if let buffer, counts == parameters.map(\.count),
      parameters.indices.allSatisfy({ parameters[$0].array.isView(of: buffer, from: offsets[$0]) })
    {
      return buffer
    }
    let dtype = parameters.first?.dtype ?? .float32
    counts = parameters.map(\.count)
    offsets = []
    for index in counts.indices {
      offsets.append(index == 0 ? 0 : offsets[index - 1] + FlatParameters.padded(counts[index - 1]))
    }
    var packed = NDArray(
      repeating: 0, shape: [FlatParameters.paddedCount(parameters)], dtype)
    for (index, parameter) in parameters.enumerated() where parameter.count > 0 {
      require(
        parameter.dtype == dtype,
        "an optimizer needs parameters of one type: found \(dtype) and \(parameter.dtype)")
      packed.overwrite(0, from: offsets[index], with: parameter.array.reshaped([parameter.count]))
    }
    buffer = packed
    return packed
  }

  private static func padded(_ count: Int) -> Int { (count + 15) / 16 * 16 }

  static func paddedCount(_ parameters: [Tensor]) -> Int {
    parameters.reduce(0) { $0 + padded($1.count) }
  }

  func segments(_ gradients: Gradients) -> [FlatSegment] {
    require(
      gradients.tensors.count == counts.count,
      "\(gradients.tensors.count) gradients for \(counts.count) parameters")
    return counts.indices.map {
      FlatSegment(
        gradient: gradients.tensors[$0]?.array, offset: offsets[$0], count: counts[$0])
    }
  }
}

/// The moment buffers of a rule and their names.
struct FlatState: Sendable {
  let names: [String]
  /// Buffers that a rule does not need with its settings stay empty.
  private let used: [Bool]
  private(set) var buffers: [NDArray] = []

  init(_ names: [String], used: [Bool]? = nil) {
    self.names = names
    self.used = used ?? names.map { _ in true }
  }

  /// Zeros of the parameters' size at first.
  mutating func prepare(like parameters: NDArray) {
    if buffers.isEmpty {
      buffers = sizes(parameters.count).map { NDArray(repeating: 0, shape: [$0], parameters.dtype) }
    }
    require(
      buffers.map(\.count) == sizes(parameters.count)
        && buffers.allSatisfy { $0.dtype == parameters.dtype },
      "an optimizer's state of \(buffers.map(\.count)) numbers cannot follow a model of "
        + "\(parameters.count) (padded) of \(parameters.dtype): make a new optimizer for a new model"
    )
  }

  private func sizes(_ count: Int) -> [Int] { used.map { $0 ? count : 0 } }

  /// Hands buffer `index` out for writing without a second holder, which would cost a copy.
  mutating func take(_ index: Int) -> NDArray {
    let taken = buffers[index]
    buffers[index] = NDArray(repeating: 0, shape: [0], taken.dtype)
    return taken
  }

  mutating func put(_ index: Int, _ buffer: NDArray) { buffers[index] = buffer }

  var named: [String: NDArray] {
    buffers.isEmpty ? [:] : Dictionary(uniqueKeysWithValues: zip(names, buffers))
  }

  /// Takes over saved moments. None at all are right before the first update only.
  mutating func restore(_ state: [String: NDArray], step: Int, for model: some Module) throws {
    if state.isEmpty && step == 0 {
      buffers = []
      return
    }
    let parameters = model.parameters
    let dtype = parameters.first?.dtype ?? .float32
    let counts = sizes(FlatParameters.paddedCount(parameters))
    let expected = zip(names, counts).map { "\($0) [\($1)] \(dtype)" }.sorted()
    let found = state.map { "\($0.key) [\($0.value.count)] \($0.value.dtype)" }.sorted()
    if found != expected { throw OptimizerStateMismatch(expected: expected, found: found) }
    buffers = names.compactMap { state[$0] }
  }
}
