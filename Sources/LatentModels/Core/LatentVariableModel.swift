// What objectives and latent tools ask of a model: a posterior, a likelihood, a prior. `VAE` puts
// these together from parts; a model with another inner structure conforms itself.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A model p(x, z) = p(x | z) p(z) with an approximate posterior q(z | x).
public protocol LatentVariableModel: Module {
  /// The family of q(z | x).
  associatedtype Posterior: Distribution
  /// The family of p(x | z).
  associatedtype Likelihood: EvaluableDistribution

  /// q(z | x), for x `[batch, ...]`.
  func posterior(_ x: Tensor, _ context: inout LayerContext) -> Posterior
  /// p(x | z), for z `[..., batch, latent]`.
  func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Likelihood
  /// p(z), in the given precision.
  func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution

  /// What `posterior` is given in place of entries that the batch's mask hides.
  var masking: Masking { get }
}

extension LatentVariableModel {
  public var masking: Masking { Masking() }
}

/// A model whose variational bounds can be differentiated: draws of its posterior are functions of
/// their parameters.
///
/// `VAE` conforms where its encoder allows it. Generic code needs no conformance and writes the
/// constraint on the posterior; the protocol is for finding out at run time, as
/// `reparameterized(for:)` does.
public protocol ReparameterizedModel: LatentVariableModel
where Posterior: ReparameterizedDistribution {}

extension LatentVariableModel {
  /// This model as one whose variational bounds can be differentiated; `purpose` is what asks for it.
  /// - Throws: `ModelRequirementError`, which names the posterior.
  public func reparameterized(for purpose: String) throws -> any ReparameterizedModel {
    if let model = self as? any ReparameterizedModel { return model }
    let isOne = Posterior.self is any ReparameterizedDistribution.Type
    throw ModelRequirementError(
      purpose: purpose, found: isOne ? "\(Self.self)" : "\(Posterior.self)",
      expected: isOne
        ? "a model that conforms to ReparameterizedModel" : "a reparameterised posterior")
  }
}

/// A model that lacks what an objective or a tool asks for.
public struct ModelRequirementError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What asked.
  public let purpose: String
  /// The type that the model has.
  public let found: String
  /// What that type would have to be.
  public let expected: String

  /// An error of these words.
  public init(purpose: String, found: String, expected: String) {
    self.purpose = purpose
    self.found = found
    self.expected = expected
  }

  public var description: String { "\(purpose) needs \(expected): found \(found)" }
}

extension Distribution {
  /// The point estimate, asked for by `purpose`.
  /// - Throws: `ModelRequirementError` where there is neither a mean nor a mode.
  public func point(for purpose: String) throws -> Tensor {
    guard let point = pointEstimate else {
      throw ModelRequirementError(
        purpose: purpose, found: "\(Self.self)", expected: "a distribution with a mean or a mode")
    }
    return point
  }
}

/// A variational autoencoder (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014): an
/// encoder, a decoder and a prior, each any of its kind.
///
/// With a `Delta` posterior it is a plain autoencoder. What people do with a trained one (`encode`,
/// `generate`, `interpolate` and so on) stands at ``LatentVariableModel``.
public struct VAE<E: Encoder, D: Decoder, P: Prior>: LatentVariableModel {
  /// From data to the approximate posterior.
  public var encoder: E
  /// From latents to the likelihood.
  public var decoder: D
  /// What latents are like before any data.
  public var prior: P
  /// What the encoder sees of data with a mask.
  public var masking: Masking

  /// A model of these parts, which know nothing of each other but their shapes.
  public init(encoder: E, decoder: D, prior: P, masking: Masking = Masking()) {
    self.encoder = encoder
    self.decoder = decoder
    self.prior = prior
    self.masking = masking
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&encoder, "encoder")
    visitor.visit(&decoder, "decoder")
    visitor.visit(&prior, "prior")
  }

  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> E.Posterior {
    encoder(x, &context)
  }

  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> D.Likelihood {
    decoder(z, &context)
  }

  public func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    prior(encoder: encoder, dtype: dtype, &context)
  }
}

extension VAE: ReparameterizedModel where E.Posterior: ReparameterizedDistribution {}
