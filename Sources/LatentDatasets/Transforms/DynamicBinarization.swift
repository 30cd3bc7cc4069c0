// Gray images as probabilities: each time an image is seen, its pixels are drawn anew
// (Salakhutdinov and Murray 2008, "On the quantitative analysis of deep belief networks"; the
// protocol of Burda, Grosse and Salakhutdinov 2016). It keeps a Bernoulli decoder honest: its
// log-probability is then one of binary data, comparable between papers.

import LatentNumerics

/// Replaces inputs in [0, 1] by Bernoulli draws with those probabilities: 0 or 1, anew each time.
public struct DynamicBinarization: BatchTransform, Hashable {
  /// Draws anew at every batch.
  public init() {}

  public var description: String { "binarize" }

  public var isRandom: Bool { true }

  /// Takes one draw of `random`. Inputs outside [0, 1] count as 0 or 1.
  public func callAsFunction(_ batch: Batch, using random: inout RandomStream) -> Batch {
    var batch = batch
    let probabilities = batch.inputs
    let noise = random.uniform(probabilities.shape, probabilities.dtype)
    batch.inputs = noise.binary(.less, probabilities, name: "binarize")
    return batch
  }
}
