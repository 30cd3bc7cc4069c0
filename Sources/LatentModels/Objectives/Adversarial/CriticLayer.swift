// One of a critic's hidden layers as a measure of how alike things are (Larsen et al. 2016, equation 7).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A critic, and the hidden layer of it that compares.
struct CriticLayer {
  let critic: PictureCritic
  /// Counted back from the logits: 1 is the layer before them.
  let layer: Int

  /// What the layer makes of x `[batch, ...]`, `[batch, features]`, and the logits, from one pass.
  func callAsFunction(_ x: Tensor) -> (features: Tensor, logits: Tensor) {
    let values = critic.activations(x)
    let last = values.count - 1
    require(
      (1...last).contains(layer),
      "layer \(layer) before the logits of a critic of \(last) hidden layers")
    return (values[last - layer].flattened(from: 1), values[last])
  }

  /// -log N(target; features, 1), the mean over the batch.
  static func distance(_ features: Tensor, from target: Tensor) -> Tensor {
    -(DiagonalNormal(mean: features, standardDeviation: 1).logProbability(of: target).mean())
  }
}
