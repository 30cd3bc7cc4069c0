// Normals whose latents may depend on each other, through a Cholesky factor for each example.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A normal with a full covariance: means, then the lower triangle of its Cholesky factor row by row, whose diagonal
/// goes through softplus.
///
/// It starts around a diagonal with log-variances of -2, as ``DiagonalHead``.
public struct FullCovarianceHead: PlainPosteriorHead {
  /// Where the raw diagonal starts: softplus of it is a standard deviation of e^-1.
  static let startingDiagonal = inverseSoftplus(0.367_879_441_171_442_33)

  private static func inverseSoftplus(_ y: Double) -> Double { Foundation.log(expm1(y)) }

  /// A head without parameters.
  public init() {}

  public func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents)]
      + (0..<latents).flatMap { row in
        [
          RawOutputs(row, startingAt: 0),
          RawOutputs(1, startingAt: FullCovarianceHead.startingDiagonal),
        ]
      }
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  /// Traps unless latents are vectors.
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> FullCovarianceNormal {
    require(eventRank == 1, "FullCovarianceHead: latents of \(eventRank) axes, expected vectors")
    // n + n (n + 1) / 2 outputs.
    let count = raw.shape[-1]
    let latents = Int(((9 + 8 * Double(count)).squareRoot() - 3) / 2)
    return FullCovarianceNormal(
      mean: raw.sliced(-1, 0..<latents), unconstrained: raw.sliced(-1, latents..<count))
  }
}

/// A normal with a full covariance, in words.
public struct FullCovariancePosterior: PosteriorDescription {
  public static let name = "full"
  public static let origin = Origin(
    "a normal whose latents may depend on each other, for each example in its way",
    paper: "arXiv 1906.02691", equation: "section 2.5.1",
    test: "LatentModelsTests/FlowPosteriorTests.swift")

  public init() {}
  public func validate(latentShape: [Int]) throws { try requireVector(latentShape) }
  public func outputCount(latents: Int) -> Double {
    Double(latents) + Double(latents) * (Double(latents) + 1) / 2
  }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { FullCovarianceHead() }
}
