// The list of posteriors: a new one is a file with its description, and a line here.

extension PosteriorAxis {
  public static let all: [any PosteriorDescription.Type] = [
    DiagonalPosterior.self,
    PointPosterior.self,
    SpherePointPosterior.self,
    VonMisesFisherPosterior.self,
    PowerSphericalPosterior.self,
    WrappedNormalPosterior.self,
    RiemannianNormalPosterior.self,
    StudentPosterior.self,
    FullCovariancePosterior.self,
    PlanarPosterior.self,
    RadialPosterior.self,
    HouseholderPosterior.self,
    SylvesterPosterior.self,
    InverseAutoregressivePosterior.self,
    MaskedAutoregressivePosterior.self,
    CouplingPosterior.self,
    SplinePosterior.self,
    HamiltonianPosteriorDescription.self,
    RiemannianPosteriorDescription.self,
    StraightThroughPosterior.self,
    RelaxedCategoricalPosterior.self,
    BinaryPosterior.self,
    RelaxedBinaryPosterior.self,
    CodesPosterior.self,
    TopKPosterior.self,
    BatchTopKPosterior.self,
    JumpReLUPosterior.self,
  ]
}
