import LatentAutodiff
import LatentNumerics

/// Features cut into bins, so that the best split of a node is found in two passes over numbers of one byte.
struct BinnedFeatures: Sendable {
  /// For each feature the smallest and the largest value of each bin, ascending.
  let lows, highs: [[Double]]
  /// For each feature what a distance is to be multiplied by to be one of a feature of variance 1.
  let scales: [Double]
  /// For each feature and example its bin, feature by feature.
  let bins: [UInt8]
  /// The number of examples.
  let count: Int

  /// So that a bin fits a byte.
  static let mostBins = 256

  /// Of `features` `[examples, dimensions]`: a bin for each value where there are few, else for quantiles. Turning a
  /// feature around mirrors its bins.
  init(_ features: Tensor) {
    let wide = features.detached.converted(to: .float64)
    let columns = wide.transposed.array
    let (size, count) = (features.shape[1], features.shape[0])
    var (lows, highs): ([[Double]], [[Double]]) = ([], [])
    var bins = [UInt8](repeating: 0, count: size * count)
    for feature in 0..<size {
      let column = columns.rows(feature..<feature + 1).doubles
      let sorted = column.sorted()
      let starts = BinnedFeatures.starts(of: sorted)
      lows.append(starts.map { sorted[$0] })
      highs.append((starts.dropFirst() + [count]).map { sorted[$0 - 1] })
      let own = lows[feature]
      for (example, value) in column.enumerated() {
        bins[feature * count + example] = UInt8(BinnedFeatures.bin(of: value, lows: own))
      }
    }
    (self.lows, self.highs, self.bins, self.count) = (lows, highs, bins, count)
    scales = Standardization(of: wide).scale.doubles
  }

  /// The places in ascending values where bins begin; equal values are in one bin.
  private static func starts(of sorted: [Double]) -> [Int] {
    let changes = sorted.indices.dropFirst().filter { sorted[$0] != sorted[$0 - 1] }
    if changes.count < mostBins { return [0] + changes }
    let places = (1..<mostBins).map { piece in
      // Rounded towards the nearer end, so that both ends are treated alike.
      2 * piece <= mostBins
        ? piece * sorted.count / mostBins
        : sorted.count - (mostBins - piece) * sorted.count / mostBins
    }
    var result = [0]
    for place in places where place > 0 && sorted[place] != sorted[place - 1] {
      if place != result.last { result.append(place) }
    }
    return result
  }

  /// The last bin that does not begin above `value`.
  private static func bin(of value: Double, lows: [Double]) -> Int {
    var (low, high) = (0, lows.count)
    while high - low > 1 {
      let middle = (low + high) / 2
      if lows[middle] <= value { low = middle } else { high = middle }
    }
    return low
  }
}
