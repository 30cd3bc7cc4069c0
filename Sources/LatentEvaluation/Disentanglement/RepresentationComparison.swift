// Scores of two representations of the same examples: no factors need be known.

import LatentAutodiff
import LatentNumerics

/// A score, or several from one computation, of two tables of codes of the same examples.
///
/// ```swift
/// for measurement in KernelAlignment()(firstCodes, secondCodes, using: &random) { print(measurement.value) }
/// ```
public protocol RepresentationComparison: Sendable {
  /// What it measures; the first one names it.
  static var metrics: [Metric] { get }
  /// The numbers, of codes `[examples, latent]` and `[examples, other latent]`. Traps where there are fewer than two
  /// examples or not as many of both.
  func callAsFunction(
    _ first: Tensor, _ second: Tensor, using random: inout RandomStream
  ) -> [MetricValue]
}

extension Disentanglement {
  /// Each comparison with its default settings. A new one is a file, and a line here.
  public static var comparisons: [any RepresentationComparison] {
    [RankingByAgreement(), FactorCorrelation(), KernelAlignment()]
  }

  /// Takes all of them of codes `[examples, latent]` and `[examples, other latent]` of the same examples, each with a
  /// random stream of its own. Traps where there are fewer than two examples or not as many of both.
  public static func compare(
    _ first: Tensor, _ second: Tensor, using random: RandomStream,
    metrics: [any RepresentationComparison] = Disentanglement.comparisons
  ) -> [MetricValue] {
    metrics.flatMap { metric in
      var own = random.split(type(of: metric).metrics[0].name)
      return metric(first, second, using: &own)
    }
  }
}

/// Traps unless two tables are of the same examples.
func requireComparable(
  _ first: Tensor, _ second: Tensor, file: StaticString = #fileID, line: UInt = #line
) {
  require(
    first.rank == 2 && second.rank == 2 && first.shape[0] == second.shape[0] && first.shape[0] > 1
      && first.shape[1] > 0 && second.shape[1] > 0,
    "a comparison of codes \(first.shape) and \(second.shape)", file: file, line: line)
}

/// The settings that all comparisons share.
func comparisonSettings(_ first: Tensor, _ second: Tensor) -> [String: String] {
  ["latents": "\(first.shape[1])", "otherLatents": "\(second.shape[1])"]
}
