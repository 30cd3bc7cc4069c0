// Encoding and decoding at low precision.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// This model with the weights of its encoder and decoder at low precision, for encoding, decoding
  /// and generating; it cannot be trained.
  ///
  /// `x` `[batch, ...]` are typical data, a few hundred of them for `int8`: they show how large the
  /// numbers become that meet the weights. The decoder sees latents from the posterior of `x` and from
  /// the prior. The prior's own weights stay float32 where the encoder does not share them.
  ///
  /// - Parameter isKept: Paths of weights that are to stay float32.
  public func quantized(
    _ precision: LowPrecision, calibratedOn x: Tensor,
    keeping isKept: (String) -> Bool = { _ in false }
  ) -> Self {
    var random = RandomStream(seed: 0).split("calibration")
    let fromPrior = samplePrior(max(x.shape[0], calibrationSamples), using: &random)
    return quantized(precision, keeping: isKept) { model in
      let posterior = model.encode(x)
      _ = model.decode(posterior.mean)
      // Some networks run only when a density is asked for.
      _ = model.decode(posterior.sample(using: &random)).logProbability(of: x)
      _ = model.decode(fromPrior)
    }
  }
}

/// Latents of the prior that the decoder's range is taken from, at least: 20 normal latents of each then
/// reach 4 standard deviations.
private let calibrationSamples = 512
