// The log-probability of classes, the loss of every language model, as one operation.

import LatentNumerics

/// log softmax(logits) at the int32 `targets`, in nats: `[..., classes]`, `[...]` -> `[...]`;
/// -infinity, without derivative, where a target is no class.
public func categoricalLogProbability(logits: Tensor, targets: Tensor) -> Tensor {
  let targets = targets.detached
  let (result, statistics) = logits.array.categoricalLogProbability(of: targets.array)
  return Tensor.record("categoricalLogProbability", logits, result, saving: .inputs) { g, call in
    if !call.isHigherOrder {
      return [
        Tensor(
          call[0].array.categoricalLogProbabilityGradient(
            of: targets.array, statistics: statistics, cotangent: g.array))
      ]
    }
    let (dtype, classes) = (call[0].dtype, call[0].shape[-1])
    let index = targets.converted(to: dtype).expandingDimension(at: targets.rank)
    let chosen = index .== Tensor.range(classes, dtype)
    let isClass = (index .>= 0) * (index .< Double(classes))
    return [g.expandingDimension(at: g.rank) * isClass * (chosen - softmax(call[0]))]
  }
}
