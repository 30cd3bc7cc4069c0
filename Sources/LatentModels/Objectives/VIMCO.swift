// The importance-weighted bound for latents that cannot be differentiated through: the score function
// with a baseline for each draw that is made of the other draws (Mnih and Rezende 2016).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The importance-weighted bound with draws as constants (Mnih and Rezende 2016, equations 5 to 10), for
/// posteriors of any kind whose density is known, in nats per example.
///
/// The gradient is that of sum_k sg(L - L_-k) log q(z_k | x) + L at fixed draws, where L_-k is the bound
/// with the geometric mean of the other weights in place of w_k.
public struct VIMCO<Model: LatentVariableModel>: Objective, DescribedObjective {
  public let settings: VIMCODescription

  public init(_ settings: VIMCODescription) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.fixedDraws(x, samples: settings.samples, &context)
    let logWeights = pass.logWeights
    let signals = VIMCO.signals(logWeights)
    let score = (signals * pass.density).sum(axes: [0])
    // The score has the gradient and no say in the value.
    return pass.loss(
      bound: logWeights.logMeanExp() + (score - score.detached), logWeights)
  }

  /// L - L_-k of log w `[samples, batch]`, a constant of the same shape: how much better the bound is with
  /// a draw than with an average one in its place.
  public static func signals(_ logWeights: Tensor) -> Tensor {
    let logWeights = logWeights.detached
    let count = Double(logWeights.shape[0])
    let total = logWeights.logSumExp(axes: [0], keepingDimensions: true)
    let share = exp(logWeights - total)
    // log of the sum of the other weights. Where one has most of the sum, the difference would cancel,
    // and the others are added up instead.
    let isMost = share .> 0.5
    let others = Tensor.where(isMost, logWeights.zerosLike - .infinity, logWeights)
      .logSumExp(axes: [0], keepingDimensions: true)
    let minor = Tensor.where(isMost, share.zerosLike, share)
    let sumOfOthers = Tensor.where(
      isMost, others + logWeights.zerosLike, total + log(onePlus: -minor))
    let meanOfOthers =
      (logWeights.sum(axes: [0], keepingDimensions: true) - logWeights) / (count - 1)
    return total - Tensor.stack([sumOfOthers, meanOfOthers]).logSumExp(axes: [0])
  }
}

extension LatentVariableModel {
  /// Encodes x `[batch, ...]` once and decodes draws that are constants; the densities of the draws
  /// `[samples, batch]` carry derivatives. Traps where the posterior has no density at any value.
  func fixedDraws(
    _ x: Tensor, samples: Int, _ context: inout LayerContext
  ) -> VariationalPass<Posterior> {
    importancePass(x, samples: samples, &context) { q, random in
      let z = q.sample([samples], using: &random)
      return (z, q.evaluable.logProbability(of: z))
    }
  }
}

extension ObjectiveDescription {
  /// - Throws: `ModelRequirementError` where the density of the posterior cannot be asked for at any
  ///   value.
  func requireEvaluablePosterior<Model: LatentVariableModel>(of model: Model) throws {
    try requireDivergence(of: model)
    try requirePosterior(
      of: model, Model.Posterior.self is any EvaluableDistribution.Type,
      "a posterior whose density is known at any value")
  }
}

/// The importance-weighted bound with draws as constants, in words.
public struct VIMCODescription: ObjectiveDescription {
  public static let name = "vimco"
  public static let origin = Origin(
    "the importance-weighted bound for latents that cannot be differentiated through",
    paper: "Mnih and Rezende 2016", equation: "5 to 10",
    test: "LatentModelsTests/FixedDrawTests.swift")

  /// Latent draws for each example, at least 2: a draw alone has no others.
  public var samples = 10

  public init() {}

  public func validate() throws { try check(samples: samples, "samples", least: 2) }

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireEvaluablePosterior(of: model)
    return VIMCO<Model>(self)
  }
}
