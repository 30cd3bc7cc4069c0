// The density of a draw as a function of the draw alone. "Sticking the landing" (Roeder, Wu and
// Duvenaud 2017) and what followed from it drop the derivative of log q by its parameters, whose
// expectation is zero, and keep the one through the draw.

/// A distribution that can be had with constant parameters.
///
/// Conform where the support does not depend on the parameters: else the dropped term has another
/// expectation than zero.
public protocol DetachableDistribution: EvaluableDistribution {
  /// The same distribution, whose parameters carry no derivative.
  var detached: Self { get }
}
