// The first two axes of a model: how data become a posterior, and how latents become a likelihood.
// Both return distributions, so that whatever objective is trained and whatever density is
// evaluated go through the same code.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A network from data to the approximate posterior q(z | x).
///
/// Write the first method; write the second instead where the network needs randomness, the
/// training flag or other fields of the batch. A type that has neither traps when it is called.
/// (Standard-library coding protocols of the same name are spelt `Swift.Encoder` in files that import
/// this module.)
public protocol Encoder<Posterior>: Module {
  /// The family of q(z | x).
  associatedtype Posterior: Distribution
  /// `[batch, ...]` to a posterior of batch shape `[batch]`.
  func callAsFunction(_ x: Tensor) -> Posterior
  /// The same, with the randomness, the training flag and the other fields of the batch.
  func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Posterior
}

extension Encoder {
  public func callAsFunction(_ x: Tensor) -> Posterior {
    var context = LayerContext.plainCall(of: Self.self)
    return self(x, &context)
  }
  public func callAsFunction(_ x: Tensor, _ context: inout LayerContext) -> Posterior {
    context.requireWrittenCall(of: Self.self, "Encoder", "x")
    return self(x)
  }
}

/// A network from latents to the likelihood p(x | z).
///
/// Latents may have leading sample axes: `[sample, batch, latent]` gives a likelihood of batch shape
/// `[sample, batch]`. Write one of the two methods, as for `Encoder`.
public protocol Decoder: Module {
  /// The family of p(x | z).
  associatedtype Likelihood: EvaluableDistribution
  /// `[..., latent]` to a likelihood of batch shape `[...]`.
  func callAsFunction(_ z: Tensor) -> Likelihood
  /// The same, with the randomness, the training flag and the other fields of the batch.
  func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Likelihood
}

extension Decoder {
  public func callAsFunction(_ z: Tensor) -> Likelihood {
    var context = LayerContext.plainCall(of: Self.self)
    return self(z, &context)
  }
  public func callAsFunction(_ z: Tensor, _ context: inout LayerContext) -> Likelihood {
    context.requireWrittenCall(of: Self.self, "Decoder", "z")
    return self(z)
  }
}

extension LayerContext {
  /// For the method without context of a type that did not write it.
  fileprivate static func plainCall<Part>(of type: Part.Type) -> LayerContext {
    var context = LayerContext.inference
    context.unwrittenCall = ObjectIdentifier(type)
    return context
  }

  /// The two methods stand in for each other: of a type with neither they would call one another for
  /// ever. What a part hands on to parts of other types does not concern those.
  fileprivate func requireWrittenCall<Part>(of type: Part.Type, _ role: String, _ x: String) {
    require(
      unwrittenCall != ObjectIdentifier(type),
      "\(type) writes no callAsFunction: \(role) asks for callAsFunction(_ \(x): Tensor) "
        + "or callAsFunction(_ \(x): Tensor, _ context: inout LayerContext)")
  }
}
