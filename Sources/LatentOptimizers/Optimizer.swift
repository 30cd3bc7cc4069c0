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
  /// Whether the last update left parameters and state finite; nil where the rule does not look, so that
  /// its caller has to.
  var lastUpdateWasFinite: Bool? { get }
  /// The rule and its numbers, for logs and checkpoints.
  var summary: String { get }

  /// Replaces the model's parameters. `scale` multiplies the gradients first (clipping by norm).
  /// Parameters without a gradient stay as they are, without weight decay and momentum, as PyTorch's.
  mutating func update(_ model: inout some Module, along gradients: Gradients, scale: Double)

  /// The moments by name, for checkpoints; empty before the first update.
  var state: [String: NDArray] { get }
  /// Continues from a saved state.
  /// - Throws: `OptimizerStateMismatch` where names, sizes or types are not those of this rule and
  ///   `model`; the rule is then unchanged.
  mutating func restore(_ state: [String: NDArray], step: Int, for model: some Module) throws
}

extension Optimizer {
  public var lastUpdateWasFinite: Bool? { nil }

  /// One update along the gradients as they are.
  public mutating func update(_ model: inout some Module, along gradients: Gradients) {
    update(&model, along: gradients, scale: 1)
  }
}

/// A saved optimiser state that belongs to another rule or another model.
public struct OptimizerStateMismatch: Error, Sendable, Equatable, CustomStringConvertible {
  /// The state that this rule has for this model: names with sizes and types, sorted.
  public let expected: [String]
  /// The state that was given, in the same form.
  public let found: [String]

  public var description: String {
    "optimizer state: found \(found), expected \(expected): "
      + "the run was saved with another optimizer or another model"
  }
}
