// What objectives with moving weights share: which value holds now, and what the loss will be once all of
// them have arrived.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension LossTerms {
  /// A loss with moving weights: `total` makes it of their values. In training those are the values at the
  /// step, and `afterWarmup` is the loss of the final ones where they differ; outside, the final ones hold.
  init(
    _ context: LayerContext, weights: [WeightSchedule], terms: [(name: String, value: Tensor)],
    klMethod: KLDivergence.Method? = nil, total: ([Double]) -> Tensor
  ) {
    let final = weights.map(\.final)
    let now = context.isTraining ? weights.map { $0.value(step: context.step) } : final
    self.init(
      total: total(now), terms: terms, klMethod: klMethod,
      afterWarmup: now == final ? nil : total(final))
  }
}

extension WeightSchedule {
  /// Whether it can weigh a term: possible, and never negative.
  var isWeight: Bool { isPossible && values.allSatisfy { $0 >= 0 } }
}

extension Tensor {
  /// This times a weight, which is often 1.
  func weighted(_ weight: Double) -> Tensor { weight == 1 ? self : self * weight }
}
