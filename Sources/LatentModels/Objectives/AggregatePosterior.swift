// The aggregate posterior q(z) = (1/N) sum_n q(z | x_n) and the product of its marginals, estimated from the
// posteriors of one batch (Chen et al. 2018, "Isolating sources of disentanglement in VAEs", appendix C).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How one batch of B of the N training examples stands for all of them: log q(z_i) is estimated by
/// `logSumExp_j(log W_ij + log q(z_i | x_j))`, and each marginal with the same weights.
public enum AggregateEstimator: String, SettingWord {
  /// W = 1 / (N B) everywhere: minibatch-weighted sampling, biased (appendix C.1).
  case weighted
  /// The example itself 1/N, the next one (N - M) / (N M), the others 1/M, where M = B - 1:
  /// minibatch-stratified sampling (appendix C.2). Rows sum to 1.
  case stratified
  /// The example itself 1/N, every other (N - 1) / (N M): the same expectation with less variance, and
  /// exact where B = N.
  case symmetric

  /// log W, `[batch, batch]`. Traps where a stratified estimate has no other example to look at.
  public func logWeights(
    batch: Int, examples: Int, _ dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    // A batch of a larger set, as of a test set, is a set of its own.
    let total = Double(max(examples, batch))
    if self == .weighted {
      return Tensor(repeating: -log(total * Double(batch)), shape: [batch, batch], dtype)
    }
    require(
      batch > 1,
      "\(rawValue) weights of a batch of \(batch): expected 2 or more examples (the estimator 'weighted' "
        + "takes any batch)", file: file, line: line)
    let others = Double(batch - 1)
    let own = log(1 / total)
    let other = self == .symmetric ? log((total - 1) / (total * others)) : log(1 / others)
    var weights = [Double](repeating: other, count: batch * batch)
    for row in 0..<batch {
      weights[row * batch + row] = own
      if self == .stratified {
        weights[row * batch + (row + 1) % batch] = log((total - others) / (total * others))
      }
    }
    return Tensor(NDArray(weights, shape: [batch, batch]).converted(to: dtype))
  }
}

extension DiagonalNormal {
  /// The log-densities of the mixture of this batch's distributions and of the product of its marginals at
  /// codes z `[batch, event]`, each `[batch]` in nats; `logWeights` `[batch, batch]` belong to codes (rows)
  /// and distributions.
  public func aggregateLogProbabilities(
    of z: Tensor, logWeights: Tensor
  ) -> (joint: Tensor, marginals: Tensor) {
    let densities = normalMixtureLogProbabilities(
      of: z.flattened(from: 1), mean: mean.flattened(from: 1),
      logVariance: logVariance.broadcast(to: batchShape + eventShape).flattened(from: 1),
      logWeights: logWeights)
    return (densities.selecting(0, axis: 0), densities.selecting(1, axis: 0))
  }
}

/// The mean of log q(z_i | x_i) - log (1/B) sum_j q(z_i | x_j) in nats, an estimate of the mutual information of
/// data and codes z `[batch, latent...]` that is at most log B.
func mutualInformation(_ posterior: some Distribution, _ z: Tensor) -> Double {
  let (q, z) = (posterior.evaluable, z.detached)
  let count = z.shape[0]
  // Row i holds the densities of z_i under all posteriors.
  let draws = z.expandingDimension(at: 1).broadcast(to: [count] + z.shape)
  let densities = q.logProbability(of: draws).detached
  let own = q.logProbability(of: z).detached
  return (own - densities.logSumExp(axes: [1])).mean().item + Foundation.log(Double(count))
}
