// Student's t distribution as prior: latents may lie far out (Kim et al. 2024).

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Student's t distribution of scale 1 around 0.
public struct StudentLatents: Prior {
  /// The shape of one latent.
  public let eventShape: Shape
  /// How heavy its tails are.
  public let degreesOfFreedom: Double

  /// Over vectors of this shape.
  public init(_ eventShape: Shape, degreesOfFreedom: Double) {
    self.eventShape = eventShape
    self.degreesOfFreedom = degreesOfFreedom
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    MultivariateStudent(
      location: .zeros(eventShape, dtype), logScale: .zeros([1], dtype),
      degreesOfFreedom: degreesOfFreedom)
  }
}

/// That prior in words.
public struct StudentPrior: PriorDescription {
  public static let name = "student"
  public static let origin = Origin(
    "Student's t distribution: latents may lie far out", paper: "Kim et al. 2024",
    equation: "p of section 3", test: "LatentDistributionsTests/StudentTests.swift")

  /// How heavy its tails are: normal where there are many.
  public var degreesOfFreedom = 10.0

  public init() {}
  public func validate() throws {
    try check(
      isDegreesOfFreedom(degreesOfFreedom), "degreesOfFreedom", degreesOfFreedom,
      possibleDegreesOfFreedom)
  }
  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws { try requireVector(latentShape) }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { StudentLatents(latentShape, degreesOfFreedom: degreesOfFreedom) }
}
