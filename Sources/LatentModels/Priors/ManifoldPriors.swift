// Priors on curved spaces: uniform on the unit sphere, and a wrapped normal at 0 of the Poincare ball.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The uniform distribution on the unit sphere, in words.
public struct UniformSpherePrior: PriorDescription {
  public static let name = "uniform-sphere"
  public static let origin = Origin(
    "uniform on the unit sphere", paper: "Davidson et al. 2018", equation: "section 3.2",
    test: "LatentDistributionsTests/AxialDistributionTests.swift")

  public init() {}
  public var space: LatentSpace { .unitSphere }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { SpherePrior(latentShape, radius: 1) }
}

/// A wrapped normal at 0 of the Poincare ball, as wide in all directions.
public struct BallPrior: Prior {
  /// Where latents lie.
  public let ball: PoincareBall
  /// The shape of one latent.
  public let eventShape: Shape
  /// Of distances from 0, `[1]`; nil where it is 0, that is the scale 1, and not learned.
  public var logVariance: Tensor?

  /// Over vectors of this shape. Its scale starts at 1, and stays there unless it is learned.
  public init(_ eventShape: Shape, ball: PoincareBall = PoincareBall(), learnsScale: Bool = false) {
    self.eventShape = eventShape
    self.ball = ball
    logVariance = learnsScale ? .zeros([1]) : nil
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&logVariance, "logVariance")
  }

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    WrappedNormal(
      location: .zeros(eventShape, dtype),
      logVariance: (logVariance ?? .zeros([1])).converted(to: dtype), ball: ball)
  }
}

/// That prior in words.
public struct WrappedNormalPrior: PriorDescription {
  public static let name = "poincare"
  public static let origin = Origin(
    "a wrapped normal at 0 of the Poincare ball", paper: "Mathieu et al. 2019", equation: "9",
    test: "LatentDistributionsTests/PoincareBallTests.swift")

  /// The ball's curvature is minus this.
  public var curvature = 1.0
  /// Whether its scale, which starts at 1, is learned.
  public var learnsScale = false

  public init() {}
  public var space: LatentSpace { .ball(curvature: curvature) }
  public func validate() throws {
    try check(isBallCurvature(curvature), "curvature", curvature, ballCurvatures)
  }
  public func validate(
    latentShape: [Int], inputShape: [Int], posterior: any PosteriorDescription
  ) throws { try requireVector(latentShape) }
  public func parameterCount(latentShape: [Int], inputShape: [Int]) -> Double {
    learnsScale ? 1 : 0
  }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior {
    BallPrior(latentShape, ball: PoincareBall(curvature: curvature), learnsScale: learnsScale)
  }
}
