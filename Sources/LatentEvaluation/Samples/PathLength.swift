// How smoothly what is generated changes along a line between latents (Karras, Laine and Aila 2019, section 4.1).

import LatentAutodiff
import LatentNumerics

/// The perceptual path length: the squared distance between the features of two examples whose latents lie a small step
/// apart on the line from a to b, over the square of the step.
public struct PathLength: Sendable {
  /// The step, a part of the line.
  public let step: Double
  /// The share of the smallest and of the largest lengths, each, that do not count.
  public let discarded: Double

  /// With the settings of the paper. Traps unless the step is positive and less than half is discarded at either end.
  public init(
    step: Double = 1e-4, discarded: Double = 0.01, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      step > 0 && step <= 1 && (0..<0.5).contains(discarded),
      "path lengths of step \(step), without \(discarded) at either end", file: file, line: line)
    self.step = step
    self.discarded = discarded
  }

  /// Lines that are decoded at once.
  private static let batch = 256

  /// The mean path length over pairs of latents `[pairs, latent]`, each at a random place of its line.
  ///
  /// The step is lost in rounding where numbers have few digits: a model in float64 gives the better answer.
  ///
  /// - Parameters:
  ///   - decoder: from latents `[batch, latent]` to examples `[batch, ...]`
  ///   - features: from examples to `[batch, d]`, such as `{ try features($0, inEightBits: false) }`
  /// - Throws: what `features` throws, and `SampleError` without pairs.
  public func callAsFunction(
    from start: Tensor, to end: Tensor, using random: inout RandomStream,
    decoder: (Tensor) throws -> Tensor, features: (Tensor) throws -> Tensor
  ) throws -> MetricValue {
    guard start.shape == end.shape, start.rank > 1, start.shape[0] > 0 else {
      throw SampleError.unlike(
        metric: Metric.pathLength.title, real: start.shape, fake: end.shape)
    }
    let count = start.shape[0]
    let column = Shape([count] + Array(repeating: 1, count: start.rank - 1))
    let places = random.uniformTensor(column, start.dtype)
    func point(_ places: Tensor) -> Tensor { start + (end - start) * places }
    let (first, second) = (point(places), point(places + step))
    var lengths: [Double] = []
    for low in stride(from: 0, to: count, by: PathLength.batch) {
      let rows = low..<min(low + PathLength.batch, count)
      func found(_ latents: Tensor) throws -> Tensor {
        try features(decoder(latents.sliced(0, rows))).converted(to: .float64).flattened(from: 1)
      }
      lengths += square(try found(second) - found(first)).sum(axes: [1]).doubles
    }
    let kept = PathLength.middle(lengths.map { $0 / (step * step) }, without: discarded)
    let (mean, error) = meanAndError(kept)
    return MetricValue(
      .pathLength, mean, standardError: error, count: kept.count,
      settings: ["step": "\(step)", "discarded": "\(discarded)", "path": "linear"])
  }

  /// The values from the percentile `share` to its opposite, both ends included (NumPy's `lower` and `higher`).
  static func middle(_ values: [Double], without share: Double) -> [Double] {
    let sorted = values.sorted()
    let last = Double(sorted.count - 1)
    let (low, high) = (Int((share * last).rounded(.down)), Int(((1 - share) * last).rounded(.up)))
    return Array(sorted[low...high])
  }
}

extension Metric {
  /// The perceptual path length.
  public static let pathLength = Metric(
    "ppl", title: "Perceptual path length",
    formula: """
      the mean of |f(D(z_(t+e))) - f(D(z_t))|² / e² for features f, e = 1e-4, on straight lines between draws of the \
      prior at a uniform place t, without 1 % of the values at either end; standard error over lines
      """,
    paper: "Karras, Laine and Aila 2019, equation 2", unit: .plain, better: .lower,
    chance: "0: a decoder that always says the same", ceiling: "depends on the features",
    cost: "2 examples decoded for each line",
    test: "LatentEvaluationTests/SamplesPathTests.swift")
}
