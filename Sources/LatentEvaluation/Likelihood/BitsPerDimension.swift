// Nats of an example as bits of one of its numbers, which can be compared between data of different sizes, provided that
// it is said what the numbers are: a density of data that were whole numbers is not the probability of these.

import Foundation

/// How the numbers that a likelihood is about stand to the data of a file.
public enum Dequantization: Sendable, Hashable, Codable {
  /// The likelihood is a probability of the data themselves: coin flips, classes.
  case discrete
  /// Data of so many levels were divided by their number (or by one less: the difference is neglected) and had noise
  /// of one level, uniform, added. The mean of the density's logarithm is then a lower bound of that of the
  /// probability (Theis, van den Oord and Bethge 2016, section 3.1).
  case uniformNoise(levels: Int)
  /// Data of so many levels were divided by their number, without noise: a density that has no bound, because it may be
  /// as high as one likes at the levels. Such numbers compare with others of the kind only.
  case none(levels: Int)

  /// Bits that a number has more as a whole number than as a density between 0 and 1.
  public var bits: Double {
    switch self {
    case .discrete: 0
    case .uniformNoise(let levels), .none(let levels): log2(Double(levels))
    }
  }

  /// In words, for measurements.
  var words: String {
    switch self {
    case .discrete: "discrete data"
    case .uniformNoise(let levels): "uniform noise of one of \(levels) levels"
    case .none(let levels): "a density of data of \(levels) levels, without noise: no bound"
    }
  }
}

/// `nats` of an example of `dimensions` numbers in bits of one number: nats / (D log 2) and what the levels add.
public func bitsPerDimension(
  nats: Double, dimensions: Int, _ dequantization: Dequantization
) -> Double {
  nats / (Double(dimensions) * log(2)) + dequantization.bits
}

extension MetricValue {
  /// A negative log-likelihood, or a bound of it, in bits of one of the `dimensions` numbers of an example.
  public func inBitsPerDimension(
    dimensions: Int, _ dequantization: Dequantization
  ) -> MetricValue {
    // The evidence lower bound has the other sign.
    let nats = metric.direction == .higher ? -value : value
    var settings = settings
    settings["of"] = metric.name
    settings["dimensions"] = "\(dimensions)"
    settings["dequantization"] = dequantization.words
    return MetricValue(
      .bitsPerDimension, part: metric.name,
      LatentEvaluation.bitsPerDimension(nats: nats, dimensions: dimensions, dequantization),
      standardError: standardError.map { $0 / (Double(dimensions) * log(2)) },
      chance: dequantization == .discrete ? nil : dequantization.bits, ceiling: nil, count: count,
      settings: settings)
  }
}

extension Metric {
  /// Bits of one number of an example.
  public static let bitsPerDimension = Metric(
    "bits-per-dimension", title: "Bits per dimension",
    formula:
      "-log p(x) / (D log 2), plus log2 of the number of levels for densities of data that were divided by it; "
      + "the setting 'dequantization' says which; standard error: that of nats in these units",
    paper: "Theis, van den Oord and Bethge 2016, section 3.1", unit: .bitsPerDimension,
    better: .lower, chance: "log2 of the number of levels: every level alike",
    ceiling: "the entropy of the data, not known", cost: "nothing beside nats",
    test: "LatentEvaluationTests/Likelihood/BoundTests.swift")
}
