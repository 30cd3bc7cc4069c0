// The mean of numbers of examples, and how far it may be from that of all examples there could be.

/// A mean and its standard error.
struct MeanWithError: Sendable, Hashable {
  let mean: Double
  /// sd / sqrt n, sd with divisor n - 1; nil of fewer than two numbers.
  let error: Double?

  init(_ values: [Double]) {
    let count = Double(values.count)
    let mean = values.reduce(0, +) / count
    self.mean = mean
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    error = values.count > 1 ? (squares / (count - 1) / count).squareRoot() : nil
  }
}
