// A Hamiltonian posterior in a latent space with a learned metric (Chadebec, Mantoux and Allassonniere 2020): momenta
// have the covariance G(z), and the energy that is kept is
//
//   H(z, r) = -log p(x, z) + 1/2 log det G(z) + 1/2 r^T G(z)^-1 r
//
// Its equations are implicit; generalised leapfrog steps solve them by a few rounds of substitution.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension HamiltonianFlow {
  /// A place and a momentum after all steps in a space with a metric, `[..., latents]`. `gradient` is that of the
  /// potential by the place, asked at K + 1 places; `rounds` is how often each implicit equation is substituted into.
  ///
  /// The map keeps volumes as far as the substitutions have converged.
  func callAsFunction(
    _ place: Tensor, _ momentum: Tensor, metric: InverseMetric, rounds: Int,
    gradient: (Tensor) -> Tensor
  ) -> (place: Tensor, momentum: Tensor) {
    var (z, momentum) = (place, momentum)
    guard steps > 0 else { return (z, momentum) }
    let halves = stepSizes * 0.5
    var slope = gradient(z)
    func force(_ z: Tensor, _ momentum: Tensor) -> Tensor {
      slope + LatentAutodiff.gradient(at: z) { metric.energy($0, momentum).sum() }
    }
    for k in 1...steps {
      var half = momentum
      for _ in 0..<rounds { half = momentum - halves * force(z, half) }
      let velocity = metric.velocity(z, half)
      var next = z
      for _ in 0..<rounds { next = z + halves * (velocity + metric.velocity(next, half)) }
      z = next
      slope = gradient(z)
      momentum = half - halves * force(z, half)
      momentum *= (temperature(after: k) / temperature(after: k - 1)).squareRoot()
    }
    return (z, momentum)
  }
}

/// A diagonal normal, and beside it the factor of a metric at its mean.
public struct NormalWithFactor: ReparameterizedDistribution {
  /// The normal.
  public let normal: DiagonalNormal
  /// Lower triangular with a positive diagonal, `[batch, latents, latents]`.
  public let factor: Tensor

  public var batchShape: Shape { normal.batchShape }
  public var eventShape: Shape { normal.eventShape }
  public var dtype: DType { normal.dtype }
  public var pointEstimate: Tensor? { normal.mean }
  public var entropy: Tensor? { normal.entropy }
  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor { normal.reparameterizedSample(sampleShape, using: &random) }
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    normal.sampleAndLogProbability(sampleShape, using: &random)
  }
}

/// A diagonal normal and a factor: means, log-variances, then the lower triangle row by row.
public struct NormalWithFactorHead: PlainPosteriorHead {
  /// A head without parameters.
  public init() {}
  public func outputs(latents: Int) -> [RawOutputs] {
    DiagonalHead().outputs(latents: latents)
      + [RawOutputs(FullCovarianceNormal.parameterCount(latents))]
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> NormalWithFactor {
    // n + n + n (n + 1) / 2 outputs.
    let latents = (1...).first { 2 * $0 + FullCovarianceNormal.parameterCount($0) >= raw.shape[-1] }
    let count = latents ?? 1
    let ends = raw.sliced(raw.rank - 1, 0..<2 * count)
    let normal = DiagonalHead()(ends, eventRank: eventRank, &context)
    let triangle = raw.sliced(raw.rank - 1, 2 * count..<raw.shape[-1])
    return NormalWithFactor(
      normal: normal,
      factor: FullCovarianceNormal(mean: normal.mean, unconstrained: triangle).scaleTriangle)
  }
}

/// A model whose encoder says factors of a metric beside its normal.
public protocol NormalWithFactorModel: ReparameterizedModel where Posterior == NormalWithFactor {}

extension VAE: NormalWithFactorModel where E.Posterior == NormalWithFactor {}

/// A model whose posterior is that of `base` after generalised leapfrog steps in a metric that the encoder says.
///
/// In training the centers of the metric are the means of the batch, so that their factors have derivatives; the last
/// ones are kept, and are the metric afterwards.
public struct RiemannianModel<Base: NormalWithFactorModel>: DecoderDifferentiatingModel {
  /// The model whose encoder says where the steps start, and the factors.
  public var base: Base
  /// The steps.
  public var flow: HamiltonianFlow
  /// The last centers, `[points, latents]`, newest first.
  public var centers: Tensor
  /// Their factors, `[points, latents, latents]`.
  public var factors: Tensor
  /// How many of them there are yet, `[1]`.
  public var filled: Tensor
  /// How far the influence of a center reaches.
  public let reach: Double
  /// What is left of the inverse of the metric far from all centers.
  public let floor: Double
  /// How often each implicit equation is substituted into.
  public let rounds: Int

