// Codes of which only the largest numbers stay: the sparse autoencoders that take activations of networks apart.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `relu(y)` where y is among the `active` largest of its vector, 0 elsewhere; of fewer latents all count.
public struct TopKHead: PosteriorHead {
  /// Numbers of a vector that are not 0, where so many are positive.
  public let active: Int

  /// So many stay.
  public init(active: Int) { self.active = active }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    let all = relu(raw)
    let code = active < raw.shape[-1] ? all * raw.detached.largestMask(active) : all
    context.show(code.activeCount(eventRank: eventRank), sparseActive)
    return Delta(code, eventRank: eventRank)
  }
}

/// What heads of sparse codes call the number of latents of an example that are not 0.
let sparseActive = "active"

extension Tensor {
  /// The mean over the batch of how many numbers of a code are not 0, shape `[]`.
  func activeCount(eventRank: Int) -> Tensor {
    let nonZero = (detached .!= 0).sum(axes: Array(rank - eventRank..<rank))
    return nonZero.mean()
  }
}

/// Codes of a fixed number of active latents, in words.
public struct TopKPosterior: PosteriorDescription {
  public static let name = "topk"
  public static let origin = Origin(
    "a point of which only the largest numbers are not 0", paper: "Gao et al. 2024",
    equation: "1", test: "LatentModelsTests/SparseCodeTests.swift")

  /// Latents of an example that stay.
  public var active = 32

  public init() {}
  public func validate() throws { try check(size: active, "active") }
  public func outputCount(latents: Int) -> Double { Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { TopKHead(active: active) }
}
