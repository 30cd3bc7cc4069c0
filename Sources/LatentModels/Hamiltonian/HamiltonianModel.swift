// A posterior that is moved by the model's own densities (Caterini, Doucet and Sejdinovic 2018): a draw of the
// encoder's normal, with a momentum, is taken by leapfrog steps to where p(x, z) is higher. It needs the decoder
// and the prior, so it is a model around a model.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A model whose posterior is that of `base` after leapfrog steps through -log p(x, z).
///
/// Parameters have the paths of `base`, and `flow.step` beside them. Entries that a mask hides have no part in the
/// potential either.
public struct HamiltonianModel<Base: ReparameterizedModel>: DecoderDifferentiatingModel {
  /// The model whose encoder says where the steps start.
  public var base: Base
  /// The steps.
  public var flow: HamiltonianFlow

  /// A model around another.
  public init(_ base: Base, flow: HamiltonianFlow) {
    self.base = base
    self.flow = flow
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
    visitor.visit(&flow, "flow")
  }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> HamiltonianPosterior<Base> {
    let start = base.checkedPosterior(of: x, &context)
    // The potential is that of the trained model also in training, without dropout and running statistics
    // of the batch: one function of z, so that the map of each example is one that can be undone.
    var still = LayerContext.inference
    still.fields = context.fields
    return HamiltonianPosterior(
      start: start, flow: flow, model: base, prior: base.prior(start.dtype, &still).evaluable, x: x,
      context: still)
  }

}

/// A model whose posterior takes derivatives of the decoder of the model inside, which weights of low precision have not.
public protocol DecoderDifferentiatingModel: SurroundingModel {}

extension DecoderDifferentiatingModel {
  /// Hidden entries are filled in before the potential sees them, where they do not count; what else the encoder is
  /// shown, `base` adds itself.
  public var masking: Masking { Masking(filling: base.masking.filling) }
}

extension LatentVariableModel {
  /// The gradient of -log p(x, z) at z `[..., batch, latent]`, each by itself, under a prior. Derivatives of it are
  /// recorded where an enclosing call asks for them.
  func potentialGradient(
    _ x: Tensor, _ prior: any EvaluableDistribution, at z: Tensor, _ context: LayerContext
  ) -> Tensor {
    gradient(at: z) { z in
      var context = context
      let leading = z.shape.prefix(z.rank - prior.eventShape.rank)
      let likelihood = checkedLikelihood(of: z, leading: leading, &context)
      let logLikelihood = likelihood.logProbability(of: x, observedIn: context)
      return -(logLikelihood + prior.logProbability(of: z)).sum()
    }
  }
}

/// Where leapfrog steps take draws of `start`, which is known by its draws alone.
///
/// The log-probability of a draw is that of place and momentum together less that of the last momentum under
/// N(0, 1): log p(x, z) less it is the logarithm of an unbiased estimate of p(x), as importance weights are to be.
public struct HamiltonianPosterior<Model: ReparameterizedModel>: DivergenceEstimatingDistribution {
  /// The encoder's posterior.
  public let start: Model.Posterior
  let flow: HamiltonianFlow
  let model: Model
  let prior: any EvaluableDistribution
  let x: Tensor
  let context: LayerContext

  public var batchShape: Shape { start.batchShape }
  public var eventShape: Shape { start.eventShape }
  public var dtype: DType { start.dtype }

  /// The ends of paths from places `[..., batch, latent]` with standard normal `noise` for momenta, and what is
  /// left of these: 1/2 |r_K|^2 and 1/2 |noise|^2, `[..., batch]`.
  private func moved(
    _ place: Tensor, noise: Tensor
  ) -> (place: Tensor, kinetic: Tensor, noise: Tensor) {
    let momentum = noise * flow.temperature(after: 0).squareRoot()
    let end = flow(place, momentum) { model.potentialGradient(x, prior, at: $0, context) }
    return (end.place, halfSquare(end.momentum), halfSquare(noise))
  }

  private func halfSquare(_ x: Tensor) -> Tensor {
    square(x).sum(axes: Array(x.rank - eventShape.rank..<x.rank)) * 0.5
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let place = start.reparameterizedSample(sampleShape, using: &random)
    return moved(place, noise: random.normalTensor(place.shape, dtype)).place
  }

  /// log q_0(z_0) + log N(r_0; 0, T_0) + d/2 log T_0 - log N(r_K; 0, 1).
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (place, density) = start.sampleAndLogProbability(sampleShape, using: &random)
    let end = moved(place, noise: random.normalTensor(place.shape, dtype))
    return (end.place, density + (end.kinetic - end.noise))
  }

  /// -log p(z_K) + 1/2 |r_K|^2 - H(q_0) - d/2: the densities of what the draw starts from are replaced by their
  /// expectations. Nil where the entropy of `start` or the density of the prior is not known.
  public func sampleAndDivergence(
    from other: any Distribution, _ sampleShape: Shape, using random: inout RandomStream
  ) -> DivergenceEstimate? {
    guard other is any EvaluableDistribution, start.entropy != nil else { return nil }
    let place = start.reparameterizedSample(sampleShape, using: &random)
    return divergence(
      from: other, place: place, noise: random.normalTensor(place.shape, dtype))
  }

  /// As `sampleAndDivergence`, of paths from given places with given noise for momenta.
  func divergence(
    from other: any Distribution, place: Tensor, noise: Tensor
  ) -> DivergenceEstimate? {
    guard let other = other as? any EvaluableDistribution, let entropy = start.entropy else {
      return nil
    }
    let end = moved(place, noise: noise)
    // Both without the constant d/2 log 2 pi, which one has of the prior and the other of q_0: the
    // kinetic energy and the entropy are then the paper's.
    let size = Double(eventShape.count)
    let constant = size * 0.5 * HamiltonianPosterior.logTwoPi
    let energy = end.kinetic - other.logProbability(of: end.place) - constant
    let spread = (entropy + (size * 0.5 - constant)).broadcast(to: energy.shape)
    return DivergenceEstimate(
      value: end.place, divergence: energy - spread,
      figures: [("energy", energy), ("entropy", spread)])
  }

  /// Without a step it is the encoder's posterior.
  public func closedFormKL(to other: any Distribution) -> Tensor? {
    flow.steps == 0 ? start.closedFormKL(to: other) : nil
  }

  /// The end of the path from what stands for `start`, without a momentum.
  public var pointEstimate: Tensor? {
    start.pointEstimate.map { moved($0, noise: $0.zerosLike).place }
  }

  private static var logTwoPi: Double { 1.837_877_066_409_345_483_6 }
}
