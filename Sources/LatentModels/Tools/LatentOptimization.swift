// Latents whose examples please: search in the latent space for what a score of decoded examples likes best
// (Gomez-Bombarelli et al. 2018).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers

/// A latent, its example and how it scores.
public struct LatentOptimum: Sendable {
  /// The latent, of the latents' shape.
  public let latent: Tensor
  /// What the likelihood expects there.
  public let example: Tensor
  /// The score of that example.
  public let score: Double
  /// Examples that were scored during the search.
  public let evaluations: Int
}

/// How a latent is searched.
public enum LatentSearch: Sendable, Hashable {
  /// By derivatives of the score.
  case gradients(LBFGS = LBFGS())
  /// By generations of latents; the score needs no derivative. What is drawn follows from the seed.
  case evolution(CMAES = CMAES(), seed: UInt64 = 0)
}

extension LatentVariableModel {
  /// A latent near `start` whose example scores as high as the search finds.
  ///
  /// - Parameters:
  ///   - start: one latent, of the latents' shape
  ///   - priorWeight: what a nat of the prior's log-density counts in units of the score. Scores of examples far from
  ///     any data mean little: a weight keeps the search where latents of the prior lie.
  ///   - fields: of one row
  ///   - score: of examples `[candidates, ...]`, `[candidates]`; the search maximises it
  /// - Throws: `ModelRequirementError` where the likelihood has neither a mean nor a mode, or a weight is given and
  ///   the prior has no density at any value.
  public func optimized(
    from start: Tensor, by search: LatentSearch = .gradients(), priorWeight: Double = 0,
    fields: [String: Tensor] = [:], file: StaticString = #fileID, line: UInt = #line,
    score: @escaping (Tensor) -> Tensor
  ) throws -> LatentOptimum {
    let shape = start.shape
    var context = LayerContext.inference
    context.fields = fields
    let prior = prior(start.dtype, &context)
    if priorWeight != 0, !(prior is any EvaluableDistribution) {
      throw ModelRequirementError(
        purpose: "a search with a weight of the prior", found: "\(type(of: prior))",
        expected: "a prior whose density can be asked at any value")
    }
    _ = try decode(start.expandingDimension(at: 0), fields: fields)
      .point(for: "a search in the latent space")
    func examples(_ z: Tensor) -> Tensor {
      decode(z.reshaped([z.shape[0]] + shape), fields: repeated(fields, z.shape[0]))
        .pointEstimate ?? z
    }
    func cost(_ z: Tensor) -> Tensor {
      let cost = -score(examples(z))
      if priorWeight == 0 { return cost }
      let density = prior.evaluable.logProbability(of: z.reshaped([z.shape[0]] + shape))
      return cost - density * priorWeight
    }
    let (point, evaluations): (Tensor, Int)
    switch search {
    case .gradients(let rule):
      let result = rule.minimize([start.reshaped([1, shape.count])], file: file, line: line) {
        cost($0[0]).sum()
      }
      (point, evaluations) = (result.point[0], result.evaluations)
    case .evolution(let rule, let seed):
      var random = RandomStream(seed: seed)
      let result = rule.minimize(
        start.flattened(), using: &random, file: file, line: line, cost)
      (point, evaluations) = (result.point.expandingDimension(at: 0), result.evaluations)
    }
    let example = examples(point)
    return LatentOptimum(
      latent: point.reshaped(shape), example: example.selecting(0),
      score: score(example).item, evaluations: evaluations)
  }
}
