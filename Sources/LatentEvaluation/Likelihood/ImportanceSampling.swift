// The importance-weighted likelihood of examples (Burda, Grosse and Salakhutdinov 2016, equation 8), with so many draws
// that how sure it is can be told of each example.
//
// Examples are independent of each other: each has a random stream of its own, a function of the seed and of its
// number, so that an interrupted run goes on with the same bits and no batch leaves traces in the numbers. One example
// is the work of one thread, whose draws stay in its caches from the first layer to the density.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// How a likelihood is estimated by importance sampling.
public struct ImportanceSampling: Sendable, Hashable, Codable {
  /// Draws of the posterior of each example, K.
  public var samples: Int
  /// Draws that are decoded together; memory grows with it, and another size draws other latents.
  public var samplesAtOnce: Int
  /// What all draws follow from.
  public var seed: UInt64

  /// Traps unless there are samples.
  public init(
    samples: Int = 5000, samplesAtOnce: Int = 500, seed: UInt64 = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      samples > 0 && samplesAtOnce > 0,
      "importance sampling with \(samples) samples, \(samplesAtOnce) at once", file: file,
      line: line)
    self.samples = samples
    self.samplesAtOnce = samplesAtOnce
    self.seed = seed
  }

  /// The settings as text, for measurements.
  var words: [String: String] {
    ["samples": "\(samples)", "samplesAtOnce": "\(samplesAtOnce)", "seed": "\(seed)"]
  }
}

extension LatentVariableModel {
  /// Refuses a model whose draws have no importance weights: a posterior that is a point, or a prior that knows the
  /// density of its own draws only. `x` is `[batch, ...]`, one example is enough.
  /// - Throws: `Unmeasurable`.
  public func checkImportanceWeights(
    of x: Tensor, fields: [String: Tensor] = [:]
  ) throws(Unmeasurable) {
    var context = LayerContext.inference
    context.fields = fields
    let q = encode(x, fields: fields)
    let p = prior(q.dtype, &context)
    if q is any PointDistribution { throw .pointPosterior("\(Posterior.self)") }
    if !(p is any EvaluableDistribution) { throw .priorOfOwnDraws("\(type(of: p))") }
  }

  /// The estimates of log p(x) of examples x `[batch, ...]`, the first of which has the number `firstExample` in the
  /// data: another number is another draw. `fields` have one row for each example; entries that the field `mask` hides
  /// do not count.
  public func importanceEstimates(
    of x: Tensor, _ sampling: ImportanceSampling = ImportanceSampling(), firstExample: Int = 0,
    fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line
  ) -> [ImportanceEstimate] {
    let root = RandomStream(seed: sampling.seed).split("importance weights")
    let count = x.shape[0]
    return [ImportanceEstimate](unsafeUninitializedCapacity: count) { estimates, initialized in
      // Threads write to places of their own.
      nonisolated(unsafe) let start = estimates.baseAddress
      parallelFor(count) { index in
        var random = root.split(UInt64(firstExample + index))
        var logWeights: [Double] = []
        logWeights.reserveCapacity(sampling.samples)
        importanceLogWeights(
          of: x[index..<index + 1], samples: sampling.samples,
          samplesAtOnce: sampling.samplesAtOnce,
          fields: fields.mapValues { $0[index..<index + 1] }, using: &random, file: file,
          line: line
        ) { logWeights += $0.doubles }
        start.unsafelyUnwrapped.advanced(by: index)
          .initialize(to: ImportanceEstimate(logWeights: logWeights))
      }
      initialized = count
    }
  }
}
