// Densities of a mixture of normals with independent elements at many values, as one operation: composed, it
// would write [values, components, elements] several times.

import Foundation
import LatentNumerics

/// log sum_j w_ij N(z_i; mean_j, variance_j) in nats, and the sum over elements of the same of each element alone,
/// `[2, values]`.
///
/// - Parameters:
///   - z: `[values, elements]`
///   - mean: `[components, elements]`, as `logVariance`
///   - logWeights: log w, `[values, components]`: constants
public func normalMixtureLogProbabilities(
  of z: Tensor, mean: Tensor, logVariance: Tensor, logWeights: Tensor
) -> Tensor {
  require(
    z.rank == 2 && mean.rank == 2 && mean.shape == logVariance.shape
      && z.shape[1] == mean.shape[1] && logWeights.shape == [z.shape[0], mean.shape[0]],
    "a mixture of means \(mean.shape), log-variances \(logVariance.shape) and weights "
      + "\(logWeights.shape) at values \(z.shape)")
  let logWeights = logWeights.detached
  let (means, logVariances) = (mean.detached.transposed, logVariance.detached.transposed)
  let mixture = NormalMixture(
    means: means.array, precisions: exp(-logVariances).array,
    constants: (logVariances + log(2 * Double.pi)).array, logWeights: logWeights.array)
  let result = mixture.logProbabilities(of: z.array)
  return Tensor.record(
    "normalMixtureLogProbabilities", [z, mean, logVariance], result.densities, saving: .inputs
  ) { g, call in
    if call.isHigherOrder {
      return call.cotangents(g) { composed($0[0], $0[1], $0[2], logWeights) }
    }
    let gradients = mixture.gradients(
      at: call[0].array, marginals: result.marginals, shares: result.shares, cotangent: g.array)
    return [gradients.z, gradients.mean, gradients.logVariance].map { Tensor($0).transposed }
  }
}

/// log sum_j w_j N(z_i; mean_j, variance_j) in nats, `[values]`, without an array over values, components and elements.
///
/// - Parameters:
///   - z: `[values, elements]`
///   - mean: `[components, elements]`, as `logVariance`
///   - logWeights: log w, `[components]`
public func normalMixtureLogProbability(
  of z: Tensor, mean: Tensor, logVariance: Tensor, logWeights: Tensor
) -> Tensor {
  require(
    z.rank == 2 && mean.rank == 2 && mean.shape == logVariance.shape
      && z.shape[1] == mean.shape[1] && logWeights.shape == [mean.shape[0]],
    "a mixture of means \(mean.shape), log-variances \(logVariance.shape) and weights "
      + "\(logWeights.shape) at values \(z.shape)")
  let (means, logVariances) = (mean.detached.transposed, logVariance.detached.transposed)
  let weights = logWeights.detached.broadcast(to: [z.shape[0], mean.shape[0]])
  let mixture = NormalMixture(
    means: means.array, precisions: exp(-logVariances).array,
    constants: (logVariances + log(2 * Double.pi)).array, logWeights: weights.array)
  let result = mixture.jointLogProbabilities(of: z.array)
  return Tensor.record(
    "normalMixtureLogProbability", [z, mean, logVariance, logWeights], result.densities,
    saving: .inputs
  ) { g, call in
    if call.isHigherOrder {
      return call.cotangents(g) {
        let weights = $0[3].broadcast(to: [$0[0].shape[0], $0[1].shape[0]])
        return composed($0[0], $0[1], $0[2], weights).selecting(0, axis: 0)
      }
    }
    let gradients = mixture.gradients(
      at: call[0].array, marginals: nil, shares: result.shares, cotangent: g.array)
    return [gradients.z, gradients.mean, gradients.logVariance].map { Tensor($0).transposed }
      + [matmul(g.expandingDimension(at: 0), Tensor(result.shares)).squeezed(0)]
  }
}

/// Both densities as a composition of recorded operations.
private func composed(
  _ z: Tensor, _ mean: Tensor, _ logVariance: Tensor, _ logWeights: Tensor
) -> Tensor {
  let distances = z.expandingDimension(at: 1) - mean
  let elements =
    (square(distances) * exp(-logVariance) + logVariance + log(2 * Double.pi)) * -0.5
  let weights = logWeights.expandingDimension(at: 2)
  return Tensor.stack([
    (elements.sum(axes: [2]) + logWeights).logSumExp(axes: [1]),
    (elements + weights).logSumExp(axes: [1]).sum(axes: [1]),
  ])
}
