// Data that a likelihood cannot have produced. A Bernoulli's logarithm of gray values up to 255 is a
// number like any other, and training on it goes well: the loss falls without end.

import LatentDistributions
import LatentModels

/// Numbers outside the support of a likelihood.
public struct DataMisfit: Error, Sendable, Equatable, CustomStringConvertible {
  /// Who takes numbers of the support only.
  public enum Taker: Sendable, Equatable {
    /// By its name, such as `Bernoulli`.
    case likelihood(String)
    /// By its description, such as `binarize`.
    case transform(String)
  }

  /// The name of the data.
  public let dataset: String
  /// Who cannot take them.
  public let taker: Taker
  /// What it takes.
  public let support: Support
  /// The range of all numbers that were looked at.
  public let smallest: Double
  /// The largest number that was looked at.
  public let largest: Double
  /// The first example with a number outside, and such a number.
  public let example: Int
  /// A number of that example outside the support.
  public let value: Double

  public var description: String {
    "data \(dataset): numbers from \(shown(smallest)) to \(shown(largest)), but "
      + "\(takerInWords) takes \(support); example \(example), the first outside, has \(shown(value)). "
      + remedy
  }

  private var takerInWords: String {
    switch taker {
    case .likelihood(let name): "the likelihood \(name)"
    case .transform(let text): "the transform \(text)"
    }
  }

  /// The way out.
  private var remedy: String {
    if !support.takesFractions {
      return "Number the values anew, or take a likelihood for as many as there are"
    }
    let scaling: String
    switch (smallest, largest) {
    case (0..., 1.5...255): scaling = "Divide them by 255"
    case (0..., 256...65_535): scaling = "Divide them by 65535"
    case (-1..<0, ...1): scaling = "Add 1 and halve them"
    default: scaling = "Scale them"
    }
    if case .transform = taker { return "\(scaling), or leave the transform out" }
    return "\(scaling), or take a likelihood of all numbers, such as normal"
  }
}

extension DataStatistics {
  /// - Throws: `DataMisfit` where a number lies outside.
  func check(
    _ support: Support, of taker: DataMisfit.Taker, origin: (Int) -> (dataset: String, index: Int)
  ) throws {
    for example in examples where example.smallest <= example.largest {
      guard let value = example.outside(support) else { continue }
      let (name, index) = origin(example.index)
      throw DataMisfit(
        dataset: name, taker: taker, support: support, smallest: smallest,
        largest: largest, example: index, value: value)
    }
  }
}

extension DataStatistics.Example {
  /// One of its numbers outside, nil where all are inside.
  fileprivate func outside(_ support: Support) -> Double? {
    if !support.contains(smallest.rounded(to: support)) { return smallest }
    if !support.contains(largest.rounded(to: support)) { return largest }
    return support.takesFractions ? nil : fraction
  }
}

extension Double {
  /// A soft target that misses an end by the rounding of a float's arithmetic is taken for it; a density
  /// makes no such difference.
  fileprivate func rounded(to support: Support) -> Double {
    let nearest = Swift.min(Swift.max(self, support.lowest), support.highest)
    return support.takesShares && abs(self - nearest) <= 1e-6 ? nearest : self
  }
}

/// A number for people.
func shown(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(Float(value))"
}
