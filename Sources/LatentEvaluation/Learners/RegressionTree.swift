import LatentNumerics

/// A binary tree of a fixed depth in one array, the children of node i at 2 i + 1 and 2 i + 2. A node that is not split
/// sends everything to the left.
struct RegressionTree: Sendable {
  /// The feature that each inner node asks for; negative where it does not.
  private(set) var features: [Int]
  /// Larger values go to the right.
  private(set) var thresholds: [Double]
  /// What each leaf says.
  private(set) var leaves: [Double]
  /// How much each feature has lowered the sum of squares.
  private(set) var gains: [Double]

  /// Grown on residuals, by the split that lowers their sum of squares most at every node (Friedman 2001). Small nodes
  /// have many splits that are as good; of these the one with the widest gap between both sides is taken, in standard
  /// deviations of its feature, so that neither the order of features nor their signs and scales matter. `places` gets
  /// the leaf of each example.
  init(
    _ data: BinnedFeatures, residuals: UnsafePointer<Double>, depth: Int,
    places: UnsafeMutablePointer<UInt8>
  ) {
    let inner = (1 << depth) - 1
    features = [Int](repeating: -1, count: inner)
    thresholds = [Double](repeating: 0, count: inner)
    leaves = [Double](repeating: 0, count: 1 << depth)
    gains = [Double](repeating: 0, count: data.lows.count)
    let count = data.count
    var squares = 0.0
    for example in 0..<count {
      places[example] = 0
      squares += residuals[example] * residuals[example]
    }
    // Below this a gain is rounding.
    let least = 1e-12 * squares
    let width = BinnedFeatures.mostBins
    for level in 0..<depth {
      let nodes = 1 << level
      var best = [Split](repeating: Split(gain: least), count: nodes)
      for feature in data.lows.indices where data.lows[feature].count > 1 {
        withUnsafeTemporaryAllocation(of: Double.self, capacity: 2 * nodes * width) { buffer in
          let sums = buffer.baseAddress.unsafelyUnwrapped
          let counts = sums + nodes * width
          buffer.initialize(repeating: 0)
          data.bins.withUnsafeBufferPointer { bins in
            let own = bins.baseAddress.unsafelyUnwrapped + feature * count
            for example in 0..<count {
              let cell = Int(places[example]) * width + Int(own[example])
              sums[cell] += residuals[example]
              counts[cell] += 1
            }
          }
          for node in 0..<nodes {
            best[node].improve(
              sums + node * width, counts + node * width, feature: feature, data: data)
          }
        }
      }
      for (node, split) in best.enumerated() where split.feature >= 0 {
        features[nodes - 1 + node] = split.feature
        thresholds[nodes - 1 + node] = split.threshold
        gains[split.feature] += split.gain
      }
      data.bins.withUnsafeBufferPointer { bins in
        let bins = bins.baseAddress.unsafelyUnwrapped
        best.withUnsafeBufferPointer { best in
          for example in 0..<count {
            let node = Int(places[example])
            let split = best[node]
            let isRight =
              split.feature >= 0 && Int(bins[split.feature * count + example]) > split.lastLeft
            places[example] = UInt8(2 * node + (isRight ? 1 : 0))
          }
        }
      }
    }
  }

  /// Sets what the leaves say.
  mutating func setLeaves(_ values: [Double]) { leaves = values }

  /// Adds `rate` times what the tree says of some rows of a table of `size` columns to scores, of which every
  /// `stride`-th is of the next row.
  func add(
    _ rate: Double, of table: UnsafePointer<Double>, size: Int, rows: Range<Int>,
    to scores: UnsafeMutablePointer<Double>, stride: Int
  ) {
    let inner = features.count
    features.withUnsafeBufferPointer { features in
      thresholds.withUnsafeBufferPointer { thresholds in
        leaves.withUnsafeBufferPointer { leaves in
          for row in rows {
            var node = 0
            while node < inner {
              let feature = features[node]
              let isRight = feature >= 0 && table[row * size + feature] > thresholds[node]
              node = 2 * node + (isRight ? 2 : 1)
            }
            scores[row * stride] += rate * leaves[node - inner]
          }
        }
      }
    }
  }

  /// The best split of a node so far.
  private struct Split {
    var gain: Double
    var feature = -1
    /// The last bin of the left side.
    var lastLeft = 0
    var threshold = 0.0
    /// The gap between both sides in standard deviations.
    var gap = 0.0

    /// Gains and gaps that differ by less than this share are alike: they come of sums in another order.
    private static let rounding = 1e-9

    /// Compares the splits of one feature, of whose bins `sums` and `counts` are.
    mutating func improve(
      _ sums: UnsafePointer<Double>, _ counts: UnsafePointer<Double>, feature: Int,
      data: BinnedFeatures
    ) {
      let (lows, highs) = (data.lows[feature], data.highs[feature])
      var (total, all) = (0.0, 0.0)
      for bin in lows.indices {
        total += sums[bin]
        all += counts[bin]
      }
      guard all > 1 else { return }
      let base = total * total / all
      var (left, number, last) = (0.0, 0.0, 0)
      // Bins without examples of this node are passed over: the threshold lies between examples.
      for bin in lows.indices where counts[bin] > 0 {
        if number > 0 {
          let rest = all - number
          let gain = left * left / number + (total - left) * (total - left) / rest - base
          let gap = (lows[bin] - highs[last]) * data.scales[feature]
          let margin = Split.rounding * self.gain
          if gain > self.gain + margin
            || (gain > self.gain - margin && self.feature >= 0
              && gap > self.gap * (1 + Split.rounding))
          {
            self = Split(
              gain: gain, feature: feature, lastLeft: last,
              threshold: highs[last] + (lows[bin] - highs[last]) / 2, gap: gap)
          }
        }
        left += sums[bin]
        number += counts[bin]
        last = bin
      }
    }
  }
}
