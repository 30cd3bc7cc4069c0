// A model with adapters is a model like any other. Each call merges the weights anew: whoever evaluates
// often takes `merged`, and trains by `AdaptedObjective`.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension Adapted: LatentVariableModel where Base: LatentVariableModel {
  public func posterior(_ x: Tensor, _ context: inout LayerContext) -> Base.Posterior {
    merged.posterior(x, &context)
  }

  public func likelihood(_ z: Tensor, _ context: inout LayerContext) -> Base.Likelihood {
    merged.likelihood(z, &context)
  }

  public func prior(_ dtype: DType, _ context: inout LayerContext) -> any Distribution {
    merged.prior(dtype, &context)
  }

  public var masking: Masking { base.masking }
}

extension Adapted: ReparameterizedModel where Base: ReparameterizedModel {}

extension Adapted: DiagonalNormalModel where Base: DiagonalNormalModel {}
