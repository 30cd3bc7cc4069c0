// The prior over latents: a module, because it may have parameters, and because it may ask the
// encoder (Tomczak and Welling's VampPrior is a mixture of posteriors).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A module that returns the distribution p(z).
public protocol Prior: Module {
  /// p(z), of batch shape `[]` or, where it depends on fields of the context, `[batch]`. `encoder`
  /// is the model's, for priors that are made of posteriors.
  func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution
}

/// The standard normal N(0, I) over `size` latents.
public struct StandardNormalPrior: Prior {
  /// The shape of one latent.
  public let eventShape: Shape

  /// N(0, I) over latents of this shape.
  public init(_ eventShape: Shape) { self.eventShape = eventShape }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    StandardNormal(eventShape: eventShape, dtype: dtype)
  }
}

extension Prior where Self == StandardNormalPrior {
  /// N(0, I) over `size` latents.
  public static func standardNormal(_ size: Int) -> StandardNormalPrior {
    StandardNormalPrior([size])
  }
}
