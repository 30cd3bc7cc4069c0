// The list of samplers: a new one is a file with its description, and a line here.

extension SamplerAxis {
  public static let all: [any SamplerDescription.Type] = [
    PriorSamplerDescription.self,
    GaussianMixtureDescription.self,
    HypersphereDescription.self,
    VampSamplerDescription.self,
    FlowMatchingDescription.self,
    TwoStageSamplerDescription.self,
    MaskedAutoregressiveSamplerDescription.self,
    InverseAutoregressiveSamplerDescription.self,
    PixelCNNSamplerDescription.self,
    TransformerSamplerDescription.self,
    PoincareSamplerDescription.self,
    RiemannianSamplerDescription.self,
  ]
}
