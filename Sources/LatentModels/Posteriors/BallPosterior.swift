// Posteriors on the Poincare ball, for data with a hierarchy: near 0 what is general, near the boundary what is special
// (Mathieu et al. 2019; Nagano et al. 2019).

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension Tensor {
  /// Smoothly below `limit`, and nearly the same far below it.
  ///
  /// Scales are bounded so that draws around 0 stay within half of the reach of coordinates. Beyond the reach a prior
  /// would see draws nearer than they are, and a large scale would cost less than nothing.
  fileprivate func bounded(by limit: Double) -> Tensor {
    limit.isFinite ? limit - softplus(limit - self) : self
  }
}

/// A wrapped normal: first the vector that leads from 0 to its location, as long as their distance, then log-variances
/// of distances, which are bounded: lengths of n numbers are about sqrt n scales.
public struct WrappedNormalHead: PosteriorHead {
  /// Where latents lie.
  public let ball: PoincareBall

  /// A head without parameters.
  public init(ball: PoincareBall = PoincareBall()) { self.ball = ball }

  public func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents), RawOutputs(latents, startingAt: -2)]
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> WrappedNormal {
    require(eventRank == 1, "points of a ball of latents with \(eventRank) axes: expected vectors")
    let halves = raw.split(into: 2, axis: -1)
    let size = Double(halves[0].shape[-1])
    let limit = 2 * Foundation.log(ball.reach(raw.dtype) / 2) - Foundation.log(size)
    return WrappedNormal(
      location: ball.exponential(at: halves[0].zerosLike, of: halves[0]),
      logVariance: halves[1].bounded(by: limit), ball: ball)
  }
}

/// A Riemannian normal: first the vector that leads from 0 to its location, as long as their distance, then the
/// log-scale of distances, which is bounded: most draws of n numbers are (n - 1) sqrt c scale^2 away.
public struct RiemannianNormalHead: PosteriorHead {
  /// Where latents lie.
  public let ball: PoincareBall

  /// A head without parameters.
  public init(ball: PoincareBall = PoincareBall()) { self.ball = ball }

  public func outputs(latents: Int) -> [RawOutputs] {
    [RawOutputs(latents), RawOutputs(1, startingAt: -1)]
  }
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
  public func callAsFunction(
    _ raw: Tensor, eventRank: Int, _ context: inout LayerContext
  ) -> RiemannianNormal {
    require(eventRank == 1, "points of a ball of latents with \(eventRank) axes: expected vectors")
    let size = raw.shape[-1] - 1
    let parts = raw.split(sizes: [size, 1], axis: -1)
    let growth = Double(max(1, size - 1)) * ball.curvature.squareRoot()
    let limit = Foundation.log(ball.reach(raw.dtype) / 2 / growth) / 2
    return RiemannianNormal(
      location: ball.exponential(at: parts[0].zerosLike, of: parts[0]),
      logScale: parts[1].squeezed(-1).bounded(by: limit), ball: ball)
  }
}

extension LatentSpace {
  /// The Poincare ball of curvature `-curvature`; those of other curvatures are other spaces.
  public static func ball(curvature: Double) -> LatentSpace {
    LatentSpace("\(ballWords)\(curvature)")
  }

  /// Whether it is one of these.
  var isBall: Bool { description.hasPrefix(LatentSpace.ballWords) }
  private static let ballWords = "the Poincare ball of curvature -"
}

/// Curvatures that differ from 0 by more than nothing, and whose ball has coordinates that float32 can hold.
func isBallCurvature(_ curvature: Double) -> Bool { curvature >= 1e-6 && curvature <= 1e6 }
let ballCurvatures = "0.000001 to 1000000"

/// A posterior on the Poincare ball in words.
protocol BallPosteriorDescription: PosteriorDescription {
  var curvature: Double { get }
  var coordinates: BallCoordinates { get }
}

extension BallPosteriorDescription {
  var ball: PoincareBall { PoincareBall(curvature: curvature) }
  public var space: LatentSpace { .ball(curvature: curvature) }
  public var standardPrior: any PriorDescription {
    var prior = WrappedNormalPrior()
    prior.curvature = curvature
    return prior
  }
  public func validate() throws {
    try check(isBallCurvature(curvature), "curvature", curvature, ballCurvatures)
  }
  public func validate(latentShape: [Int]) throws { try requireVector(latentShape) }
  public func completed(
    _ model: some LatentVariableModel, latentShape: Shape
  ) throws -> any LatentVariableModel { try coordinates.seen(by: model, ball) }
}

/// The wrapped normal in words.
public struct WrappedNormalPosterior: BallPosteriorDescription {
  public static let name = "poincare"
  public static let origin = Origin(
    "a wrapped normal on the Poincare ball", paper: "Mathieu et al. 2019", equation: "9",
    test: "LatentDistributionsTests/PoincareBallTests.swift")

  /// The ball's curvature is minus this.
  public var curvature = 1.0
  /// Which coordinates of a latent the decoder sees.
  public var coordinates = BallCoordinates.ball

  public init() {}
  public func outputCount(latents: Int) -> Double { 2 * Double(latents) }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { WrappedNormalHead(ball: ball) }
}

/// The Riemannian normal in words.
public struct RiemannianNormalPosterior: BallPosteriorDescription {
  public static let name = "riemannian"
  public static let origin = Origin(
    "a normal of distances on the Poincare ball", paper: "Mathieu et al. 2019", equation: "8",
    test: "LatentDistributionsTests/PoincareBallTests.swift")

  /// The ball's curvature is minus this.
  public var curvature = 1.0
  /// Which coordinates of a latent the decoder sees.
  public var coordinates = BallCoordinates.ball

  public init() {}
  public func outputCount(latents: Int) -> Double { Double(latents) + 1 }
  public func makeHead(
    latentShape: Shape, using random: inout RandomStream
  ) -> any PosteriorHead { RiemannianNormalHead(ball: ball) }
}
