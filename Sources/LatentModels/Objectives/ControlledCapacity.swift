// The divergence held at a value that rises during training, so that latents are taken into use one after
// the other (Burgess et al. 2018, "Understanding disentangling in beta-VAE", equation 8).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `reconstruction + gamma |kl - C(step)|`, in nats per example.
///
/// The absolute value is of the batch's mean divergence, as in disentanglement_lib. (The mean of the
/// examples' absolute values is another objective, and never smaller.)
public struct ControlledCapacity<Model: LatentVariableModel>: Objective
where Model.Posterior: ReparameterizedDistribution {
  /// The weight of the deviation from the capacity.
  public let gamma: Double
  /// The divergence that is aimed at, in nats.
  public let capacity: WeightSchedule

  /// Traps where a number is negative.
  public init(
    gamma: Double, capacity: WeightSchedule, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      gamma >= 0 && capacity.isWeight, "a capacity of \(capacity) nats, weighed by \(gamma)",
      file: file, line: line)
    self.gamma = gamma
    self.capacity = capacity
  }

  public var summary: String { "ControlledCapacity(gamma: \(gamma), capacity: \(capacity))" }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    guard let divergence = pass.divergence else {
      fatalError("a capacity needs a posterior with a density: found \(Model.Posterior.self)")
    }
    let (reconstruction, kl) = (-(pass.logLikelihood.mean()), divergence.mean())
    return LossTerms(
      context, weights: [capacity], terms: [("reconstruction", reconstruction), ("kl", kl)],
      klMethod: pass.divergenceMethod
    ) { reconstruction + abs(kl - $0[0]) * gamma }
  }
}

/// Controlled capacity in words.
public struct CapacityDescription: ReparameterizedObjectiveDescription {
  public static let name = "capacity"
  public static let origin = Origin(
    "the divergence held at a capacity that rises", paper: "Burgess et al. 2018", equation: "8")

  /// The weight of the deviation from the capacity.
  public var gamma = 1000.0
  /// The divergence that is aimed at, in nats.
  public var capacity: WeightSchedule = .linear(from: 0, to: 25, steps: 100_000)

  public init() {}

  public func validate() throws {
    try check(weight: gamma, "gamma")
    try check(weight: capacity, "capacity")
  }

  public func makeReparameterized<Model: ReparameterizedModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    try requireDivergence(of: model)
    return ControlledCapacity<Model>(gamma: gamma, capacity: capacity)
  }
}
