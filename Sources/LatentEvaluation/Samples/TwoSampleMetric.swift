// Real examples beside generated ones, both as features: what every such comparison has in common, and the list of them.

import LatentAutodiff
import LatentNumerics

/// A comparison of two samples of features.
///
/// Which sample is which matters to some and not to others; `SamplesSwapTests` says what each does when they are
/// swapped, and a new one has to say so too.
public protocol TwoSampleMetric: Sendable {
  /// The numbers that it finds, in their order.
  static var metrics: [Metric] { get }

  /// Compares real features `[n, d]` with generated ones `[m, d]`. What is drawn depends on `random` alone.
  /// - Throws: `SampleError` where the samples do not suit, `NumericsError` where an eigenvalue routine fails.
  func callAsFunction(
    real: Tensor, fake: Tensor, using random: inout RandomStream
  ) throws -> [MetricValue]
}

/// All comparisons of two samples, with their usual settings.
public enum TwoSampleMetrics {
  /// Every comparison. A new one is a file, and a line here and in the lists of definitions and of the swap test.
  public static let all: [any TwoSampleMetric] = [
    FrechetDistance(), KernelDistance(), Neighborhoods(), VendiScore(),
    SlicedWassersteinDistance(),
  ]

  /// All numbers of the comparisons `metrics`; each draws from a stream of its own, so that none depends on which
  /// others there are.
  ///
  /// - Parameter settings: What the features depend on, such as ``PictureFeatures/settings``; they are added to those
  ///   of each number.
  /// - Throws: what the first comparison throws that cannot be made.
  public static func measure(
    real: Tensor, fake: Tensor, _ metrics: [any TwoSampleMetric] = all,
    settings: [String: String] = [:], using random: RandomStream
  ) throws -> [MetricValue] {
    try metrics.flatMap { metric in
      var own = random.split("\(type(of: metric))")
      return try metric(real: real, fake: fake, using: &own).map { $0.adding(settings) }
    }
  }
}

extension MetricValue {
  /// The same number with more of how it was taken; settings that are there stay.
  public func adding(_ more: [String: String]) -> MetricValue {
    MetricValue(
      metric, part: part, value, standardError: standardError, chance: chance, ceiling: ceiling,
      count: count, settings: settings.merging(more) { own, _ in own })
  }
}

/// Two samples of features, checked, in float64.
struct SamplePair {
  /// `[n, d]` and `[m, d]`.
  let real, fake: NDArray

  /// The numbers of examples, and of features.
  var n: Int { real.shape[0] }
  var m: Int { fake.shape[0] }
  var d: Int { real.shape[1] }
  /// Examples of both together.
  var count: Int { n + m }

  /// - Throws: `SampleError` unless both are `[at least examples, d]` with the same d, and finite.
  init(_ metric: Metric, real: Tensor, fake: Tensor, least examples: Int = 1) throws {
    guard real.rank == 2, fake.rank == 2, real.shape[1] == fake.shape[1], real.shape[1] > 0 else {
      throw SampleError.unlike(metric: metric.title, real: real.shape, fake: fake.shape)
    }
    self.real = try checkedSample(real, "real", metric, least: examples)
    self.fake = try checkedSample(fake, "generated", metric, least: examples)
  }
}

/// A sample `[examples, d]` in float64.
/// - Throws: `SampleError` where there are fewer than `examples`, or numbers that are not finite.
func checkedSample(
  _ sample: Tensor, _ name: String, _ metric: Metric, least examples: Int = 1
) throws -> NDArray {
  guard sample.rank == 2 else {
    throw SampleError.unlike(metric: metric.title, real: sample.shape, fake: sample.shape)
  }
  guard sample.shape[0] >= examples else {
    throw SampleError.tooFewExamples(
      metric: metric.title, found: sample.shape[0],
      expected: "\(examples) or more in the \(name) sample")
  }
  let bad = sample.array.nonFiniteCount
  guard bad == 0 else {
    throw SampleError.notFinite(metric: metric.title, sample: name, count: bad)
  }
  return sample.array.converted(to: .float64)
}

/// The mean of `values` and its standard error, the sample deviation over the root of their number; nil where there
/// is only one.
func meanAndError(_ values: [Double]) -> (mean: Double, standardError: Double?) {
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  if values.count < 2 { return (mean, nil) }
  let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
  return (mean, (squares / (count - 1) / count).squareRoot())
}

/// The standard error of a share of `count` independent examples.
func shareError(_ share: Double, of count: Int) -> Double {
  (share * (1 - share) / Double(count)).squareRoot()
}
