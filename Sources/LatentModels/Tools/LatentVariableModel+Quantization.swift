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
    _ precision: LowPrecision, calibratedOn x: Tensor, fields: [String: Tensor] = [:],
    keeping isKept: (String) -> Bool = { _ in false }
  ) -> Self {
    var random = RandomStream(seed: 0).split("calibration")
    // The rows of the fields, over and over, for as many latents as are wanted.
    let rounds = max(1, (calibrationSamples + x.shape[0] - 1) / max(1, x.shape[0]))
    let repeated = fields.mapValues { field in
      Tensor.concatenate(Array(repeating: field, count: rounds), axis: 0)
    }
    let count = fields.isEmpty ? max(x.shape[0], calibrationSamples) : rounds * x.shape[0]
    let fromPrior = samplePrior(count, fields: repeated, using: &random)
    return quantized(precision, keeping: isKept) { model in
      let posterior = model.encode(x, fields: fields)
      if let point = posterior.pointEstimate { _ = model.decode(point, fields: fields) }
      let drawn = model.decode(posterior.sample(using: &random), fields: fields)
      // Some networks run only when a density is asked for.
      _ = drawn.logProbability(of: x)
      _ = model.decode(fromPrior, fields: repeated)
    }
  }
}

/// Latents of the prior that the decoder's range is taken from, at least: 20 normal latents of each then
/// reach 4 standard deviations.
private let calibrationSamples = 512
