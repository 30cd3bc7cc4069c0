// What people do with the indices of a trained model's codes: store data by them, and decode what was stored.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// The codes of the model, by their indices.
  /// - Throws: `ModelRequirementError` where it has none.
  public func latentCodes() throws -> LatentCodes {
    var context = LayerContext.inference
    guard let prior = prior(numberType, &context) as? any CodeDistribution else {
      throw ModelRequirementError(
        purpose: "an index of a code", found: "\(Posterior.self)", expected: "a model with codes")
    }
    return prior.codes
  }

  /// The indices of the codes of data `[batch, ...]`, int32 `[batch, index]`: of all vectors of a latent in the order of
  /// its numbers.
  /// - Throws: `ModelRequirementError` where the model has none.
  public func indices(of x: Tensor, fields: [String: Tensor] = [:]) throws -> Tensor {
    guard let point = encode(x, fields: fields) as? CodePoint else {
      throw ModelRequirementError(
        purpose: "an index of a code", found: "\(Posterior.self)", expected: "a model with codes")
    }
    return point.indices
  }

  /// The latents `[batch, latent]` of int32 indices `[batch, index]`.
  /// - Throws: `CodeError` where an index is none of the codes', `ModelRequirementError`.
  public func codes(at indices: Tensor) throws -> Tensor {
    try latentCodes().latents(at: indices, numberType)
  }

  /// The likelihood p(x | z) of the codes of int32 indices `[batch, index]`.
  /// - Throws: `CodeError` where an index is none of the codes', `ModelRequirementError`.
  public func decode(
    indices: Tensor, fields: [String: Tensor] = [:]
  ) throws -> Likelihood { decode(try codes(at: indices), fields: fields) }
}
