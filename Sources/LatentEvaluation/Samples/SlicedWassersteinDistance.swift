// The Wasserstein distance along random lines between two samples, for any two sizes. The term of an objective, with
// derivatives, is `SlicedWasserstein` of `LatentModels`.

import LatentAutodiff
import LatentNumerics

/// The mean over random directions of W_2² between the projections of both samples, and the same in the scaling of MIND.
public struct SlicedWassersteinDistance: TwoSampleMetric {
  /// The lines that features are projected onto.
  public let directions: Int

  /// Traps unless there are two directions.
  public init(directions: Int = 1000, file: StaticString = #fileID, line: UInt = #line) {
    require(directions > 1, "\(directions) directions", file: file, line: line)
    self.directions = directions
  }

  public static let metrics: [Metric] = [.slicedWasserstein, .mind]

  /// Lines whose projections are in memory at once.
  private static let group = 64

  /// Both numbers, with their standard errors over directions.
  public func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.slicedWasserstein, real: real, fake: fake)
    let normal = random.normal([directions, pair.d], .float64)
    let lengths = normal.reduced(.sumOfSquares, axes: [1], keepingDimensions: true).unary(.sqrt)
    let lines = normal.binary(.divide, lengths)
    var distances = [Double](repeating: 0, count: directions)
    for start in stride(from: 0, to: directions, by: SlicedWassersteinDistance.group) {
      let some = lines.rows(start..<min(start + SlicedWassersteinDistance.group, directions))
      let (first, second) = (
        some.matmul(pair.real, transpose: .right), some.matmul(pair.fake, transpose: .right)
      )
      distances.withUnsafeMutableBufferPointer { distances in
        nonisolated(unsafe) let distances = distances
        parallelFor(some.shape[0]) { line in
          distances[start + line] = transportCost(
            first[line].doubles.sorted(), second[line].doubles.sorted())
        }
      }
    }
    let (mean, error) = meanAndError(distances)
    let settings = ["directions": "\(directions)"]
    let scale = 3 * Double(pair.d)
    return [
      MetricValue(
        .slicedWasserstein, mean, standardError: error, ceiling: 0, count: pair.count,
        settings: settings),
      MetricValue(
        .mind, scale * mean, standardError: error.map { scale * $0 }, ceiling: 0,
        count: pair.count, settings: settings),
    ]
  }
}

/// W_2² between the uniform distributions on two ascending lists of numbers: the integral of the squared difference of
/// their quantile functions, which are steps of 1 / n and 1 / m.
func transportCost(_ first: [Double], _ second: [Double]) -> Double {
  let (n, m) = (first.count, second.count)
  var (i, j, position, sum) = (0, 0, 0, 0.0)
  // In units of 1 / (n m).
  while i < n && j < m {
    let next = min((i + 1) * m, (j + 1) * n)
    let difference = first[i] - second[j]
    sum += Double(next - position) * difference * difference
    if next == (i + 1) * m { i += 1 }
    if next == (j + 1) * n { j += 1 }
    position = next
  }
  return sum / Double(n * m)
}

extension Metric {
  /// The sliced Wasserstein distance.
  public static let slicedWasserstein = Metric(
    "sliced-wasserstein", title: "Sliced Wasserstein distance",
    formula: """
      the mean over 1000 random directions of W_2² between the projections of both samples; standard error over \
      directions
      """,
    paper: "Bonneel et al. 2015, equation 6", unit: .plain, better: .lower,
    chance: "depends on the features", ceiling: "0 for infinitely many examples",
    cost: "1000 n (d + log n)", test: "LatentEvaluationTests/SamplesSlicedTests.swift")

  /// The sliced Wasserstein distance in the units of a Frechet distance.
  public static let mind = Metric(
    "mind", title: "Sliced Wasserstein distance times 3 d",
    formula: "3 d times the sliced Wasserstein distance: 3 |v|² for a shift by v",
    paper: "torch-fidelity's MIND (arXiv 2605.06797)", unit: .plain, better: .lower,
    chance: "depends on the features", ceiling: "0 for infinitely many examples",
    cost: "1000 n (d + log n)", test: "LatentEvaluationTests/SamplesSlicedTests.swift")
}
