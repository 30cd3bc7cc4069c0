// What objectives and latent tools ask of a model: a posterior, a likelihood, a prior. `VAE` puts
// these together from parts; a model with another inner structure conforms itself.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A model p(x, z) = p(x | z) p(z) with an approximate posterior q(z | x).
public protocol LatentVariableModel: Module {
  associatedtype Posterior: ReparameterizedDistribution
  associatedtype Likelihood: Distribution

  /// q(z | x), for x `[batch, ...]`.
  func posterior(_ x: Tensor, _ context: inout LayerContext) -> Posterior
  /// p(x | z), for z `[..., batch, latent]`.
  func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Likelihood
  /// p(z), in the given precision.
  func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution
}

/// A variational autoencoder (Kingma and Welling 2014; Rezende, Mohamed and Wierstra 2014): an
/// encoder, a decoder and a prior, each any of its kind.
///
/// With a `Delta` posterior it is a plain autoencoder.
public struct VAE<E: Encoder, D: Decoder, P: Prior>: LatentVariableModel {
  public var encoder: E
  public var decoder: D
  public var prior: P

  public init(encoder: E, decoder: D, prior: P) {
    self.encoder = encoder
    self.decoder = decoder
    self.prior = prior
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
