// The first two axes of a model: how data become a posterior, and how latents become a likelihood.
// Both return distributions, so that whatever objective is trained and whatever density is
// evaluated go through the same code.

import LatentAutodiff
import LatentDistributions
import LatentLayers

/// A network from data to the approximate posterior q(z | x).
///
/// Write the first method; write the second instead where the network needs randomness, the
/// training flag or other fields of the batch. (Standard-library coding protocols of the same name are spelt `Swift.Encoder` in
/// files that import this module.)
public protocol Encoder: Module {
  associatedtype Posterior: ReparameterizedDistribution
  /// `[batch, ...]` to a posterior of batch shape `[batch]`.
  func callAsFunction(_ x: Tensor) -> Posterior
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Posterior
}

extension Encoder {
  public func callAsFunction(_ x: Tensor) -> Posterior {
    var context = LayerContext.inference
    return self(x, &context)
  }
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Posterior { self(x) }
}

/// A network from latents to the likelihood p(x | z).
///
/// Latents may have leading sample axes: `[sample, batch, latent]` gives a likelihood of batch shape `[sample, batch]`.
/// Write one of the two methods, as for `Encoder`.
public protocol Decoder: Module {
  associatedtype Likelihood: Distribution
  func callAsFunction(_ z: Tensor) -> Likelihood
  func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Likelihood
}

extension Decoder {
  public func callAsFunction(_ z: Tensor) -> Likelihood {
    var context = LayerContext.inference
    return self(z, &context)
  }
  public func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Likelihood { self(z) }
}
