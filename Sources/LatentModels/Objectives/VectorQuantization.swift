// The loss of models with discrete latents (van den Oord et al. 2017, equation 3): reconstructions, and what the codes
// note of themselves.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// `-log p(x | z)` at the codes z, in nats per example.
///
/// What the code book or whatever finds codes adds to the loss (`commitment`, `codebook`, `entropy`) is noted by the
/// posterior and added by whoever trains, as with every objective. The divergence from a prior over indices, constant where
/// that is uniform, is left out; `ELBO` counts it.
public struct VectorQuantization<Model: LatentVariableModel>: DescribedObjective, Objective
where Model.Posterior == CodePoint {
  public let settings: VectorQuantizationDescription

  public init(_ settings: VectorQuantizationDescription) { self.settings = settings }

  public func callAsFunction(
    _ model: Model, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    let q = model.checkedPosterior(of: x, &context)
    let likelihood = model.checkedLikelihood(of: q.value, leading: q.batchShape, &context)
    let cost = settings.cost.distortion
    let reconstruction = cost(likelihood, x, observedIn: context).mean()
    return LossTerms(total: reconstruction, terms: [("reconstruction", reconstruction)])
  }
}

/// A model whose posterior is one of codes: for finding out at run time.
public protocol CodesModel: LatentVariableModel where Posterior == CodePoint {}

extension VAE: CodesModel where E.Posterior == CodePoint {}
extension LensedModel: CodesModel where Base.Posterior == CodePoint {}

/// The loss of models with discrete latents, in words.
public struct VectorQuantizationDescription: ObjectiveDescription {
  public static let name = "vq"
  public static let origin = Origin(
    "reconstructions from codes, with what these add to the loss",
    paper: "van den Oord et al. 2017", equation: "3",
    test: "LatentModelsTests/VectorQuantizationFixtureTests.swift")

  public static let requirement = "the posterior codes"

  /// What reconstructions cost.
  public var cost = ReconstructionCost.likelihood

  public init() {}
  public func validate() throws {}

  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    guard let codes = model as? any CodesModel else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.Posterior.self)",
        expected: "codes (the posterior 'codes')")
    }
    try requireMeanOfLikelihood(model, for: cost)
    func open<Opened: CodesModel>(_ model: Opened) -> any TrainingObjective {
      VectorQuantization<Opened>(self)
    }
    return cast(open(codes), for: model)
  }
}
