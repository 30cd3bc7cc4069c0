// Quality and diversity apart, by the balls around examples that reach to their k-th neighbour: precision and recall
// (Kynkaanniemi et al. 2019) and density and coverage (Naeem et al. 2020). An example is in a ball where its distance
// is strictly less than the radius: then identical samples have a density of 1, not of (k + 1) / k.

import LatentAutodiff
import LatentNumerics

/// Precision, recall, density and coverage of generated examples among real ones.
public struct Neighborhoods: TwoSampleMetric {
  /// The neighbour that the balls of precision and recall reach to.
  public let precisionNeighbors: Int
  /// The neighbour that the balls of density and coverage reach to.
  public let densityNeighbors: Int

  /// With the neighbours of the papers. Traps unless they are positive.
  public init(
    precisionNeighbors: Int = 3, densityNeighbors: Int = 5, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      precisionNeighbors > 0 && densityNeighbors > 0,
      "balls to neighbours \(precisionNeighbors) and \(densityNeighbors)", file: file, line: line)
    self.precisionNeighbors = precisionNeighbors
    self.densityNeighbors = densityNeighbors
  }

  public static let metrics: [Metric] = [.precision, .recall, .density, .coverage]

  /// The four numbers. Standard errors are those of independent examples of one sample, given the other: generated
  /// ones for precision and density, real ones for recall and coverage.
  public func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let most = max(precisionNeighbors, densityNeighbors)
    let pair = try SamplePair(.precision, real: real, fake: fake, least: most + 1)
    let realSquares = PairwiseDistances.neighbors(most, within: pair.real)
    let fakeSquares = PairwiseDistances.neighbors(precisionNeighbors, within: pair.fake)
    func radii(_ squares: [Double], _ k: Int, of width: Int) -> [Double] {
      stride(from: k - 1, to: squares.count, by: width).map { squares[$0] }
    }
    let narrow = radii(realSquares, precisionNeighbors, of: most)
    let wide = radii(realSquares, densityNeighbors, of: most)
    let others = radii(fakeSquares, precisionNeighbors, of: precisionNeighbors)

    // For every generated example: whether it is in a real ball, and in how many of the wide ones.
    var isInside = [Double](repeating: 0, count: pair.m)
    let balls = isInside.withUnsafeMutableBufferPointer { isInside in
      nonisolated(unsafe) let isInside = isInside
      return PairwiseDistances(to: pair.real).map(pair.fake) { row, squares in
        var count = 0
        for (index, square) in squares.enumerated() {
          if square < wide[index] { count += 1 }
          if square < narrow[index] { isInside[row] = 1 }
        }
        return Double(count)
      }
    }
    // For every real example: whether it is in a generated ball, and whether its own holds a generated example.
    var isRecalled = [Double](repeating: 0, count: pair.n)
    let isCovered = isRecalled.withUnsafeMutableBufferPointer { isRecalled in
      nonisolated(unsafe) let isRecalled = isRecalled
      return PairwiseDistances(to: pair.fake).map(pair.real) { row, squares in
        var nearest = Double.infinity
        for (index, square) in squares.enumerated() {
          if square < others[index] { isRecalled[row] = 1 }
          if square < nearest { nearest = square }
        }
        return nearest < wide[row] ? 1 : 0
      }
    }

    // Whole numbers are added without rounding: identical samples have 1 exactly.
    let (meanBalls, ballsError) = meanAndError(balls)
    func share(
      _ metric: Metric, _ values: [Double], _ k: Int, ceiling: Double? = nil
    ) -> MetricValue {
      let share = values.reduce(0, +) / Double(values.count)
      return MetricValue(
        metric, share, standardError: shareError(share, of: values.count), chance: 0,
        ceiling: ceiling, count: pair.count, settings: ["neighbors": "\(k)"])
    }
    return [
      share(.precision, isInside, precisionNeighbors),
      share(.recall, isRecalled, precisionNeighbors),
      MetricValue(
        .density, meanBalls / Double(densityNeighbors),
        standardError: ballsError.map { $0 / Double(densityNeighbors) }, chance: 0, ceiling: 1,
        count: pair.count, settings: ["neighbors": "\(densityNeighbors)"]),
      share(
        .coverage, isCovered, densityNeighbors,
        ceiling: Neighborhoods.expectedCoverage(
          real: pair.n, fake: pair.m, neighbors: densityNeighbors)),
    ]
  }

  /// The expectation of the coverage where real and generated examples have one law, whatever it is:
  /// `1 - Π_{i=1..k} (n - i) / (n + m - i)`, the probability that not all k nearest of the other n + m - 1 examples are
  /// real (Naeem et al. 2020, lemma 2, for two sizes).
  public static func expectedCoverage(real n: Int, fake m: Int, neighbors k: Int) -> Double {
    1 - (1...k).reduce(1.0) { $0 * Double(n - $1) / Double(n + m - $1) }
  }
}

extension Metric {
  /// The share of generated examples that are like real ones.
  public static let precision = Metric(
    "precision", title: "Precision",
    formula: """
      the share of generated examples that lie in the ball of a real one, which reaches to its 3rd neighbour among the \
      real ones (strictly); binomial standard error, given the real ones
      """,
    paper: "Kynkaanniemi et al. 2019, equation 2", unit: .share, better: .higher, chance: "0",
    ceiling: "below 1 for fresh data; 1 for copies", cost: "(n² + n m) d",
    test: "LatentEvaluationTests/SamplesNeighborhoodTests.swift")

  /// The share of real examples that are like generated ones.
  public static let recall = Metric(
    "recall", title: "Recall",
    formula: """
      the share of real examples that lie in the ball of a generated one, which reaches to its 3rd neighbour among the \
      generated ones (strictly); binomial standard error, given the generated ones
      """,
    paper: "Kynkaanniemi et al. 2019, equation 2", unit: .share, better: .higher, chance: "0",
    ceiling: "below 1 for fresh data; 1 for copies", cost: "(m² + n m) d",
    test: "LatentEvaluationTests/SamplesNeighborhoodTests.swift")

  /// How many real balls a generated example lies in, of those it should.
  public static let density = Metric(
    "density", title: "Density",
    formula: """
      the mean number of real balls, which reach to the 5th neighbour (strictly), that a generated example lies in, \
      over 5; may exceed 1 where generated examples crowd; standard error given the real ones
      """,
    paper: "Naeem et al. 2020, equation 3", unit: .plain, better: .neither, chance: "0",
    ceiling: "1 in expectation for fresh data", cost: "(n² + n m) d",
    test: "LatentEvaluationTests/SamplesNeighborhoodTests.swift")

  /// The share of real neighbourhoods where something was generated.
  public static let coverage = Metric(
    "coverage", title: "Coverage",
    formula: """
      the share of real balls, which reach to the 5th neighbour (strictly), that hold a generated example; binomial \
      standard error, given the generated ones
      """,
    paper: "Naeem et al. 2020, equation 4", unit: .share, better: .higher, chance: "0",
    ceiling: "1 - Π_{i=1..5} (n - i) / (n + m - i), which is 31/32 for many: that of fresh data",
    cost: "(n² + n m) d",
    test: "LatentEvaluationTests/SamplesNeighborhoodTests.swift")
}
