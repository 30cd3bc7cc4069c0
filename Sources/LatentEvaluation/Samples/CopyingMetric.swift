// Whether a model gives back what it was trained on: generated examples are held against the training data, and beside
// them examples that it has not seen, which says what is to be expected of honest ones.

import LatentAutodiff
import LatentNumerics

/// A test of a generated sample for copies of training data.
public protocol CopyingMetric: Sendable {
  /// The numbers that it finds, in their order.
  static var metrics: [Metric] { get }

  /// Compares features, `[examples, d]` each, of training data, of held-out data of the same law, and of generated
  /// examples. What is drawn depends on `random` alone.
  /// - Throws: `SampleError` where the samples do not suit.
  func callAsFunction(
    training: Tensor, heldOut: Tensor, generated: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue]
}

/// All tests for copies, with their usual settings.
public enum CopyingMetrics {
  /// Every test. A new one is a file, and a line here and in the list of definitions.
  public static let all: [any CopyingMetric] = [Authenticity(), DataCopying()]

  /// All numbers of the tests `metrics`, each from a stream of its own.
  /// - Parameter settings: What the features depend on; they are added to those of each number.
  /// - Throws: what the first test throws that cannot be made.
  public static func measure(
    training: Tensor, heldOut: Tensor, generated: Tensor, _ metrics: [any CopyingMetric] = all,
    settings: [String: String] = [:], using random: RandomStream
  ) throws -> [MetricValue] {
    try metrics.flatMap { metric in
      var own = random.split("\(type(of: metric))")
      return try metric(
        training: training, heldOut: heldOut, generated: generated, using: &own
      ).map { $0.adding(settings) }
    }
  }
}

/// The training examples that each generated one is most like, to be looked at: their numbers and distances, the
/// nearest first, of features or of pictures themselves `[examples, ...]`.
///
/// - Throws: `SampleError` where the samples are unlike, there are fewer training examples than `count`, or numbers
///   are not finite.
public func nearestTraining(
  _ count: Int = 1, to generated: Tensor, among training: Tensor
) throws -> Neighbors {
  let flat = (training.flattened(from: 1), generated.flattened(from: 1))
  let metric = Metric.authenticity
  guard flat.0.shape[1] == flat.1.shape[1], flat.0.shape[1] > 0 else {
    throw SampleError.unlike(metric: metric.title, real: training.shape, fake: generated.shape)
  }
  let table = try checkedSample(flat.0, "training", metric, least: max(1, count))
  return ExactNeighbors(table).nearest(count, to: try checkedSample(flat.1, "generated", metric))
}

/// The share of examples that are no closer to their nearest training example than that is to another one (Alaa et al.
/// 2022, section 3.3): 0 for copies, 1 for examples far from all data.
public struct Authenticity: CopyingMetric {
  /// The share has no settings.
  public init() {}

  public static let metrics: [Metric] = [.authenticity]

  /// The share of the generated sample; its ceiling is that of the held-out one, which is no copy of anything.
  public func callAsFunction(
    training: Tensor, heldOut: Tensor, generated: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue] {
    let pair = try SamplePair(.authenticity, real: training, fake: generated, least: 1)
    let other = try SamplePair(.authenticity, real: training, fake: heldOut, least: 1)
    guard pair.n > 1 else {
      throw SampleError.tooFewExamples(
        metric: Metric.authenticity.title, found: pair.n,
        expected: "2 or more in the training sample")
    }
    let distances = PairwiseDistances(to: pair.real)
    let radii = PairwiseDistances.neighbors(1, within: pair.real)
    func share(_ sample: NDArray) -> Double {
      let isAuthentic = distances.map(sample) { _, squares in
        var nearest = 0
        for index in squares.indices where squares[index] < squares[nearest] { nearest = index }
        return radii[nearest] < squares[nearest] ? 1 : 0
      }
      return isAuthentic.reduce(0, +) / Double(isAuthentic.count)
    }
    let value = share(pair.fake)
    return [
      MetricValue(
        .authenticity, value, standardError: shareError(value, of: pair.m), chance: 0,
        ceiling: share(other.fake), count: pair.m, settings: ["training": "\(pair.n)"])
    ]
  }
}

extension Metric {
  /// The share of examples that are their own.
  public static let authenticity = Metric(
    "authenticity", title: "Authenticity (AuthPct)",
    formula: """
      the share of generated examples whose nearest training example has another training example nearer to it; \
      binomial standard error, given the training data
      """,
    paper: "Alaa et al. 2022, section 3.3; Stein et al. 2023 for its use", unit: .share,
    better: .neither, chance: "0: copies", ceiling: "the share of held-out data",
    cost: "(n² + n m) d", test: "LatentEvaluationTests/SamplesCopyingTests.swift")
}
