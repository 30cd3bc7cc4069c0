// Student's t distribution at both ends of latents: codes far out are not as improbable as to a normal (Kim et al.
// 2024, "t3-variational autoencoder").

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// Student's t distribution: locations first, then the logarithms of squared scales.
public struct StudentHead: PosteriorHead {
  /// How heavy the tails are.
  public let degreesOfFreedom: Double

  /// A head without parameters.
  public init(degreesOfFreedom: Double) { self.degreesOfFreedom = degreesOfFreedom }

  public func outputs(latents: Int) -> [RawOutputs] { DiagonalHead().outputs(latents: latents) }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> MultivariateStudent {
    require(eventRank == 1, "Student's t of latents with \(eventRank) axes: expected vectors")
    let halves = raw.split(into: 2, axis: -1)
    return MultivariateStudent(
      location: halves[0], logScale: halves[1] * 0.5, degreesOfFreedom: degreesOfFreedom)
  }
}

func isDegreesOfFreedom(_ value: Double) -> Bool { value > 0 && value <= 1e9 }
let possibleDegreesOfFreedom = "more than 0, at most 1000000000"

/// Student's t distribution as posterior, in words.
public struct StudentPosterior: PosteriorDescription {
  public static let name = "student"
  public static let origin = Origin(
    "Student's t distribution: tails heavier than a normal's", paper: "Kim et al. 2024",
    equation: "q of section 3", test: "LatentDistributionsTests/StudentTests.swift")

  /// How heavy its tails are: normal where there are many.
  public var degreesOfFreedom = 10.0

  public init() {}
  public var standardPrior: any PriorDescription { StudentPrior() }
  public func validate() throws {
    try check(
      isDegreesOfFreedom(degreesOfFreedom), "degreesOfFreedom", degreesOfFreedom,
      possibleDegreesOfFreedom)
  }
  public func validate(latentShape: [Int]) throws { try requireVector(latentShape) }
  public func outputCount(latents: Int) -> Double { 2 * Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { StudentHead(degreesOfFreedom: degreesOfFreedom) }
}
