// What can be wrong with the samples that are to be measured.

import LatentNumerics

/// Why samples cannot be measured.
public enum SampleError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A metric needs more examples for an answer that means something.
  case tooFewExamples(metric: String, found: Int, expected: String)
  /// Two samples of unlike features, or none.
  case unlike(metric: String, real: Shape, fake: Shape)
  /// Features that hold NaN or infinity.
  case notFinite(metric: String, sample: String, count: Int)
  /// No feature network has this name.
  case unknownFeatures(name: String, known: [String])
  /// Examples that are no pictures, which feature networks are for.
  case noPictures(shape: Shape)

  public var description: String {
    switch self {
    case .tooFewExamples(let metric, let found, let expected):
      "\(metric) of \(found) examples: expected \(expected); take more, or fewer features"
    case .unlike(let metric, let real, let fake):
      "\(metric) between features \(real) and \(fake): expected [examples, dimensions] twice, with the same "
        + "number of dimensions and at least one example"
    case .notFinite(let metric, let sample, let count):
      "\(metric): \(count) of the numbers of the \(sample) sample are NaN or infinite; look at the examples "
        + "that they come from"
    case .unknownFeatures(let name, let known):
      "no feature network is called '\(name)': there is \(known.joined(separator: ", "))"
    case .noPictures(let shape):
      "features of examples of shape \(shape): expected pictures [batch, height, width, channels] of 1 to 4 "
        + "channels; compare other data by numbers of their own"
    }
  }
}
