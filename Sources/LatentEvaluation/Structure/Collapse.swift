// Latents that are not used, and whose fault it is: a dimension may say nothing of the example because the encoder
// writes nothing into it, or say much that the decoder does not read. The cures differ.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// What became of a latent dimension.
public enum CollapseVerdict: String, Sendable, Hashable, Codable, CaseIterable,
  CustomStringConvertible
{
  /// The encoder writes it and the decoder reads it.
  case used
  /// Its posterior is the prior for every example: posterior collapse (Bowman et al. 2016).
  case ignoredByEncoder
  /// Its posterior carries nats, but the decoder does not change along it.
  case ignoredByDecoder

  /// The verdict and what to do about it, in a sentence.
  public var description: String {
    switch self {
    case .used: "the encoder writes it and the decoder reads it: nothing to do"
    case .ignoredByEncoder:
      "the encoder writes nothing into it: let the weight of the divergence rise from 0 over the first epochs, give it "
        + "free bits, or take a weaker decoder, if more latents are wanted"
    case .ignoredByDecoder:
      "the encoder writes into it what the decoder does not read: nats are wasted; train on until its divergence has "
        + "fallen, or raise the weight of the divergence"
    }
  }
}

/// The use of each latent dimension, by what encoder and decoder do with it.
public struct LatentCollapse: Sendable, Hashable {
  /// A dimension with less divergence than this many nats, and less variance of its mean, says nothing.
  public static let threshold = 0.01

  /// The mean divergence of each dimension, nats.
  public let divergences: [Double]
  /// The variance of each dimension's posterior mean.
  public let variances: [Double]
  /// How far the likelihood moves for a step of 1 along each dimension, as nats: half the mean of the metric's diagonal,
  /// to second order the divergence of the moved likelihood.
  public let sensitivities: [Double]
  /// The number of examples.
  public let examples: Int

  /// Of each dimension.
  public var verdicts: [CollapseVerdict] {
    divergences.indices.map { index in
      if divergences[index] < LatentCollapse.threshold
        && variances[index] < LatentCollapse.threshold
      {
        return .ignoredByEncoder
      }
      return sensitivities[index] < LatentCollapse.threshold ? .ignoredByDecoder : .used
    }
  }

  /// How many dimensions each verdict met.
  public func count(_ verdict: CollapseVerdict) -> Int { verdicts.count { $0 == verdict } }

  /// The share of dimensions that are not used, and which of two reasons how many have.
  public var measurements: [MetricValue] {
    let total = Double(max(1, divergences.count))
    func measured(_ value: Double, _ part: String?) -> MetricValue {
      MetricValue(
        .collapse, part: part, value, chance: 1, ceiling: 0, count: examples,
        settings: ["threshold": "\(LatentCollapse.threshold)"])
    }
    let reasons = [CollapseVerdict.ignoredByEncoder, .ignoredByDecoder]
    return [measured(1 - Double(count(.used)) / total, nil)]
      + reasons.map { measured(Double(count($0)) / total, $0.rawValue) }
  }
}

extension LatentVariableModel {
  /// What becomes of each latent dimension for encoded examples: divergences of independent normals, and the decoder's
  /// metric at the means of `points` of the examples, evenly spread over them.
  ///
  /// - Throws: `Unmeasurable`, which says what is missing; `ModelRequirementError` where the likelihood lies in no flat
  ///   space.
  public func collapse(
    of data: EncodedData, points: Int = 100, fields: [String: Tensor] = [:]
  ) throws -> LatentCollapse {
    let prior = try independentPrior(of: data, fields)
    let units = try data.activeUnits.get()
    var divergences = Array(repeating: 0.0, count: units.variances.count)
    var means: [Tensor] = []
    for posterior in data.posteriors {
      guard let normal = posterior as? DiagonalNormal, let elements = normal.elementKL(to: prior)
      else { throw Unmeasurable.dependentPosterior("\(type(of: posterior))") }
      let whole = elements.broadcast(to: normal.batchShape + normal.eventShape)
      let sums = whole.converted(to: .float64).sum(axes: [0]).doubles
      divergences = zip(divergences, sums).map { $0 + $1 / Double(data.count) }
      means.append(normal.mean)
    }
    let all = Tensor.concatenate(means, axis: 0)
    let wanted = min(points, data.count)
    let places = (0..<wanted).map { Int32($0 * data.count / wanted) }
    let geometry = try metric(at: all.gathering(Tensor(places)), fields: fields)
    let sensitivities = geometry.diagonal.converted(to: .float64).mean(axes: [0]) * 0.5
    return LatentCollapse(
      divergences: divergences, variances: units.variances,
      sensitivities: sensitivities.doubles, examples: data.count)
  }

  /// The prior, which a divergence can be taken from dimension by dimension.
  private func independentPrior(
    of data: EncodedData, _ fields: [String: Tensor]
  ) throws -> any FactorizedDistribution {
    guard let first = data.posteriors.first else { throw Unmeasurable.noExamples }
    var context = LayerContext.inference
    context.fields = fields
    let prior = prior(first.dtype, &context)
    guard let factors = prior as? any FactorizedDistribution else {
      throw Unmeasurable.dependentPrior("\(type(of: prior))")
    }
    return factors
  }
}

extension Metric {
  /// Latents that are not used.
  public static let collapse = Metric(
    "collapse", title: "Latent dimensions that are not used",
    formula:
      "share of dimensions with mean KL(q(z_j | x) || p(z_j)) < 0.01 nats and Var_x E_q[z_j | x] < 0.01 (ignored by "
      + "the encoder), or else with half the mean of the decoder's metric G_jj < 0.01 nats at 100 posterior means (ignored "
      + "by the decoder)",
    paper: "own; divergence and variance: Burda, Grosse and Salakhutdinov 2016, section 5",
    unit: .share,
    better: .lower, chance: "1", ceiling: "0",
    cost: "one encoding of each example, 2 d derivatives of the decoder at 100 latents",
    test: "LatentEvaluationTests/Structure/CollapseTests.swift")
}
