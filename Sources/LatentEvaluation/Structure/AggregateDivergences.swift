// What the divergence of posteriors from the prior is made of (Hoffman and Johnson 2016; Chen et al. 2018, equation 2).
// With q(z) = (1/n) sum_n q(z | x_n), the aggregate posterior of all n examples,
//
//   E KL(q(z | x) || p(z)) = I(n; z) + KL(q(z) || prod_j q(z_j)) + sum_j KL(q(z_j) || p(z_j))
//                            information   total correlation        dimension-wise divergence
//
// each an expectation over draws z_i of q(z | x_i), one for each example: differences of the same four log-densities, so
// that the parts add up to the whole but for rounding. The information is at most log n, whatever the model.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentModels
import LatentNumerics

/// The divergence of posteriors from the prior in parts, nats of each example's draw.
public struct AggregateDivergences: Sendable {
  /// log q(z_i | x_i) - log p(z_i): its mean is the divergence.
  public let divergence: Measured<[Double]>
  /// log q(z_i | x_i) - log q(z_i): its mean is what a latent tells of which example it is of.
  public let information: Measured<[Double]>
  /// log q(z_i) - sum_j log q(z_ij): its mean is the total correlation.
  public let correlation: Measured<[Double]>
  /// sum_j log q(z_ij) - log p(z_i): its mean is the sum of the divergences of the marginals.
  public let marginal: Measured<[Double]>
  /// log q(z_i) - log p(z_i): its mean is the divergence of the aggregate posterior.
  public let aggregate: Measured<[Double]>
  /// KL(q(z_j) || p(z_j)) of each dimension, in the order of the elements of a latent.
  public let dimensions: Measured<[Double]>
  /// n.
  public let examples: Int

  /// The most that the information can be: log n.
  public var ceiling: Double { log(Double(examples)) }

  /// Why some of the numbers are missing, a sentence each.
  public var missing: [Unmeasurable] {
    var reasons: [Unmeasurable] = []
    for part in [divergence, information, correlation, marginal, aggregate, dimensions] {
      if let reason = part.reason, !reasons.contains(reason) { reasons.append(reason) }
    }
    return reasons
  }

  /// The parts that could be measured, and the divergence of each marginal.
  public var measurements: [MetricValue] {
    func measured(_ metric: Metric, _ part: Measured<[Double]>, ceiling: Double? = nil)
      -> [MetricValue]
    {
      guard let values = part.value else { return [] }
      let mean = MeanWithError(values)
      return [
        MetricValue(
          metric, mean.mean, standardError: mean.error, chance: 0, ceiling: ceiling,
          count: examples)
      ]
    }
    return measured(.indexInformation, information, ceiling: ceiling)
      + measured(.totalCorrelation, correlation) + measured(.marginalDivergence, marginal)
      + measured(.aggregateDivergence, aggregate)
      + (dimensions.value ?? []).enumerated().map {
        MetricValue(.marginalDivergence, part: "\($0)", $1, chance: 0, count: examples)
      }
  }
}

extension EncodedData {
  /// The parts of the divergence from a prior of batch shape `[]`, with one draw of each posterior. Work grows with the
  /// square of the number of examples, memory with the number.
  public func aggregateDivergences(
    from prior: any Distribution, using random: inout RandomStream
  ) -> AggregateDivergences {
    let draws = posteriors.map { $0.sampleAndLogProbability(using: &random) }
    let codes = draws.map { $0.value }
    func missing(_ reason: Unmeasurable) -> Measured<[Double]> { .missing(reason) }
    guard let first = posteriors.first else { return AggregateDivergences(all: .noExamples) }
    if first is any PointDistribution {
      return AggregateDivergences(all: .pointPosterior("\(type(of: first))"))
    }
    var (joint, marginals): (Measured<[Double]>, Measured<Tensor>)
    var own = draws.flatMap { $0.logProbability.doubles }
    if let aggregate = AggregateDensity(posteriors) {
      own = aggregate.own(codes)
      (joint, marginals) = aggregate.logProbabilities(of: codes)
    } else {
      let reason = Unmeasurable.posteriorOfOwnDraws("\(type(of: first))")
      (joint, marginals) = (.missing(reason), .missing(reason))
    }
    let density = prior as? any EvaluableDistribution
    let logPrior: Measured<[Double]> =
      density.map { p in
        .found(codes.flatMap { p.logProbability(of: $0.converted(to: p.dtype)).doubles })
      } ?? .missing(.priorOfOwnDraws("\(type(of: prior))"))
    let factors = prior as? any FactorizedDistribution
    let sums = marginals.map { $0.sum(axes: [1]).doubles }
    let isProduct = Measured<[Double]>.required(
      logPrior, factors == nil ? .dependentPrior("\(type(of: prior))") : nil)
    return AggregateDivergences(
      divergence: .difference(.found(own), logPrior),
      information: .difference(.found(own), joint),
      correlation: .difference(joint, sums),
      marginal: .difference(sums, isProduct),
      aggregate: .difference(joint, logPrior),
      dimensions: .difference(
        marginals.map { $0.mean(axes: [0]).doubles },
        isProduct.map { _ in factors.map { elementMeans($0, codes) } ?? [] }),
      examples: count)
  }

