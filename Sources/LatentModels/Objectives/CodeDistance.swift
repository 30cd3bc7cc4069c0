// Distances between a batch of codes and as many draws of the prior, which need no density of either.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A distance between two sets of equally many codes, differentiable by the first.
public protocol CodeDistance: Sendable {
  /// The distance of codes z `[batch, ...]` from constant codes y of the same shape, `[]`.
  func callAsFunction(
    from z: Tensor, to y: Tensor, using random: inout RandomStream
  ) -> Tensor
  /// The fewest codes of a sample.
  var smallestSample: Int { get }
  /// The name of the term in a loss.
  var term: String { get }
}

extension CodeDistance {
  public var smallestSample: Int { 1 }
}

extension Distribution {
  /// As many draws of this prior as there are codes of posterior `q`, in `q`'s shape and without derivative:
  /// distances move the codes, never the prior.
  func draws(beside q: some Distribution, using random: inout RandomStream) -> Tensor {
    sample(batchShape.rank == 0 ? q.batchShape : [], using: &random).detached
  }
}
