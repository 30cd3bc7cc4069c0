// The densities between prior and posterior that annealing goes through: f_beta(z) = p(z) p(x | z)^beta.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentModels
import LatentNumerics

/// Latents of several chains for each example, and what their densities are made of.
public struct AnnealedPlace: Sendable {
  /// `[chains, batch, latent...]`
  public let z: Tensor
  /// log p(z) in nats, `[chains, batch]`.
  public let logPrior: Tensor
  /// log p(x | z) in nats, `[chains, batch]`.
  public let logLikelihood: Tensor

  /// log f_beta in nats, `[chains, batch]`.
  public func logDensity(_ temperature: Double) -> Tensor {
    // 0 times minus infinity is not 0: at the prior any x is possible.
    temperature == 0 ? logPrior : logPrior + logLikelihood * temperature
  }

  /// The latents of `other` where `condition` `[chains, batch]` is 1.
  func replaced(where condition: Tensor, by other: AnnealedPlace) -> AnnealedPlace {
    let axes = z.rank - condition.rank
    let whole = condition.reshaped(condition.shape + Shape(Array(repeating: 1, count: axes)))
      .broadcast(to: z.shape)
    return AnnealedPlace(
      z: Tensor.where(whole, other.z, z),
      logPrior: Tensor.where(condition, other.logPrior, logPrior),
      logLikelihood: Tensor.where(condition, other.logLikelihood, logLikelihood))
  }
}

/// p(z) p(x | z)^beta of examples x `[batch, ...]`, for any beta from 0 to 1.
public struct AnnealedDensity<Model: LatentVariableModel>: Sendable {
  /// The model.
  public let model: Model
  /// `[batch, ...]`
  public let x: Tensor
  /// p(z).
  public let prior: any EvaluableDistribution
  let context: LayerContext

  /// The densities of examples `[batch, ...]` with fields of as many rows; entries that the field `mask` hides do not
  /// count.
  ///
  /// - Throws: `ModelRequirementError` unless latents are all points of flat space and the prior has a density at each.
  public init(_ model: Model, of x: Tensor, fields: [String: Tensor] = [:]) throws {
    var context = LayerContext.inference
    context.fields = fields
    let type = model.parameters.map(\.dtype).first(where: \.isFloatingPoint) ?? .float32
    let prior = model.prior(type, &context)
    guard let density = prior as? any EvaluableDistribution, prior.support == .reals,
      !(prior is any GeodesicDistribution), prior.eventShape.rank > 0
    else {
      throw ModelRequirementError(
        purpose: "annealing", found: "\(Swift.type(of: prior))",
        expected: "a prior with a density at every point of flat space")
    }
    self.model = model
    self.x = x
    self.prior = density
    self.context = context
  }

  /// Latents of the prior, `[chains, batch, latent...]`.
  public func samplePrior(_ chains: Int, using random: inout RandomStream) -> Tensor {
    prior.sample(prior.batchShape.rank == 0 ? [chains, x.shape[0]] : [chains], using: &random)
  }

  /// What is known of latents `[chains, batch, latent...]`.
  public func place(_ z: Tensor) -> AnnealedPlace {
    var context = context
    let leading = z.shape.prefix(z.rank - prior.eventShape.rank)
    let likelihood = model.checkedLikelihood(of: z, leading: leading, &context)
    return AnnealedPlace(
      z: z, logPrior: prior.logProbability(of: z),
      logLikelihood: likelihood.logProbability(of: x, observedIn: context))
  }

  /// The same and the gradient of -log f_beta by z, each chain for itself.
  public func placeAndSlope(
    _ z: Tensor, _ temperature: Double
  ) -> (place: AnnealedPlace, slope: Tensor) {
    let result = valueAndGradient(
      at: [z],
      withAuxiliary: { inputs -> (Tensor, AnnealedPlace) in
        let place = self.place(inputs[0])
        return (-place.logDensity(temperature).sum(), place)
      })
    let place = AnnealedPlace(
      z: z, logPrior: result.auxiliary.logPrior.detached,
      logLikelihood: result.auxiliary.logLikelihood.detached)
    return (place, result.gradients[0] ?? z.zerosLike)
  }
}