  /// The mean of log p(z_j) over codes, for each dimension.
  private func elementMeans(_ prior: any FactorizedDistribution, _ codes: [Tensor]) -> [Double] {
    let elements = codes.map { codes in
      prior.elementLogProbabilities(of: codes.converted(to: prior.dtype))
        .converted(to: .float64).reshaped([codes.shape[0], prior.eventShape.count])
    }
    return Tensor.concatenate(elements, axis: 0).mean(axes: [0]).doubles
  }
}

extension AggregateDivergences {
  /// Nothing could be measured.
  fileprivate init(all reason: Unmeasurable) {
    self.init(
      divergence: .missing(reason), information: .missing(reason), correlation: .missing(reason),
      marginal: .missing(reason), aggregate: .missing(reason), dimensions: .missing(reason),
      examples: 0)
  }
}

extension Measured where Value == [Double] {
  /// Element by element; missing where one of them is.
  fileprivate static func difference(_ a: Measured, _ b: Measured) -> Measured {
    guard case .found(let left) = a else { return a }
    return b.map { right in zip(left, right).map { $0 - $1 } }
  }

  /// A number that is missing for another reason too.
  fileprivate static func required(_ value: Measured, _ reason: Unmeasurable?) -> Measured {
    if case .found = value, let reason { .missing(reason) } else { value }
  }
}

extension Metric {
  /// What a latent tells of which example it is of.
  public static let indexInformation = Metric(
    "index-information", title: "Information of a latent about its example",
    formula:
      "mean over examples i of log q(z_i | x_i) - log (1/n) sum_m q(z_i | x_m), z_i one draw of q(z | x_i), the sum "
      + "over all n examples; standard error: sd over examples / sqrt n",
    paper: "Hoffman and Johnson 2016, equation 6", unit: .nats, better: .neither,
    chance: "0: posteriors that are all the same", ceiling: "log n: posteriors that do not meet",
    cost: "n^2 d exponentials", test: structureTests)

  /// How latents depend on each other.
  public static let totalCorrelation = Metric(
    "total-correlation", title: "Total correlation of the aggregate posterior",
    formula:
      "mean over examples of log q(z_i) - sum_j log q(z_ij), q the mixture of all n posteriors; standard error: sd "
      + "over examples / sqrt n",
    paper: "Chen et al. 2018, equation 2", unit: .nats, better: .lower,
    chance: "0: independent latents", ceiling: "0", cost: "with index-information",
    test: structureTests)

  /// How marginals of the aggregate posterior differ from the prior's.
  public static let marginalDivergence = Metric(
    "marginal-kl", title: "Divergence of the aggregate posterior's marginals from the prior's",
    formula:
      "sum over dimensions of the mean of log q(z_ij) - log p(z_ij); of a part: of that dimension; standard error "
      + "of the sum: sd over examples / sqrt n",
    paper: "Chen et al. 2018, equation 2", unit: .nats, better: .lower,
    chance: "none", ceiling: "0", cost: "with index-information", test: structureTests)

  /// How the aggregate posterior differs from the prior.
  public static let aggregateDivergence = Metric(
    "aggregate-kl", title: "Divergence of the aggregate posterior from the prior",
    formula:
      "mean over examples of log q(z_i) - log p(z_i) = E KL(q(z | x) || p(z)) - index-information; standard error: "
      + "sd over examples / sqrt n",
    paper: "Hoffman and Johnson 2016, equation 6", unit: .nats, better: .lower, chance: "none",
    ceiling: "0: draws of the prior are what the decoder knows", cost: "with index-information",
    test: structureTests)
}
