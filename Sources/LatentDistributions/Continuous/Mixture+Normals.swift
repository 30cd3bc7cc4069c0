// One mixture of many normals, the form of learned priors: hundreds of components meet every latent of a batch, and an
// array over latents, components and their elements would be most of the memory of a step.

import LatentAutodiff
import LatentNumerics

extension Mixture {
  /// The components where they are normals of one mixture.
  private var normals: DiagonalNormal? {
    batchShape.rank == 0 ? components as? DiagonalNormal : nil
  }

  /// log p(x), nats, `[...]`, of values `[..., event]`; nil where the components are others.
  func normalsLogProbability(of value: Tensor) -> Tensor? {
    guard let normals else { return nil }
    let rank = eventShape.rank
    let shape = normals.batchShape + eventShape
    let leading = value.shape.prefix(value.rank - rank)
    return normalMixtureLogProbability(
      of: value.reshaped([leading.count, eventShape.count]),
      mean: normals.mean.flatteningEvent(rank),
      logVariance: normals.logVariance.broadcast(to: shape).flatteningEvent(rank),
      logWeights: logWeights
    ).reshaped(leading)
  }

  /// A draw of component `index` for each of them, `[..., event]`, without derivative; nil where the components are
  /// others.
  func normalsSample(_ index: Tensor, using random: inout RandomStream) -> Tensor? {
    guard let normals else { return nil }
    let shape = index.shape + eventShape
    func rows(_ parameter: Tensor) -> Tensor {
      parameter.detached.broadcast(to: normals.batchShape + eventShape)
        .gathering(index.flattened(), axis: 0).reshaped(shape)
    }
    return reparameterized(
      mean: rows(normals.mean), logVariance: rows(normals.logVariance),
      noise: random.normalTensor(shape, dtype))
  }
}
