// How probable data are: importance weights of latents that the posterior draws (Burda, Grosse and Salakhutdinov
// 2016, equation 8). Draws come in groups, so that their number is not bounded by memory; whoever asks for weights
// gets one group after the other.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// Encodes x `[batch, ...]` once and hands on the weights of latents that are drawn in groups of at most
  /// `samplesAtOnce`: log w = log p(x | z) + log p(z) - log q(z | x) in nats, `[group, batch]`. The mean of w is an
  /// unbiased estimate of p(x). Entries that the field `mask` hides do not count.
  ///
  /// Draws of one seed depend on the size of the groups. Traps where the prior knows the density of its own draws only.
  public func importanceLogWeights(
    of x: Tensor, samples: Int, samplesAtOnce: Int = 64, fields: [String: Tensor] = [:],
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line,
    _ body: (Tensor) throws -> Void
  ) rethrows {
    require(samples > 0, "importance weights of \(samples) samples", file: file, line: line)
    require(
      samplesAtOnce > 0, "importance weights of \(samplesAtOnce) samples at once", file: file,
      line: line)
    try Evaluation.of(self, file, line) {
      var context = LayerContext.inference
      context.fields = fields
      let q = checkedPosterior(of: x, &context, file: file, line: line)
      let p = prior(q.dtype, &context).evaluable
      var left = samples
      while left > 0 {
        let count = min(left, samplesAtOnce)
        let (z, logQ) = q.sampleAndLogProbability([count], using: &random)
        let likelihood = checkedLikelihood(
          of: z, leading: [count] + q.batchShape, &context, file: file, line: line)
        let logP = likelihood.logProbability(of: x, observedIn: context)
        try body(logP + p.logProbability(of: z) - logQ)
        left -= count
      }
    }
  }

  /// The importance-sampled estimate of log p(x) in nats, `[batch]`, a lower bound in expectation, tight as samples
  /// grow: `logMeanExp` of `importanceLogWeights`.
  public func logLikelihood(
    of x: Tensor, importanceSamples: Int, samplesAtOnce: Int = 64, fields: [String: Tensor] = [:],
    using random: inout RandomStream, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    var groups: [Tensor] = []
    importanceLogWeights(
      of: x, samples: importanceSamples, samplesAtOnce: samplesAtOnce, fields: fields,
      using: &random, file: file, line: line
    ) { groups.append($0.logSumExp(axes: [0])) }
    return Tensor.stack(groups).logSumExp(axes: [0])
      - Foundation.log(Double(importanceSamples))
  }
}
