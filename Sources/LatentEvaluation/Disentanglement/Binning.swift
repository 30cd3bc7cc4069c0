// The histogram discretiser of disentanglement_lib, and mutual information of what it makes.

import LatentAutodiff
import LatentNumerics

/// Numbers in bins of one width between the smallest and the largest; equal numbers are in one bin.
struct Binning: Sendable {
  /// The bin of each number, from 0.
  let bins: [Int32]

  /// A number on an edge belongs to the bin above, but for the last edge. So do numbers a rounding below an edge, so
  /// that a change of scale changes nothing.
  init(_ values: [Double], bins count: Int) {
    let (low, high) = (values.min() ?? 0, values.max() ?? 0)
    guard high > low else {
      bins = [Int32](repeating: 0, count: values.count)
      return
    }
    let scale = Double(count) / (high - low)
    bins = values.map { Int32(min(Double(count - 1), (($0 - low) * scale + 1e-9).rounded(.down))) }
  }
}

/// What every code tells of every factor.
struct InformationTable: Sendable {
  /// In nats, code by code, `[latent][factors]`; never negative.
  var information: [[Double]]
  /// The factors' entropies in nats.
  let entropies: [Double]

  /// Of codes in bins and factors in levels, by the shares of examples in cells (the plug-in estimate, whose bias for
  /// independent ones is about (bins - 1)(levels - 1) / (2 n)).
  init(binned: [Binning], bins: Int, levels: [[Int]], counts: [Int], _ draw: Resample) {
    let examples = levels.first?.count ?? 0
    let weights = draw.weights ?? [Double](repeating: 1, count: examples)
    // The factors of shuffled examples.
    let levels = draw.order.map { order in levels.map { own in order.map { own[$0] } } } ?? levels
    let pairs = binned.count * levels.count
    var found = [Double](repeating: 0, count: pairs)
    var entropies = [Double](repeating: 0, count: levels.count)
    for (factor, own) in levels.enumerated() {
      var sums = [Double](repeating: 0, count: counts[factor])
      for (level, weight) in zip(own, weights) { sums[level] += weight }
      entropies[factor] = ScoreMath.entropy(sums)
    }
    found.withUnsafeMutableBufferPointer { found in
      let found = found
      parallelFor(pairs) { pair in
        let (code, factor) = (pair / levels.count, pair % levels.count)
        let width = counts[factor]
        var cells = [Double](repeating: 0, count: bins * width)
        cells.withUnsafeMutableBufferPointer { cells in
          binned[code].bins.withUnsafeBufferPointer { bins in
            levels[factor].withUnsafeBufferPointer { levels in
              weights.withUnsafeBufferPointer { weights in
                for n in 0..<examples { cells[Int(bins[n]) * width + levels[n]] += weights[n] }
              }
            }
          }
        }
        let rows = (0..<bins).map { bin in
          (0..<width).reduce(0) { $0 + cells[bin * width + $1] }
        }
        found[pair] = max(
          0, ScoreMath.entropy(rows) + entropies[factor] - ScoreMath.entropy(cells))
      }
    }
    self.entropies = entropies
    information = (0..<binned.count).map { code in
      Array(found[code * levels.count..<(code + 1) * levels.count])
    }
  }
}

extension FactoredCodes {
  /// What resampling says of numbers that depend on the mutual information of the codes of the part to fit to, in
  /// `bins` bins, and the factors.
  func informationScores(
    bins: Int, using random: inout RandomStream, _ scores: (InformationTable) -> [Double]
  ) -> [Resampled] {
    let columns = train.codes.transposed.array
    let binned = (0..<latents).map { Binning(columns.rows($0..<$0 + 1).doubles, bins: bins) }
    return resampled(train.count, using: &random) { draw in
      scores(
        InformationTable(
          binned: binned, bins: bins, levels: train.levels, counts: factors.map(\.levels), draw))
    }
  }
}
