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
public struct ControlledCapacity<Model: LatentVariableModel>: Objective, DescribedObjective
where Model.Posterior: ReparameterizedDistribution {
  public let settings: CapacityDescription

  public init(_ settings: CapacityDescription) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let pass = model.variationalPass(x, &context)
    let (reconstruction, kl) = pass.means(for: Settings.purpose)
    return LossTerms(
      context, weights: [settings.capacity],
      terms: [("reconstruction", reconstruction), ("kl", kl)], klMethod: pass.divergenceMethod
    ) { reconstruction + abs(kl - $0[0]) * settings.gamma }
  }
}

/// Controlled capacity in words.
public struct CapacityDescription: ReparameterizedObjectiveDescription {
  public static let name = "capacity"
  public static let origin = Origin(
    "the divergence held at a capacity that rises", paper: "Burgess et al. 2018", equation: "8",
    test: "LatentModelsTests/MomentObjectiveTests.swift")

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
    return ControlledCapacity<Model>(self)
  }
}
