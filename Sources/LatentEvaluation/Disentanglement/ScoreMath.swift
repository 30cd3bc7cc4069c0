import Foundation

/// Small sums that many scores need.
enum ScoreMath {
  /// The entropy of counts, or of weights, in nats, 0 log 0 being 0; 0 of nothing.
  static func entropy(_ counts: some Sequence<Double>) -> Double {
    var (sum, logs) = (0.0, 0.0)
    for count in counts where count > 0 {
      sum += count
      logs += count * log(count)
    }
    return sum > 0 ? max(0, log(sum) - logs / sum) : 0
  }

  /// The mean; NaN of nothing.
  static func mean(_ values: some Collection<Double>) -> Double {
    values.reduce(0, +) / Double(values.count)
  }

  /// The largest and the second largest of some numbers; the second is 0 where there is one.
  static func largestTwo(_ values: some Sequence<Double>) -> (first: Double, second: Double) {
    let sorted = values.sorted(by: >)
    return (sorted.first ?? 0, sorted.count > 1 ? sorted[1] : 0)
  }

  /// The standard error of the mean of several accuracies, each of `count` independent examples.
  static func binomialError(_ accuracies: [Double], count: Int) -> Double {
    let variance = accuracies.reduce(0) { $0 + $1 * (1 - $1) / Double(count) }
    return variance.squareRoot() / Double(accuracies.count)
  }
}
