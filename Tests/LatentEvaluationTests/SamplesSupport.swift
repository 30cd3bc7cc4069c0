// Samples with moments that are known exactly, and what is asked of measurements.

import Latent

/// Rows as a float64 tensor.
func rows(_ rows: [[Double]]) -> Tensor {
  Tensor(rows.flatMap { $0 }, shape: [rows.count, rows[0].count])
}

/// `count` draws of N(0, I) in `size` dimensions, float64.
func normals(_ count: Int, _ size: Int, seed: UInt64) -> Tensor {
  var random = RandomStream(seed: seed)
  return random.normalTensor([count, size], .float64)
}

/// Two examples for each dimension and the origin once more, with the mean 0 and the covariance I (divisor n - 1).
func unitSample(_ size: Int) -> [[Double]] {
  let count = 2 * size + 1
  let length = (Double(count - 1) / 2).squareRoot()
  var examples = [[Double]](repeating: Array(repeating: 0, count: size), count: count)
  for axis in 0..<size {
    examples[2 * axis][axis] = length
    examples[2 * axis + 1][axis] = -length
  }
  return examples
}

extension TwoSampleMetric {
  /// The number of a definition, and its part.
  func value(
    _ metric: Metric, part: String? = nil, real: Tensor, fake: Tensor, seed: UInt64 = 1
  ) throws -> MetricValue {
    var random = RandomStream(seed: seed)
    let all = try self(real: real, fake: fake, using: &random)
    guard let found = all.first(where: { $0.metric == metric && $0.part == part }) else {
      fatalError("\(type(of: self)) has no \(metric.name) \(part ?? "")")
    }
    return found
  }
}

/// The root of the mean of squared standard errors, and the sample deviation of the values: they should agree.
func errorsAndSpread(_ measurements: [MetricValue]) -> (error: Double, spread: Double) {
  let count = Double(measurements.count)
  let values = measurements.map(\.value)
  let mean = values.reduce(0, +) / count
  let spread = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / (count - 1)
  let squares = measurements.map { found in
    let error = found.standardError ?? .nan
    return error * error
  }
  return ((squares.reduce(0, +) / count).squareRoot(), spread.squareRoot())
}

extension Double {
  /// Whether it is `other` within `tolerance`, relative where `other` is larger than 1.
  func isClose(_ other: Double, _ tolerance: Double = 1e-9) -> Bool {
    abs(self - other) <= tolerance * max(1, abs(other))
  }
}
