// A test with a known null distribution for copies (Meehan, Chaudhuri and Dasgupta 2020, "A non-parametric test to
// detect data-copying in generative models"): within a part of the space, generated examples should be as far from the
// training data as held-out ones are. Copies are nearer; a model that has missed the data is farther.

import LatentAutodiff
import LatentModels
import LatentNumerics

/// C_T: z-scores of a Mann-Whitney test on distances to the training data, one for each cell of k-means, averaged with
/// the shares that held-out data have in the cells.
public struct DataCopying: CopyingMetric {
  /// The cells that the training data are divided into.
  public let cells: Int
  /// Rounds of k-means.
  public let iterations: Int
  /// The least number of generated and of held-out examples in a cell that counts; the approximation by a normal is
  /// poor below.
  public let leastExamples: Int

  /// Traps unless all are positive.
  public init(
    cells: Int = 5, iterations: Int = 50, leastExamples: Int = 20, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      cells > 0 && iterations > 0 && leastExamples > 0,
      "\(cells) cells by \(iterations) rounds, of \(leastExamples) examples", file: file, line: line
    )
    self.cells = cells
    self.iterations = iterations
    self.leastExamples = leastExamples
  }

  public static let metrics: [Metric] = [.dataCopying]

  /// The score, far below 0 for copies. Its standard error is that of an honest model: the cells' scores are then
  /// standard normals.
  public func callAsFunction(
    training: Tensor, heldOut: Tensor, generated: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.dataCopying, real: training, fake: generated, least: leastExamples)
    let other = try SamplePair(.dataCopying, real: training, fake: heldOut, least: leastExamples)
    let (centers, _) = kMeans(
      of: Tensor(pair.real), count: cells, iterations: iterations, using: &random)
    func rows(of sample: NDArray) -> [[Int32]] {
      var rows = [[Int32]](repeating: [], count: cells)
      let found = nearestCodes(to: Tensor(sample), among: centers).array.int32s
      for (row, cell) in found.enumerated() { rows[Int(cell)].append(Int32(row)) }
      return rows
    }
    let trained = rows(of: pair.real)
    let honest = rows(of: other.fake)
    let made = rows(of: pair.fake)
    var scores: [(z: Double, weight: Double)] = []
    for cell in 0..<cells
    where !trained[cell].isEmpty && min(honest[cell].count, made[cell].count) >= leastExamples {
      let distances = PairwiseDistances(to: pair.real.taking(NDArray(trained[cell]), axis: 0))
      func nearest(_ sample: NDArray, _ rows: [Int32]) -> [Double] {
        distances.map(sample.taking(NDArray(rows), axis: 0)) { $1.min() ?? .infinity }
      }
      let score = mannWhitney(
        nearest(pair.fake, made[cell]), nearest(other.fake, honest[cell]))
      scores.append((score, Double(honest[cell].count)))
    }
    let whole = scores.reduce(0) { $0 + $1.weight }
    guard whole > 0 else {
      throw SampleError.tooFewExamples(
        metric: Metric.dataCopying.title, found: min(pair.m, other.m),
        expected:
          "\(leastExamples) generated and held-out examples in one of the \(cells) cells at least")
    }
    let value = scores.reduce(0) { $0 + $1.z * $1.weight / whole }
    let error = scores.reduce(0) { $0 + $1.weight * $1.weight / (whole * whole) }.squareRoot()
    return [
      MetricValue(
        .dataCopying, value, standardError: error, ceiling: 0, count: pair.m,
        settings: [
          "cells": "\(scores.count) of \(cells)", "training": "\(pair.n)", "heldOut": "\(other.m)",
        ])
    ]
  }
}

/// The z-score of Mann and Whitney's U, the number of pairs where a value of `first` is larger than one of `second`,
/// ties one half: below 0 where the first values are smaller. Its variance allows for ties; 0 where all are equal.
func mannWhitney(_ first: [Double], _ second: [Double]) -> Double {
  let (n, m) = (Double(first.count), Double(second.count))
  let ranks = MidRanks(first + second)
  let u = ranks.values.prefix(first.count).reduce(0, +) - n * (n + 1) / 2
  let all = n + m
  let ties = ranks.tieSum / (all * (all - 1))
  let variance = n * m * (all + 1 - ties) / 12
  return variance > 0 ? (u - n * m / 2) / variance.squareRoot() : 0
}

extension Metric {
  /// The data-copying test.
  public static let dataCopying = Metric(
    "data-copying", title: "Data-copying test C_T",
    formula: """
      the z-score of Mann and Whitney's U between distances to the nearest training example of generated and of \
      held-out examples, in each of 5 cells of k-means, averaged with the held-out shares; below -3: copies, above 3: \
      too far from the data. Standard error of an honest model
      """,
    paper: "Meehan, Chaudhuri and Dasgupta 2020, equation 3", unit: .plain, better: .neither,
    chance: "depends on the features", ceiling: "0 in expectation for fresh data",
    cost: "n m d / 5",
    test: "LatentEvaluationTests/SamplesCopyingTests.swift")
}
