// The posterior of a hierarchy, which goes down as the prior does and adds at each level what the data say.
//
//   precision   1/v = 1/v_up + 1/v_down,  m = v (m_up / v_up + m_down / v_down)     (Sonderby et al. 2016, equation 17)
//   residual    m = m_down + dm,  log v = log v_down + dv                           (Vahdat and Kautz 2020, section 3.2)

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How what the data say of a level and its prior become the posterior.
public enum HierarchyMerging: String, Sendable, Hashable, Codable, CaseIterable {
  /// As two measurements, weighted by their precisions; at the top the prior is one too.
  case precision
  /// The data say what is to be added to the prior's mean and log-variance, which they see.
  case residual

  /// The posterior from raw outputs `[..., 2 latents]`, means first, and the prior of a level.
  public func callAsFunction(_ raw: Tensor, _ prior: DiagonalNormal) -> DiagonalNormal {
    let halves = raw.split(into: 2, axis: -1)
    let (mean, logVariance) = (prior.mean, prior.logVariance)
    switch self {
    case .precision:
      // The share of the data, v_down / (v_down + v_up). Where v_up is infinite nothing is left of them.
      let difference = logVariance - halves[1]
      return DiagonalNormal(
        mean: mean + sigmoid(difference) * (halves[0] - mean),
        logVariance: logVariance - softplus(difference))
    case .residual:
      return DiagonalNormal(mean: mean + halves[0], logVariance: logVariance + halves[1])
    }
  }
}

/// q(z | x) over the latents of all levels; the divergence from the prior of the same hierarchy is estimated level by
/// level, each exactly given the levels above.
public struct HierarchicalPosterior: DivergenceEstimatingDistribution, EvaluableDistribution {
  let topDown: TopDown
  let merging: HierarchyMerging
  /// Raw outputs of each level, `[batch, 2 latents]`.
  let evidence: [Tensor]
  /// What each level's state adds to them; none where they do not depend on it.
  let states: [Linear]
  public let batchShape: Shape

  public var eventShape: Shape { [topDown.size] }
  public var dtype: DType { evidence[0].dtype }

  private func conditional(
    _ level: Int, _ prior: DiagonalNormal, _ state: Tensor?
  ) -> DiagonalNormal {
    guard level < states.count, let state else { return merging(evidence[level], prior) }
    return merging(evidence[level] + states[level](state), prior)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    topDown.logProbability(of: value, conditional: conditional)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    topDown.descend(sampleShape + batchShape, dtype) { level, prior, state in
      conditional(level, prior, state).reparameterizedSample(using: &random)
    }
  }

  /// The densities come from the noise of the draws.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    var parts: [Tensor] = []
    let z = topDown.descend(sampleShape + batchShape, dtype) { level, prior, state in
      let draw = conditional(level, prior, state).sampleAndLogProbability(using: &random)
      parts.append(draw.logProbability)
      return draw.value
    }
    return (z, parts.dropFirst().reduce(parts[0], +))
  }

  /// Parts `kl_1`, `kl_2`, ... from the data up: KL(q(z_i | z_>i, x) || p(z_i | z_>i)) at the draws of the levels
  /// above. Nil from anything but the prior of a hierarchy.
  public func sampleAndDivergence(
    from other: any Distribution, _ sampleShape: Shape, using random: inout RandomStream
  ) -> DivergenceEstimate? {
    guard let other = other as? TopDownNormal, other.temperatures.allSatisfy({ $0 == 1 }) else {
      return nil
    }
    var parts: [Tensor] = []
    let z = topDown.descend(sampleShape + batchShape, dtype) { level, prior, state in
      let q = conditional(level, prior, state)
      guard let divergence = q.closedFormKL(to: prior) else {
        fatalError("two normals have a divergence")
      }
      parts.append(divergence)
      return q.reparameterizedSample(using: &random)
    }
    parts.reverse()
    return DivergenceEstimate(
      value: z, divergence: parts.dropFirst().reduce(parts[0], +),
      parts: parts.enumerated().map { ("kl_\($0.offset + 1)", $0.element) })
  }

  /// The path from the top along the means.
  public var pointEstimate: Tensor? {
    topDown.descend(batchShape, dtype) { conditional($0, $1, $2).mean }
  }
}
