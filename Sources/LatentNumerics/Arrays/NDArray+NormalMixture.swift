// Densities of mixtures of normals at many values, of all elements together and of each.

import CLatentKernels

/// Components of normals with independent elements, in the layout of the kernel.
package struct NormalMixture {
  private let means, precisions, constants, logWeights: NDArray

  /// `means`, 1 / variances `precisions` and log(2 pi variances) `constants` `[elements, components]`,
  /// `logWeights` `[values, components]`.
  package init(means: NDArray, precisions: NDArray, constants: NDArray, logWeights: NDArray) {
    require(
      means.shape.rank == 2 && logWeights.shape.rank == 2 && means.shape[1] == logWeights.shape[1]
        && means.isAlike(precisions, constants) && logWeights.dtype == means.dtype,
      "mixture: means \(means.shape), precisions \(precisions.shape), weights \(logWeights.shape)")
    self.means = means
    self.precisions = precisions
    self.constants = constants
    self.logWeights = logWeights
  }

  private var values: Int { logWeights.shape[0] }
  private var elements: Int { means.shape[0] }

  private func withKernelForm<Result>(
    _ z: NDArray, _ body: (inout latent_normal_mixture) -> Result
  ) -> Result {
    require(
      z.shape == [values, elements] && z.dtype == means.dtype,
      "mixture of \(elements) elements: \(values) weights, values \(z.shape)")
    var form = latent_normal_mixture(
      values: Int64(values), components: Int64(means.shape[1]), elements: Int64(elements),
      z: z.pointer, mean: means.pointer, precision: precisions.pointer,
      constant: constants.pointer, log_weights: logWeights.pointer)
    defer {
      for array in [z, means, precisions, constants, logWeights] { keepAlive(array.storage) }
    }
    return body(&form)
  }

  /// Log-densities `[2, values]` of z `[values, elements]`: of all elements together, and the sum of those of
  /// each; with what the derivative needs.
  package func logProbabilities(
    of z: NDArray
  ) -> (densities: NDArray, marginals: NDArray, shares: NDArray) {
    let densities = NDArray(uninitialized: [2, values], z.dtype)
    let marginals = NDArray(uninitialized: z.shape, z.dtype)
    let shares = NDArray(uninitialized: logWeights.shape, z.dtype)
    withKernelForm(z) {
      latent_normal_mixture_log_prob(
        z.dtype.kernel, &$0, densities.freshPointer, marginals.freshPointer, shares.freshPointer)
    }
    return (densities, marginals, shares)
  }

  /// Log-densities `[values]` of z `[values, elements]`, of all elements together; with what the derivative needs.
  package func jointLogProbabilities(of z: NDArray) -> (densities: NDArray, shares: NDArray) {
    let densities = NDArray(uninitialized: [values], z.dtype)
    let shares = NDArray(uninitialized: logWeights.shape, z.dtype)
    withKernelForm(z) {
      latent_normal_mixture_log_prob(
        z.dtype.kernel, &$0, densities.freshPointer, nil, shares.freshPointer)
    }
    return (densities, shares)
  }

  /// The cotangents of z `[elements, values]` and of means and log-variances `[elements, components]`;
  /// `marginals` are nil of the joint density alone.
  package func gradients(
    at z: NDArray, marginals: NDArray?, shares: NDArray, cotangent: NDArray
  ) -> (z: NDArray, mean: NDArray, logVariance: NDArray) {
    let result = (
      z: NDArray(uninitialized: [elements, values], z.dtype),
      mean: NDArray(uninitialized: means.shape, z.dtype),
      logVariance: NDArray(uninitialized: means.shape, z.dtype)
    )
    withKernelForm(z) {
      latent_normal_mixture_log_prob_grad(
        z.dtype.kernel, &$0, marginals?.pointer, shares.pointer, cotangent.pointer,
        result.z.freshPointer, result.mean.freshPointer, result.logVariance.freshPointer)
    }
    for array in [marginals ?? shares, shares, cotangent] { keepAlive(array.storage) }
    return result
  }
}
