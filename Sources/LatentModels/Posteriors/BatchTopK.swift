// Codes of a fixed number of active latents on average: an example that is hard to say takes more of them than an
// easy one.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `relu(y)` where y is among the largest of the whole batch, as many as `active` for each vector of it, 0 elsewhere.
///
/// After training an example cannot depend on others: what is above a threshold stays, which is the running mean of the
/// smallest number that stayed in each batch.
public struct BatchTopKHead: PosteriorHead {
  /// Numbers of a vector that are not 0, in the mean.
  public let active: Int
  /// `[1]`, a buffer: what numbers must be above after training; -1 before the first step.
  public var threshold: Tensor

  /// How much of the running mean a step keeps.
  private static let decay = 0.999

  /// So many stay of each vector.
  public init(active: Int) {
    self.active = active
    threshold = Tensor(repeating: -1, shape: [1])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitBuffer(&threshold, "threshold")
  }

  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> Delta {
    let all = relu(raw)
    let code: Tensor
    if !context.isTraining {
      code = all * (all.detached .> threshold.converted(to: raw.dtype))
    } else {
      let wanted = active < raw.shape[-1] ? raw.count / raw.shape[-1] * active : raw.count
      code = all * raw.detached.flattened().largestMask(wanted).reshaped(raw.shape)
      let stayed = code.detached
      let infinity = stayed.zerosLike + .infinity
      let smallest = Tensor.where(stayed .> 0, stayed, infinity).min()
      // A batch without a positive number says nothing.
      if smallest.item.isFinite {
        context.update(threshold) { current in
          let old = current.item
          let value = smallest.item
          let decay = BatchTopKHead.decay
          return Tensor(
            repeating: old < 0 ? value : old * decay + value * (1 - decay), shape: [1],
            current.dtype)
        }
      }
    }
    context.show(code.activeCount(eventRank: eventRank), sparseActive)
    return Delta(code, eventRank: eventRank)
  }
}

/// Codes of a fixed number of active latents on average, in words.
public struct BatchTopKPosterior: PosteriorDescription {
  public static let name = "batch-topk"
  public static let origin = Origin(
    "a point of which only the largest numbers of the batch are not 0",
    paper: "Bussmann et al. 2024", equation: "6, 7",
    test: "LatentModelsTests/SparseCodeTests.swift")

  /// Latents of an example that stay, in the mean.
  public var active = 32

  public init() {}
  public func validate() throws { try check(size: active, "active") }
  public func outputCount(latents: Int) -> Double { Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { BatchTopKHead(active: active) }
}
