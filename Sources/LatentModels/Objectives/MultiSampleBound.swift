// Bounds on log p(x) from several draws of the posterior: functions of their importance weights
// w_k = p(x, z_k) / q(z_k | x) (Burda, Grosse and Salakhutdinov 2016). What differs between them is that
// function; encoding once, drawing, decoding, and how the encoder's gradient is estimated is common.
//
// With c_k the derivative of the bound by log w_k, the gradient is the sum of c_k d log w_k. Its part by
// the parameters of q's density ("score") has an expectation that needs no score: the derivative through
// the draws of -c_k, where c_k depends on z_k through w_k (Tucker et al. 2019, equation 7). So the encoder
// may follow, through the draws alone, coefficients c_k - dc_k / dlog w_k: doubly reparameterised.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// How the gradient of a multi-sample bound by the encoder's parameters is estimated. The decoder and
/// the prior have the same gradient whichever it is.
public enum EncoderEstimator: String, SettingWord {
  /// The derivative of the bound as it is computed, through draws and densities (Burda, Grosse and
  /// Salakhutdinov 2016). Its ratio of signal to noise falls as draws are added (Rainforth et al. 2018).
  case pathwise
  /// "Sticking the landing": through the draws only (Roeder, Wu and Duvenaud 2017). Without noise at an
  /// exact posterior, but biased for more than one draw (Tucker et al. 2019).
  case stl
  /// Doubly reparameterised: through the draws only, and unbiased (Tucker et al. 2019).
  case dreg

  /// Draws `[samples, batch, latent]` and the log-probabilities that weights are made of, nats
  /// `[samples, batch]`.
  func draw(
    _ q: some ReparameterizedDistribution, _ samples: Int, _ scale: GradientScale,
    using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    if self == .pathwise { return q.sampleAndLogProbability([samples], using: &random) }
    guard let constant = (q as? any DetachableDistribution)?.detached else {
      fatalError("the estimator \(rawValue) needs a DetachableDistribution: found \(type(of: q))")
    }
    let draws = q.reparameterizedSample([samples], using: &random)
    let z = self == .dreg ? draws.scalingGradient(by: scale) : draws
    return (z, constant.logProbability(of: z))
  }
}

extension ObjectiveDescription {
  /// - Throws: `ModelRequirementError` where `estimator` cannot be had with the posterior.
  func requirePosterior<Model: LatentVariableModel>(
    of model: Model, for estimator: EncoderEstimator
  ) throws {
    try requireDivergence(of: model)
    try requirePosterior(
      of: model, estimator == .pathwise || Model.Posterior.self is any DetachableDistribution.Type,
      "a posterior that can be had with constant parameters (DetachableDistribution) for the estimator "
        + "'\(estimator.rawValue)'")
  }
}

/// A bound on log p(x) that is a function of the importance weights of several draws.
///
/// Besides the bound and its two parts the terms say how many draws effectively count: `ess`, the mean over
/// the batch of (sum w)^2 / sum w^2.
public protocol MultiSampleBound<Model>: Objective, DescribedObjective
where
  Model: LatentVariableModel, Model.Posterior: ReparameterizedDistribution,
  Settings: MultiSampleDescription
{
  /// The bound in nats, `[batch]`, of log w `[draws, batch]`.
  func bound(_ logWeights: Tensor) -> Tensor
  /// (c - dc / dlog w) / c, where c is the bound's derivative by log w: `[draws, batch]`, of constant
  /// log w `[draws, batch]`.
  func doublyReparameterizedShare(_ logWeights: Tensor) -> Tensor
}

/// Bounds from several draws in words.
public protocol MultiSampleDescription: ReparameterizedObjectiveDescription {
  /// Latent draws for each example and bound.
  var samples: Int { get set }
  /// How the encoder's gradient is estimated.
  var estimator: EncoderEstimator { get set }
  /// Draws for each example, all together: `samples` where there is one bound.
  var draws: Int { get }
}

extension MultiSampleDescription {
  public var draws: Int { samples }

  public func validate() throws { try check(samples: samples, "samples") }
}

extension MultiSampleBound {
  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let (draws, estimator, scale) = (settings.draws, settings.estimator, GradientScale())
    let pass = model.importancePass(x, samples: draws, &context) { q, random in
      estimator.draw(q, draws, scale, using: &random)
    }
    let logWeights = pass.logWeights
    if estimator == .dreg { scale.set(doublyReparameterizedShare(logWeights.detached)) }
    return pass.loss(bound: bound(logWeights), logWeights)
  }
}

extension LatentVariableModel {
  /// Encodes x `[batch, ...]` once, takes draws `[samples, batch, latent]` and their densities as `draw`
  /// says, and decodes them. Traps where the posterior is a point.
  func importancePass(
    _ x: Tensor, samples: Int, _ context: inout LayerContext,
    draw: (Posterior, inout RandomStream) -> (value: Tensor, logProbability: Tensor)
  ) -> VariationalPass<Posterior> {
    variationalPass(x, [samples], &context) { q, _, random in
      require(
        !(q is any PointDistribution),
        "importance weights need the density of the posterior: found a point")
      let draws = draw(q, &random)
      return PosteriorDraw(z: draws.value, logProbability: draws.logProbability)
    }
  }
}

extension VariationalPass {
  /// The loss of a bound on log p(x), nats `[batch]`, and what is to be seen of draws with these weights
  /// `[samples, batch]`.
  func loss(bound: Tensor, _ logWeights: Tensor) -> LossTerms {
    let (weights, likelihood) = (logWeights.detached, logLikelihood.detached)
    // log q - log p(z) is what is missing from log p(x | z).
    let divergence = (likelihood - weights).mean()
    return LossTerms(
      total: -(bound.mean()),
      terms: [
        ("reconstruction", -(likelihood.mean())), ("kl", divergence),
        ("ess", weights.effectiveSamples.mean()),
      ],
      klMethod: .monteCarlo(samples: weights.shape[0]))
  }
}

extension Tensor {
  /// log of the mean of e^x over an axis.
  func logMeanExp(axis: Int = 0) -> Tensor {
    logSumExp(axes: [axis]) - Foundation.log(Double(shape[axis]))
  }

  /// (sum w)^2 / sum w^2 of log w `[samples, ...]`: `[...]`, from 1 to the number of samples.
  var effectiveSamples: Tensor {
    exp(logSumExp(axes: [0]) * 2 - (self * 2).logSumExp(axes: [0]))
  }
}
