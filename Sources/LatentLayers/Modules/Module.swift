// A model is plain data: structs of tensors and other modules. One method visits the parameters;
// everything else (counting, saving, optimising, averaging) is a visitor.

import LatentAutodiff
import LatentNumerics

/// A part of a model that has parameters.
///
/// Write one line for each stored part, in a fixed order:
/// ```swift
/// mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
///   visitor.visit(&hidden, "hidden")
///   visitor.visit(&output, "output")
/// }
/// ```
/// The names joined by dots are the parameters' paths: `encoder.hidden.weight`.
public protocol Module: Sendable {
  /// Shows every stored part to the visitor, by a name and always in the same order.
  mutating func visitParameters(_ visitor: inout some ParameterVisitor)
}

/// Sees every parameter of a module in order and may replace it.
public protocol ParameterVisitor {
  /// A parameter: trained by gradients.
  mutating func visit(_ parameter: inout Tensor, _ name: String)
  /// State that is saved but not trained: running statistics, code books, fixed tables.
  mutating func visitBuffer(_ buffer: inout Tensor, _ name: String)
  /// A buffer that no forward pass changes, whatever it notes for it: the base of adapters.
  mutating func visitConstant(_ constant: inout Tensor, _ name: String)
  /// A parameter that goes whole into a product whose outputs lie on `channels`: at low precision it
  /// has scales of that form.
  mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels)
  /// Called around parameters that are computed with, which low precision cannot.
  mutating func enterArithmetic()
  /// Called after what `enterArithmetic` was called before.
  mutating func leaveArithmetic()
  /// Called around the parts of a module.
  mutating func enter(_ name: String)
  /// Called after the parts of a module.
  mutating func leave()
}

extension ParameterVisitor {
  public mutating func enter(_ name: String) {}
  public mutating func leave() {}
  public mutating func visitBuffer(_ buffer: inout Tensor, _ name: String) {}
  public mutating func visitConstant(_ constant: inout Tensor, _ name: String) {
    visitBuffer(&constant, name)
  }
  public mutating func enterArithmetic() {}
  public mutating func leaveArithmetic() {}

  public mutating func visitFactor(
    _ weight: inout Tensor, _ name: String, _ channels: ObservedWeight.Channels
  ) {
    visit(&weight, name)
  }

  /// Visits the parts of a module, whose names are put before theirs.
  public mutating func visit(_ module: inout some Module, _ name: String) {
    enter(name)
    module.visitParameters(&self)
    leave()
  }

  /// Visits a parameter that may be missing, such as a bias.
  public mutating func visit(_ parameter: inout Tensor?, _ name: String) {
    guard var value = parameter else { return }
    visit(&value, name)
    parameter = value
  }

  /// Visits a buffer that may be missing.
  public mutating func visitBuffer(_ buffer: inout Tensor?, _ name: String) {
    guard var value = buffer else { return }
    visitBuffer(&value, name)
    buffer = value
  }

  /// Visits the parts of a module that may be missing.
  public mutating func visit(_ module: inout (some Module)?, _ name: String) {
    guard var value = module else { return }
    visit(&value, name)
    module = value
  }

  /// Elements are named by their position: `blocks.0.weight`.
  public mutating func visit(_ modules: inout [some Module], _ name: String) {
    enter(name)
    for index in modules.indices { visit(&modules[index], "\(index)") }
    leave()
  }

  /// Visits the parts of a module whose type is not known here.
  public mutating func visit(_ module: inout any Module, _ name: String) {
    enter(name)
    module.visitParameters(&self)
    leave()
  }
}

/// A module from one tensor to one tensor.
public protocol Layer: Module {
  /// Evaluates the layer; `context` says whether it is being trained and brings the randomness.
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Tensor
}

extension Layer {
  /// Evaluates the layer as it is used after training.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Evaluation.of(self, file, line) {
      var context = LayerContext.inference
      return self(x, &context)
    }
  }
}

/// What a forward pass needs besides its input.
public struct LayerContext: Sendable {
  /// Whether the pass is one of training: dropout, batch statistics and noise ask this.
  public var isTraining: Bool
  /// The source of dropout, of latent samples and other noise.
  public var random: RandomStream
  /// The number of the training step, from 0: what warm-ups and temperatures depend on.
  public var step: Int
  /// The other fields of the batch: labels, conditions, masks, lengths.
  public var fields: [String: Tensor]
  /// What layers want their buffers to become; `Module.apply` makes it so.
  public internal(set) var bufferUpdates = BufferUpdates()
  /// What layers add to the loss of the pass, in the order they noted it.
  public internal(set) var losses: [NotedLoss] = []
  /// The type, if any, whose call without context this context was made for.
  package var unwrittenCall: ObjectIdentifier?

  /// A context for one pass. Training takes `random` from (seed, `step`), so that a resumed run
  /// draws the same.
  public init(
    isTraining: Bool, random: RandomStream, step: Int = 0, fields: [String: Tensor] = [:]
  ) {
    self.isTraining = isTraining
    self.random = random
    self.step = step
    self.fields = fields
  }

  /// After training: no dropout and no noise.
  public static let inference = LayerContext(isTraining: false, random: RandomStream(seed: 0))
}
