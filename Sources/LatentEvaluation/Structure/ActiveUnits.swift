// Latents that say something of the example (Burda, Grosse and Salakhutdinov 2016, section 5): those whose posterior
// mean is not the same for all.

import LatentAutodiff
import LatentDistributions
import LatentModels
import LatentNumerics

/// How much the means of posteriors vary over examples, latent dimension by latent dimension.
public struct ActiveUnits: Sendable, Hashable {
  /// Var_x E_q[z_j | x] over the examples, with divisor n - 1, in the order of the elements of a latent.
  public let variances: [Double]
  /// The number of examples.
  public let examples: Int

  /// Above this a dimension counts.
  public static let threshold = 0.01

  /// The number of dimensions whose variance is above `threshold`.
  public var count: Int { variances.count { $0 > ActiveUnits.threshold } }

  /// How many there are, and the variance of each.
  public var measurements: [MetricValue] {
    let whole = MetricValue(
      .activeUnits, Double(count), chance: 0, ceiling: Double(variances.count), count: examples)
    return [whole]
      + variances.enumerated().map {
        MetricValue(.unitVariance, part: "\($0)", $1, chance: 0, count: examples)
      }
  }
}

extension EncodedData {
  /// The variances of posterior means (modes, where there is no mean) over the examples.
  public var activeUnits: Measured<ActiveUnits> {
    guard count > 1 else { return .missing(.noExamples) }
    var points: [Tensor] = []
    for posterior in posteriors {
      guard let point = posterior.pointEstimate else {
        return .missing(.noPoint("\(type(of: posterior))"))
      }
      points.append(
        point.converted(to: .float64)
          .reshaped([posterior.batchShape[0], posterior.eventShape.count]))
    }
    let variances = Tensor.concatenate(points, axis: 0).variance(axes: [0], correction: 1)
    return .found(ActiveUnits(variances: variances.doubles, examples: count))
  }
}

extension Metric {
  /// Latents whose posterior mean varies.
  public static let activeUnits = Metric(
    "active-units", title: "Active units",
    formula:
      "number of latent dimensions with Var_x E_q[z_j | x] > 0.01, the variance over examples with divisor n - 1",
    paper: "Burda, Grosse and Salakhutdinov 2016, section 5", unit: .count, better: .neither,
    chance: "0", ceiling: "the number of dimensions", cost: "one encoding of each example",
    test: structureTests)

  /// How much the mean of a latent varies.
  public static let unitVariance = Metric(
    "unit-variance", title: "Variance of the posterior mean of each latent dimension",
    formula: "Var_x E_q[z_j | x] over examples with divisor n - 1",
    paper: "Burda, Grosse and Salakhutdinov 2016, section 5", unit: .plain, better: .neither,
    chance: "0", ceiling: "1 where the aggregate posterior is a standard normal prior",
    cost: "nothing beside active-units", test: structureTests)

  static let structureTests = "LatentEvaluationTests/Structure/AggregateTests.swift"
}
