// One way from data to a posterior and from latents to a likelihood for every objective and tool:
// hidden entries are filled in before the encoder, masked ones do not count after the decoder, and
// shapes that would broadcast in silence and train something else are refused by name.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LatentVariableModel {
  /// q(z | x) for x `[batch, ...]`, hidden entries filled in as `masking` says. Traps unless its batch
  /// shape is `[batch]`.
  public func checkedPosterior(
    of x: Tensor, _ context: inout LayerContext, file: StaticString = #fileID, line: UInt = #line
  ) -> Posterior {
    let q = posterior(masking(x, mask: context.fields[FieldName.mask]), &context)
    let batch = x.shape.prefix(min(1, x.rank))
    require(
      q.batchShape == batch,
      "the posterior \(Posterior.self) of \(Self.self) has batch shape \(q.batchShape) and event shape "
        + "\(q.eventShape) for inputs \(x.shape): expected batch shape \(batch); "
        + advice(q.batchShape, q.eventShape, expected: batch, "encoder"), file: file, line: line)
    return q
  }

  /// p(x | z) for z `[sample, batch, latent]`, where `leading` are the sample and batch axes. Traps
  /// unless they are its batch shape.
  public func checkedLikelihood(
    of z: Tensor, leading: Shape, _ context: inout LayerContext, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Likelihood {
    let p = likelihood(z, &context)
    require(
      p.batchShape == leading,
      "the likelihood \(Likelihood.self) of \(Self.self) has batch shape \(p.batchShape) and event shape "
        + "\(p.eventShape) for latents \(z.shape): expected batch shape \(leading); "
        + advice(p.batchShape, p.eventShape, expected: leading, "decoder"), file: file, line: line)
    return p
  }

  private func advice(_ batch: Shape, _ event: Shape, expected: Shape, _ part: String) -> String {
    let missing = batch.rank - expected.rank
    if missing > 0 {
      return "the last \(missing == 1 ? "axis" : "\(missing) axes") of it belong to the event: "
        + "give the distribution eventRank: \(event.rank + missing) in the \(part)"
    }
    if missing < 0 && batch == expected.suffix(batch.rank) {
      return "the \(part) ignores the sample axes in front: keep every axis before the last"
    }
    return "the \(part) must keep the axes before the last as they are"
  }
}

extension EvaluableDistribution {
  /// log p(x) in nats `[..., batch]`, without the entries that the context's field `mask` hides.
  ///
  /// Traps where there is a mask and the distribution does not factorise.
  public func logProbability(of x: Tensor, observedIn context: LayerContext) -> Tensor {
    guard let mask = context.fields[FieldName.mask] else { return logProbability(of: x) }
    guard let maskable = self as? any MaskableDistribution else {
      fatalError("a mask needs a likelihood that factorises over elements: \(Self.self)")
    }
    return maskable.logProbability(of: x, mask: mask)
  }
}

/// Names of the batch's fields that models know of, as `Field` of the data sets has them.
enum FieldName {
  static let mask = "mask"
  static let labels = "labels"
}
