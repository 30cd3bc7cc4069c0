// What happens to a batch between the data set and the model. A transform is a small value with a
// description that can be parsed again, so that a checkpoint can say what its model was fed.

import LatentNumerics

/// A change of a batch that may be random.
///
/// The trainer calls it with a stream that is a function of (seed, step), so that a resumed run
/// sees the same noise. Its `description` is what `BatchTransforms.parse` reads.
public protocol BatchTransform: Sendable, Codable, CustomStringConvertible {
  /// Whether `random` is drawn from. What is not random is applied also where a trained model is used
  /// (`Dataset.seen(through:)`); true unless said otherwise.
  var isRandom: Bool { get }

  /// The changed batch: same examples, same `indices`.
  func callAsFunction(_ batch: Batch, using random: inout RandomStream) -> Batch
}

extension BatchTransform {
  public var isRandom: Bool { true }
}

/// The transforms by their descriptions.
public enum BatchTransforms {
  /// What `parse` understands, for help texts.
  public static let forms = ["none", "binarize", "threshold[:VALUE]"]

  /// The transform that `text` describes, nil for "none".
  ///
  /// Throws `DatasetError.badTransform` for anything else than `forms`.
  public static func parse(_ text: String) throws -> (any BatchTransform)? {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    switch (parts[0], parts.count) {
    case ("none", 1): return nil
    case ("binarize", 1): return DynamicBinarization()
    case ("threshold", 1): return FixedBinarization()
    case ("threshold", 2):
      guard let value = Double(parts[1]), (0...1).contains(value) else { break }
      return FixedBinarization(threshold: value)
    default: break
    }
    throw DatasetError.badTransform(text: text)
  }
}
