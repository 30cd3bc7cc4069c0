// Players that wait for each other: who is too far ahead does not move.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A critic, and how the last step went for it.
public struct GatedCritic: Module {
  /// The critic, at `objective.critic`.
  public var critic: PictureCritic
  /// -log D(x) of real and -log(1 - D(x')) of made-up data in the step before, nats, `[2]`.
  public var losses: Tensor

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&critic, "critic")
    visitor.visitBuffer(&losses, "losses")
  }
}

/// When decoder and critic of a game move, by how well the critic tells real from made-up data (the
/// program of Larsen et al. 2016).
///
/// The critic waits while one of its losses lies below `equilibrium - margin`, the decoder while one lies above
/// `equilibrium + margin`; nobody waits where both would.
struct Gates {
  /// The loss at which neither is ahead.
  let equilibrium: Double
  /// How far losses may be from there.
  let margin: Double

  /// Whether decoder and critic move after the losses of a `GatedCritic`.
  func open(after losses: Tensor) -> (decoder: Bool, critic: Bool) {
    let losses = losses.doubles
    return open(real: losses[0], fake: losses[1])
  }

  /// Whether decoder and critic move after such losses.
  func open(real: Double, fake: Double) -> (decoder: Bool, critic: Bool) {
    let decoder = max(real, fake) <= equilibrium + margin
    let critic = min(real, fake) >= equilibrium - margin
    return decoder || critic ? (decoder, critic) : (true, true)
  }
}
