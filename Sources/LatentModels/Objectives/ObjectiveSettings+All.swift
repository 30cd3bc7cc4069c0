// The list of objectives. A new one is a file with its description, and a line here: the laws that hold for
// all of them, help, errors and docs/models.md read this list.

extension ObjectiveAxis {
  /// Every objective that can be asked for by name.
  public static let all: [any ObjectiveDescription.Type] = [
    ELBODescription.self, IWAEDescription.self, MIWAEDescription.self, PIWAEDescription.self,
    CIWAEDescription.self, RenyiDescription.self, VIMCODescription.self,
    ReweightedWakeSleepDescription.self, CapacityDescription.self, TotalCorrelationDescription.self,
    FactorVAEDescription.self, DisentangledMeansDescription.self, DisentangledDrawsDescription.self,
    InfoVAEDescription.self, WassersteinMMDDescription.self, WAEGANDescription.self,
    SlicedWassersteinDescription.self, AdversarialAutoencoderDescription.self,
    VAEGANDescription.self, AutoencoderDescription.self, RegularizedWeightsDescription.self,
    RegularizedGradientDescription.self, RegularizedSpectralDescription.self,
    LogCoshDescription.self, StructuralSimilarityDescription.self, GANDescription.self,
    WassersteinGANDescription.self, LaggingInferenceDescription.self,
    SphericalDescription.self, EquivarianceDescription.self, NestedDropoutDescription.self,
    VarianceFloorDescription.self, AugmentationDescription.self, TwoStageDescription.self,
    PerceptualDescription.self, StyleDescription.self, AlignedDescription.self,
    VectorQuantizationDescription.self,
    SparseDescription.self, MatryoshkaDescription.self,
    T3Description.self,
  ]
}
