// Data through the encoder and latents through the decoder: what every objective that looks at both is made
// of, computed once.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// One pass of a batch through a model: the posterior, draws of it and what the decoder makes of them.
public struct VariationalPass<Posterior: Distribution> {
  /// q(z | x), of batch shape `[batch]`.
  public let posterior: Posterior
  /// p(z).
  public let prior: any Distribution
  /// Draws, `[batch, latent]`, or `[sample, batch, latent]` where there are several.
  public let z: Tensor
  /// log p(x | z) in nats, `[batch]` or `[sample, batch]`, without what a mask hides.
  public let logLikelihood: Tensor
  /// log q(z | x) in nats, of the same shape; nil where it was not asked for, and of a point, which has
  /// no density.
  public let logPosterior: Tensor?
  /// KL(q(z | x) || p(z)) in nats, `[batch]`, where there is a closed form.
  public let exactDivergence: Tensor?
  /// The divergence as a posterior estimates it that can do so.
  public var estimate: DivergenceEstimate?

  /// The divergence in nats: `[batch]` where it is exact, else estimated with the draws, of their shape.
  /// Nil for points.
  public var divergence: Tensor? {
    if let known = exactDivergence ?? estimate?.divergence { return known }
    return logPosterior.map { $0 - logPrior }
  }

  /// How `divergence` was computed; nil for points.
  public var divergenceMethod: KLDivergence.Method? {
    if exactDivergence != nil { return .closedForm }
    if logPosterior == nil && estimate == nil { return nil }
    return .monteCarlo(samples: logLikelihood.rank > 1 ? logLikelihood.shape[0] : 1)
  }

  /// -log p(x | z) and the divergence, means over draws and batch, for `purpose`. Traps where the posterior
  /// is a point.
  func means(for purpose: String) -> (reconstruction: Tensor, kl: Tensor) {
    guard let divergence else {
      fatalError("\(purpose) needs a posterior with a density: found \(Posterior.self)")
    }
    return (-(logLikelihood.mean()), divergence.mean())
  }

  /// log p(z) of the draws in nats. Traps where the prior cannot be asked for a density.
  public var logPrior: Tensor { prior.evaluable.logProbability(of: z) }

  /// log w = log p(x, z) - log q(z | x) in nats, of the shape of the draws. Traps unless the density of
  /// the posterior was asked for.
  public var logWeights: Tensor { logLikelihood + logPrior - density }

  /// log q(z | x), which was asked for.
  var density: Tensor {
    guard let logPosterior else {
      fatalError("importance weights need the density of the posterior")
    }
    return logPosterior
  }
}

extension LatentVariableModel where Posterior: ReparameterizedDistribution {
  /// Encodes x `[batch, ...]` once, draws so many latents of each example and decodes them.
  ///
  /// - Parameters:
  ///   - samples: the draws have a sample axis where there is more than one, or `keepsAxis`
  ///   - density: whether log q(z | x) of the draws is computed also where the divergence has a closed
  ///     form
  ///   - score: what takes the place of log p(x | z), of the same shape
  public func variationalPass(
    _ x: Tensor, samples: Int = 1, keepsAxis: Bool = false, density: Bool = false,
    _ context: inout LayerContext, file: StaticString = #fileID, line: UInt = #line,
    score: ((Likelihood, LayerContext) -> Tensor)? = nil
  ) -> VariationalPass<Posterior> {
    let sampleShape: Shape = samples == 1 && !keepsAxis ? [] : [samples]
    return variationalPass(
      x, sampleShape, &context, file: file, line: line, score: score
    ) { q, p, random in
      posteriorDraw(q, p, sampleShape, density: density, using: &random) {
        q.reparameterizedSample(sampleShape, using: &$0)
      }
    }
  }
}

extension LatentVariableModel {
  /// As `variationalPass`, of a model that is not trained any more: any posterior will do, and draws carry no
  /// derivative. There is always a sample axis.
  public func evaluationPass(
    _ x: Tensor, samples: Int = 1, fields: [String: Tensor] = [:], using random: inout RandomStream,
    file: StaticString = #fileID, line: UInt = #line
  ) -> VariationalPass<Posterior> {
    Evaluation.of(self, file, line) {
      var context = LayerContext(isTraining: false, random: random, fields: fields)
      defer { random = context.random }
      return variationalPass(x, [samples], &context, file: file, line: line) { q, p, random in
        posteriorDraw(q, p, [samples], density: false, using: &random) {
          q.sample([samples], using: &$0)
        }
      }
    }
  }

  /// Draws of q and what is known of KL(q || p): exactly, as the posterior estimates it itself, else by the density
  /// of the draws, which is also had where it is asked for. `sample` draws without the density.
  private func posteriorDraw(
    _ q: Posterior, _ p: any Distribution, _ sampleShape: Shape, density: Bool,
    using random: inout RandomStream, sample: (inout RandomStream) -> Tensor
  ) -> PosteriorDraw {
    let isPoint = q is Delta
    let exact = isPoint ? nil : q.closedFormKL(to: p) ?? p.closedFormKL(from: q)
    if isPoint || (exact != nil && !density) {
      return PosteriorDraw(z: sample(&random), exactDivergence: exact)
    }
    if !density,
      let estimate = (q as? any DivergenceEstimatingDistribution)?
        .sampleAndDivergence(from: p, sampleShape, using: &random)
    {
      return PosteriorDraw(z: estimate.value, estimate: estimate)
    }
    let draw = q.sampleAndLogProbability(sampleShape, using: &random)
    return PosteriorDraw(
      z: draw.value, logProbability: draw.logProbability, exactDivergence: exact)
  }
}

/// Draws of a posterior and what is known of them.
struct PosteriorDraw {
  let z: Tensor
  var logProbability: Tensor?
  var exactDivergence: Tensor?
  var estimate: DivergenceEstimate?
}

extension LatentVariableModel {
  /// Encodes x `[batch, ...]` once, draws latents of the sample shape as `draw` says, from the posterior
  /// and beside the prior, and decodes them.
  func variationalPass(
    _ x: Tensor, _ sampleShape: Shape, _ context: inout LayerContext, file: StaticString = #fileID,
    line: UInt = #line, score: ((Likelihood, LayerContext) -> Tensor)? = nil,
    draw: (Posterior, any Distribution, inout RandomStream) -> PosteriorDraw
  ) -> VariationalPass<Posterior> {
    let q = checkedPosterior(of: x, &context, file: file, line: line)
    let p = prior(q.dtype, &context)
    let draw = draw(q, p, &context.random)
    let likelihood = checkedLikelihood(
      of: draw.z, leading: sampleShape + q.batchShape, &context, file: file, line: line)
    return VariationalPass(
      posterior: q, prior: p, z: draw.z,
      logLikelihood: score?(likelihood, context)
        ?? likelihood.logProbability(of: x, observedIn: context),
      logPosterior: draw.logProbability, exactDivergence: draw.exactDivergence,
      estimate: draw.estimate)
  }
}
