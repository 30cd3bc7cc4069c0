// Losses that are a layer's own business: the commitment of a code book, the balance of experts, a penalty of
// activations. A layer notes them in the context, as it notes what its buffers become; whoever runs the step adds
// them to the loss, whichever it is.

import LatentAutodiff
import LatentNumerics

/// Something that a layer adds to the loss of a pass.
public struct NotedLoss: Sendable {
  /// The word for it in logs.
  public let name: String
  /// A scalar, the mean over the batch in the units of the loss.
  public let value: Tensor
  /// What it is multiplied by where it is added; 0 for a figure that is only to be seen.
  public let weight: Double
}

extension LayerContext {
  /// Adds `weight` times a scalar to the loss of this pass, and shows it by its name. Of one name twice, the
  /// sum is shown. Traps unless it is a scalar.
  public mutating func add(
    loss value: Tensor, _ name: String, weight: Double = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      value.rank == 0, "the loss \(name) has shape \(value.shape): expected a scalar", file: file,
      line: line)
    losses.append(NotedLoss(name: name, value: value, weight: weight))
  }

  /// Shows a figure beside the terms of the loss, without a derivative.
  public mutating func show(
    _ value: Tensor, _ name: String, file: StaticString = #fileID, line: UInt = #line
  ) {
    add(loss: value.detached, name, weight: 0, file: file, line: line)
  }

  /// The losses that were noted, which are forgotten.
  package mutating func takeLosses() -> [NotedLoss] {
    defer { losses = [] }
    return losses
  }
}
