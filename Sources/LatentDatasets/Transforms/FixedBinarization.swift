// The other habit of the literature: a pixel is on where it is brighter than a threshold, always
// the same. Log-probabilities are not comparable with those of dynamic binarisation.

import LatentNumerics

/// Replaces inputs by 1 where they exceed `threshold` and 0 elsewhere.
public struct FixedBinarization: BatchTransform, Hashable {
  /// Inputs above it become 1, others 0.
  public let threshold: Double

  /// Half of the range unless given.
  public init(threshold: Double = 0.5) { self.threshold = threshold }

  public var description: String { "threshold:\(threshold)" }

  public var isRandom: Bool { false }

  /// Takes no draw of `random`.
  public func callAsFunction(_ batch: Batch, using random: inout RandomStream) -> Batch {
    var batch = batch
    batch.inputs = batch.inputs.binary(.greater, scalar: threshold)
    return batch
  }
}
