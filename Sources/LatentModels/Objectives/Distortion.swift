// What a reconstruction costs: the likelihood, as everywhere else, or a distance of its mean from the data.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A cost of reconstructions, summed over an example.
public enum Distortion: Sendable, Hashable, CustomStringConvertible {
  /// -log p(x | z), complete, in nats.
  case likelihood
  /// |x - mean|².
  case squared
  /// sum log(cosh(a (x - mean))) / a: quadratic near 0, then |x - mean| (Chen et al. 2019).
  case logCosh(sharpness: Double)
  /// `weight` times 1 - MS-SSIM.
  case structural(StructuralSimilarity, weight: Double)

  public var description: String {
    switch self {
    case .likelihood: "likelihood"
    case .squared: "squared"
    case .logCosh(let sharpness): "logCosh(sharpness: \(sharpness))"
    case .structural(let similarity, let weight):
      "\(weight) * (1 - MS-SSIM(range: \(similarity.range)))"
    }
  }

  /// The cost of x `[batch, ...]` under a likelihood, `[..., batch]`; entries that the context's field
  /// `mask` hides cost nothing.
  ///
  /// Traps where a distance is asked for and the likelihood has no mean, or data are no floating-point
  /// numbers; and where pictures are compared under a mask.
  public func callAsFunction(
    _ likelihood: some EvaluableDistribution, _ x: Tensor, observedIn context: LayerContext
  ) -> Tensor {
    func mean() -> Tensor {
      require(
        x.dtype.isFloatingPoint,
        "the cost '\(self)' of data of \(x.dtype): expected floating-point numbers (the cost "
          + "'likelihood' takes any)")
      return likelihood.requiredMean(for: "the cost '\(self)'")
    }
    let axes = Array(-likelihood.eventShape.rank..<0)
    switch self {
    case .likelihood: return -likelihood.logProbability(of: x, observedIn: context)
    case .squared: return square(deviation(of: x, from: mean(), context)).sum(axes: axes)
    case .logCosh(let sharpness):
      // log cosh u = softplus(2 u) - u - log 2, which no u overflows.
      let u = deviation(of: x, from: mean(), context) * sharpness
      return (softplus(u * 2) - u - Foundation.log(2)).sum(axes: axes) / sharpness
    case .structural(let similarity, let weight):
      require(
        context.fields[FieldName.mask] == nil, "structural similarity of pictures with a mask")
      return (1 - similarity(x, mean())) * weight
    }
  }

  private func deviation(of x: Tensor, from mean: Tensor, _ context: LayerContext) -> Tensor {
    guard let mask = context.fields[FieldName.mask] else { return x - mean }
    let observed = (mask.detached.converted(to: mean.dtype) .!= 0).broadcast(to: mean.shape)
    // Selected, not multiplied: hidden entries may be NaN.
    return Tensor.where(observed, x - mean, mean.zerosLike)
  }
}

/// The costs that objectives without a divergence offer.
public enum ReconstructionCost: String, SettingWord {
  /// |x - mean|², a sum over the example, without constants: the cost of Wasserstein and regularised
  /// autoencoders.
  case squared
  /// -log p(x | z) in nats.
  case likelihood

  /// The cost itself.
  public var distortion: Distortion { self == .squared ? .squared : .likelihood }
}
