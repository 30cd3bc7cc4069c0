// The list of priors: a new one is a file with its description, and a line here.

extension PriorAxis {
  public static let all: [any PriorDescription.Type] = [
    StandardPrior.self,
    SpherePointPrior.self,
    MixturePriorDescription.self,
    VampPriorDescription.self,
    HierarchicalPriorDescription.self,
    UniformCategoriesPrior.self,
    RelaxedCategoriesPrior.self,
    FairCoinsPrior.self,
    RelaxedCoinsPrior.self,
    UniformCodesPrior.self,
    PixelCNNPriorDescription.self,
    TransformerPriorDescription.self,
    FlowPriorDescription.self,
    FlowMatchingPriorDescription.self,
    UniformSpherePrior.self,
    WrappedNormalPrior.self,
    StudentPrior.self,
  ]
}
