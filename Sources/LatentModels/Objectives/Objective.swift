// What is minimised. An objective sees the model and one batch and returns a scalar with its named
// parts, all in nats per example.

import LatentAutodiff
import LatentDistributions
import LatentLayers

/// A loss: the scalar that is minimised and the parts worth seeing.
public struct LossTerms: Sendable {
  /// The mean over the batch of what is minimised, nats per example, shape `[]`.
  public var total: Tensor
  /// What `total` would be with the warm-up over, shape `[]`; nil where that is `total` itself. Totals
  /// of a warm-up are no measure of progress, because terms that hardly count yet make them small:
  /// where there is no validation set, epochs are compared by this.
  public var afterWarmup: Tensor?
  /// Parts by name, each shape `[]`, in the order they are shown.
  public var terms: [(name: String, value: Tensor)]
  /// How the divergence from the prior was computed, where there is one.
  public var klMethod: KLDivergence.Method?
  /// What later turns of the same step find in `context.fields`, as constants: codes that a critic
  /// is to judge need not be computed again.
  public var handover: [String: Tensor] = [:]

  /// Terms in the order they are shown.
  public init(
    total: Tensor, terms: [(name: String, value: Tensor)], klMethod: KLDivergence.Method? = nil,
    afterWarmup: Tensor? = nil
  ) {
    self.total = total
    self.afterWarmup = afterWarmup
    self.terms = terms
    self.klMethod = klMethod
  }

  /// The part of this name.
  public subscript(name: String) -> Tensor? { terms.first { $0.name == name }?.value }

  /// Adds what layers noted, and shows it after the other parts.
  public mutating func add(_ losses: [NotedLoss]) {
    for loss in losses {
      if loss.weight != 0 {
        let share = loss.value * loss.weight
        total = total + share
        afterWarmup = afterWarmup.map { $0 + share }
      }
      if let index = terms.firstIndex(where: { $0.name == loss.name }) {
        terms[index].value = terms[index].value + loss.value
      } else {
        terms.append((loss.name, loss.value))
      }
    }
  }
}

/// One loss of the model alone: a rule that scores a model on a batch.
public protocol Objective<Model>: TrainingObjective where Parts == NoParts {
  associatedtype Model
  associatedtype Parts = NoParts
  /// Loss of `model` on x `[batch, ...]`; other fields of the batch are in the context.
  func callAsFunction(_ model: Model, _ x: Tensor, _ context: inout LayerContext) -> LossTerms
}

extension Objective {
  /// The loss of the only player.
  public func loss(
    of turn: Int, _ model: Model, _ parts: NoParts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    self(model, x, &context)
  }
}
