// How sure a score is, and what it is of codes that know nothing: the same score of other draws of the examples (Efron
// 1979), and of examples whose factors were dealt out anew.

import LatentNumerics

/// Which examples a score is taken of.
struct Resample: Sendable {
  /// How often each example counts; nil: once.
  var weights: [Double]?
  /// Whose factors each code is put beside; nil: its own.
  var order: [Int]?
}

/// A score, the standard deviation that it has under the bootstrap, and its mean over shuffled factors.
struct Resampled: Sendable {
  let value: Double
  let standardError: Double
  /// NaN where nothing was shuffled.
  let chance: Double
}

/// Draws of the bootstrap: their standard deviation is known to an eighth.
private let replicates = 32
/// Shuffles: enough for a mean whose own error is small beside the scores.
private let shuffles = 8

/// Some scores of `count` examples with what resampling says of them; `shuffles` is 0 for scores that see no factors.
func resampled(
  _ count: Int, shuffles: Int = shuffles, using random: inout RandomStream,
  _ scores: (Resample) throws -> [Double]
) rethrows -> [Resampled] {
  let values = try scores(Resample())
  let draws = try (0..<replicates).map { _ in
    var weights = [Double](repeating: 0, count: count)
    for place in random.uniform([count], .float64).doubles {
      weights[min(count - 1, Int(place * Double(count)))] += 1
    }
    return try scores(Resample(weights: weights))
  }
  let chances = try (0..<shuffles).map { _ in
    try scores(Resample(order: random.permutation(count)))
  }
  return values.indices.map { index in
    let own = draws.map { $0[index] }
    let mean = own.reduce(0, +) / Double(own.count)
    let squares = own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return Resampled(
      value: values[index], standardError: (squares / Double(own.count - 1)).squareRoot(),
      chance: chances.reduce(0) { $0 + $1[index] } / Double(chances.count))
  }
}
