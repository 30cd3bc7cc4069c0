// Distributions on spaces that are neither flat nor a sphere around 0: between two points, the straight line and the
// great circle may leave them.

import LatentAutodiff

/// A distribution on a curved space that knows its shortest paths.
public protocol GeodesicDistribution: Distribution {
  /// Points on the shortest path between two values `[..., event]`, ends included, at equal distances:
  /// `[steps, ..., event]`, from 2 steps on.
  func path(from start: Tensor, to end: Tensor, steps: Int) -> Tensor
}
