// Codes that agree with what another network knows of the data (Yao, Yang and Wang 2025, "Reconstruction vs.
// generation: taming optimization dilemma in latent diffusion models", arXiv 2501.01423): a latent space that a
// generator finds its way in.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How far codes are from features in direction, and how far what codes are to each other is from what features are to
/// each other: the marginal cosine and distance matrix similarity losses of VA-VAE.
///
/// Of codes z_i and features f_i of unit length: the mean of `relu(1 - cosineMargin - z_i f_i)`, and the mean over pairs of
/// `relu(|z_i z_j - f_i f_j| - distanceMargin)`. Pairs are the places of one picture; where codes have no places, the
/// examples of the batch. Both are 0 where codes are their features.
public struct Alignment: Sendable, Hashable {
  /// Codes whose cosine with their features is 1 less this, or more, cost nothing.
  public var cosineMargin: Double
  /// Cosines of pairs that differ by this, or less, cost nothing.
  public var distanceMargin: Double

  /// The margins of the paper unless others are given. Traps where one is negative.
  public init(cosineMargin: Double = 0.5, distanceMargin: Double = 0.25) {
    require(
      cosineMargin >= 0 && distanceMargin >= 0, "margins of \(cosineMargin), \(distanceMargin)")
    self.cosineMargin = cosineMargin
    self.distanceMargin = distanceMargin
  }

  /// Both costs of codes and features `[batch, places, width]`, each of shape `[]`.
  public func callAsFunction(
    _ codes: Tensor, _ features: Tensor
  ) -> (cosine: Tensor, distance: Tensor) {
    require(
      codes.rank == 3 && codes.shape == features.shape,
      "codes \(codes.shape) and features \(features.shape): expected [batch, places, width] of both"
    )
    let (z, f) = (unit(codes), unit(features))
    let cosine = relu(1 - cosineMargin - (z * f).sum(axes: [2])).mean()
    func pairs(_ directions: Tensor) -> Tensor {
      let rows = directions.shape[1] > 1 ? directions : directions.swapping(0, 1)
      return matmul(rows, rows, transpose: .right)
    }
    return (cosine, relu(abs(pairs(z) - pairs(f)) - distanceMargin).mean())
  }

  /// Directions of unit length; those of zeros are zeros.
  private func unit(_ x: Tensor) -> Tensor {
    x * reciprocalSqrt(square(x).sum(axes: [-1], keepingDimensions: true) + 1e-24)
  }
}

extension Tensor {
  /// Features `[batch, height, width, channels]` or `[batch, channels]` as `[batch, places, channels]` at the places of
  /// codes: means over the parts of the picture that a code stands for.
  func atPlaces(of codes: Shape) -> Tensor {
    let (batch, channels) = (shape[0], shape[-1])
    guard rank == 4 else { return reshaped([batch, 1, channels]) }
    if codes.rank == 3 {
      return adaptiveAveragePooled(to: .axes([codes[0], codes[1]])).reshaped([batch, -1, channels])
    }
    return mean(axes: [1, 2]).reshaped([batch, 1, channels])
  }
}