  /// A model around another, with room for so many centers.
  public init(
    _ base: Base, flow: HamiltonianFlow, points: Int, reach: Double = 1.5, floor: Double = 0.01,
    rounds: Int = 3
  ) {
    self.base = base
    self.flow = flow
    self.reach = reach
    self.floor = floor
    self.rounds = rounds
    let latents = flow.step.count
    centers = .zeros([points, latents])
    factors = .zeros([points, latents, latents])
    filled = .zeros([1])
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
    visitor.visit(&flow, "flow")
    visitor.enter("metric")
    visitor.visitBuffer(&centers, "centers")
    visitor.visitBuffer(&factors, "factors")
    visitor.visitBuffer(&filled, "filled")
    visitor.leave()
  }

  /// The metric after training.
  public var metric: InverseMetric {
    let places = Tensor.range(centers.shape[0], centers.dtype)
    return InverseMetric(
      centers: centers, factors: factors, weights: places .< filled, reach: reach, floor: floor)
  }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> RiemannianPosterior<Base> {
    let start = base.checkedPosterior(of: x, &context)
    var metric = self.metric
    if context.isTraining {
      (metric.centers, metric.factors) = (start.normal.mean, start.factor)
      metric.weights = Tensor.ones([x.shape[0]], start.dtype)
      keep(start, &context)
    }
    var still = LayerContext.inference
    still.fields = context.fields
    return RiemannianPosterior(
      start: start, flow: flow, metric: metric, rounds: rounds, model: base,
      prior: base.prior(start.dtype, &still).evaluable, x: x, context: still)
  }

  /// The batch's centers go in front of those that there are, and the oldest away.
  private func keep(_ start: NormalWithFactor, _ context: inout LayerContext) {
    let points = centers.shape[0]
    func newest(_ rows: Tensor, _ old: Tensor) -> Tensor {
      Tensor.concatenate([rows.detached, old], axis: 0)[0..<points]
    }
    context.update(centers) { newest(start.normal.mean, $0) }
    context.update(factors) { newest(start.factor, $0) }
    let count = Double(start.batchShape[0])
    context.update(filled) { minimum($0 + count, $0.zerosLike + Double(points)) }
  }

}

/// Where generalised leapfrog steps take draws of `start`, which is known by its draws alone.
///
/// The log-probability of a draw is that of place and momentum together less that of the last momentum under
/// N(0, G(z_K)), as if the steps kept volumes exactly; they do as far as the substitutions have converged.
public struct RiemannianPosterior<Model: NormalWithFactorModel>: ReparameterizedDistribution {
  /// The encoder's posterior.
  public let start: NormalWithFactor
  let flow: HamiltonianFlow
  /// The metric of the paths.
  public let metric: InverseMetric
  let rounds: Int
  let model: Model
  let prior: any EvaluableDistribution
  let x: Tensor
  let context: LayerContext

  public var batchShape: Shape { start.batchShape }
  public var eventShape: Shape { start.eventShape }
  public var dtype: DType { start.dtype }

  private func moved(_ place: Tensor, noise: Tensor) -> (place: Tensor, momentum: Tensor) {
    let scale = flow.temperature(after: 0).squareRoot()
    let momentum = metric.momentum(place, noise: noise) * scale
    return flow(place, momentum, metric: metric, rounds: rounds) {
      model.potentialGradient(x, prior, at: $0, context)
    }
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let place = start.reparameterizedSample(sampleShape, using: &random)
    return moved(place, noise: random.normalTensor(place.shape, dtype)).place
  }

  /// log q_0(z_0) + log N(r_0; 0, T_0 G(z_0)) + d/2 log T_0 - log N(r_K; 0, G(z_K)).
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (place, density) = start.sampleAndLogProbability(sampleShape, using: &random)
    let noise = random.normalTensor(place.shape, dtype)
    let end = moved(place, noise: noise)
    let first = metric.halfLogDeterminant(place) - square(noise).sum(axes: [-1]) * 0.5
    return (end.place, density + (first + metric.energy(end.place, end.momentum)))
  }

  /// The end of the path from the encoder's mean, without a momentum.
  public var pointEstimate: Tensor? {
    let mean = start.normal.mean
    return moved(mean, noise: mean.zerosLike).place
  }
}
