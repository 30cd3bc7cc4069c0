// Bounds on gradients, applied between the backward pass and the update.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A bound on gradients.
public enum GradientClipping: Sendable, Hashable, Codable {
  /// The Euclidean norm of all gradients together (Pascanu, Mikolov and Bengio 2013).
  case norm(Double)
  /// The size of every element.
  case value(Double)
}

extension Gradients {
  /// Bounds the gradients. The result is the norm before, and the factor that the update still has to apply.
  public mutating func clip(_ rule: GradientClipping) -> (norm: Double, scale: Double) {
    let before = norm
    switch rule {
    case .norm(let limit):
      return (before, before > limit ? limit / (before + 1e-6) : 1)
    case .value(let limit):
      tensors = tensors.map { $0.map { Tensor($0.array.clamped(-limit, limit)) } }
      return (before, 1)
    }
  }
}
