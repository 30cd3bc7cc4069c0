// What objectives with a critic share beside it: who moves what, what their numbers may be, and what they
// ask of a model.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics
import LatentOptimizers

extension Turn {
  /// The parts of a `VAE`: everything that is trained but what an objective brings along.
  static let modelParts: [PathPattern] = ["encoder.**", "decoder.**", "prior.**"]

  /// The turn of one side of a game, by a rule of its own: where each side's move changes the other's loss,
  /// both are trained with little momentum (Radford, Metz and Chintala 2016).
  static func side(
    _ name: String, moves parameters: [PathPattern], every: Int = 1, learningRate: Double,
    beta1: Double = 0.5, beta2: Double = 0.999
  ) -> Turn {
    Turn(
      name, moves: parameters, every: every,
      optimizer: Adam(learningRate: learningRate, beta1: beta1, beta2: beta2))
  }

  /// The turn of an objective's critic.
  static func critic(learningRate: Double, beta1: Double = 0.5, beta2: Double = 0.999) -> Turn {
    side(
      "critic", moves: [PathPattern("\(partsName).**")], learningRate: learningRate, beta1: beta1,
      beta2: beta2)
  }
}

/// A model whose likelihood has a mean: data that can be shown to a critic, with derivatives.
///
/// `VAE` conforms where its decoder allows it.
public protocol ExpectedDataModel: LatentVariableModel where Likelihood: DistributionWithMean {}

extension VAE: ExpectedDataModel where D.Likelihood: DistributionWithMean {}

extension ExpectedDataModel {
  /// What the likelihood expects at z `[batch, latent]`: `[batch, ...]`.
  func expectedData(at z: Tensor, _ context: inout LayerContext) -> Tensor {
    checkedLikelihood(of: z, leading: [z.shape[0]], &context).mean
  }

  /// What the likelihood expects at as many latents of the prior, which is a constant: `[count, ...]`.
  func imagined(_ count: Int, _ context: inout LayerContext) -> Tensor {
    let z = samplePrior(count, fields: context.fields, using: &context.random).detached
    return expectedData(at: z, &context)
  }

  /// Traps where parts of the data are hidden: a critic would see what stands there.
  func requireWhole(_ context: LayerContext, for name: String) {
    require(
      context.fields[FieldName.mask] == nil,
      "the objective '\(name)' shows data to a critic: they must be whole, without a mask")
  }
}

extension ObjectiveDescription {
  /// A model whose likelihood has a mean.
  /// - Throws: `ModelRequirementError`, which names the likelihood.
  func requireExpectedData<Model: LatentVariableModel>(
    of model: Model
  ) throws -> any ExpectedDataModel {
    guard let model = model as? any ExpectedDataModel else {
      throw ModelRequirementError(
        purpose: Self.purpose, found: "\(Model.Likelihood.self)",
        expected: "a likelihood with a mean")
    }
    return model
  }

  /// Widths of the layers of a critic.
  func check(widths: [Int], _ key: String) throws {
    let (depth, limit) = (ModelDescription.maximumDepth, ModelDescription.maximumParameters)
    try check(widths.count <= depth, key, "a list of \(widths.count)", "at most \(depth) widths")
    try check(
      widths.allSatisfy { $0 > 0 && $0 <= limit }, key, widths, "widths of 1 to \(limit)")
    try check(
      LayerParameters.linear(widths) <= Double(limit), key, widths, "at most \(limit) parameters")
  }

  func check(learningRate: Double, _ key: String) throws {
    try check(learningRate > 0 && learningRate.isFinite, key, learningRate, "more than 0")
  }
}
