// What models around a model have in common: all that they do not change is that of the model inside.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A model that changes something of another one. Likelihood, prior and what the encoder is shown of masked data are
/// those of `base`, unless it says otherwise.
public protocol SurroundingModel: ReparameterizedModel, DataInitializable
where Likelihood == Base.Likelihood {
  /// The model inside.
  associatedtype Base: ReparameterizedModel
  /// The model inside.
  var base: Base { get set }
}

extension SurroundingModel {
  /// That of the model inside.
  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Base.Likelihood {
    base.likelihood(z, &context)
  }

  public func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    base.prior(dtype, &context)
  }

  public var masking: Masking { base.masking }

  /// Tells the model inside, where it can make use of them.
  public mutating func initialize(from statistics: DataStatistics) {
    inform(&base, of: statistics)
  }
}
