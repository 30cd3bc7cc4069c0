// Models whose posterior is a normal with independent elements: what objectives ask for that look at the
// means and variances of latents, or at the density of one example's posterior at the codes of another.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A model with a diagonal normal posterior.
///
/// `VAE` conforms where its encoder allows it; a model with another inner structure says so itself, and
/// has nothing to add.
public protocol DiagonalNormalModel: ReparameterizedModel where Posterior == DiagonalNormal {}

extension VAE: DiagonalNormalModel where E.Posterior == DiagonalNormal {}

extension LatentVariableModel {
  /// This model as one with a diagonal normal posterior; `purpose` is what asks for it.
  /// - Throws: `ModelRequirementError`, which names the posterior.
  public func diagonalNormal(for purpose: String) throws -> any DiagonalNormalModel {
    if let model = self as? any DiagonalNormalModel { return model }
    let isOne = Posterior.self == DiagonalNormal.self
    throw ModelRequirementError(
      purpose: purpose, found: isOne ? "\(Self.self)" : "\(Posterior.self)",
      expected: isOne
        ? "a model that conforms to DiagonalNormalModel"
        : "the posterior 'diagonal' (DiagonalNormal)")
  }
}

/// An objective that looks at the means and variances of a diagonal normal posterior.
public protocol DiagonalNormalObjectiveDescription: ObjectiveDescription {
  /// As of `ObjectiveDescription`, for a model with that posterior.
  func makeDiagonalNormal<Model: DiagonalNormalModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model>
}

extension DiagonalNormalObjectiveDescription {
  public func make<Model: LatentVariableModel>(
    for model: Model, _ facts: TrainingFacts
  ) throws -> any TrainingObjective<Model> {
    func open<Opened: DiagonalNormalModel>(_ model: Opened) throws -> any TrainingObjective {
      try makeDiagonalNormal(for: model, facts)
    }
    return try cast(open(try model.diagonalNormal(for: Self.purpose)), for: model)
  }
}
