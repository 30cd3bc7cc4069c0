// The list of quantisers: a new one is a file with its description, and a line here.

extension CodesAxis {
  public static let all: [any CodesDescription.Type] = [
    VectorCodes.self,
    LinearCodes.self,
    FiniteScalarCodes.self,
    ScalarPerturbationCodes.self,
    LookupFreeCodes.self,
    BinarySphericalCodes.self,
    ResidualCodes.self,
    GroupedCodes.self,
  ]
}
