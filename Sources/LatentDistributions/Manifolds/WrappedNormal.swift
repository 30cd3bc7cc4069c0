// A normal distribution on the Poincare ball: a normal vector in the tangent space at 0, taken to the one at the mean
// and wrapped onto the ball (Nagano et al. 2019, "A wrapped normal distribution on hyperbolic space for gradient-based
// learning"; Mathieu et al. 2019, equation 9).
//
//   log p(z) = log N(v; 0, variance) - (n - 1) log(sinh(sqrt c |v|) / (sqrt c |v|)),   v from the mean to z
//
// Densities are with respect to the volume of the ball, not to its coordinates (`PoincareBall.logVolume`).

import LatentAutodiff
import LatentNumerics

/// A wrapped normal with independent elements on the Poincare ball.
///
/// Draws beyond what the type can tell apart lie at the margin (``PoincareBall/inside(_:)``).
public struct WrappedNormal: ReparameterizedDistribution, EvaluableDistribution,
  DistributionWithMode
{
  /// A point of the ball, `[batch, n]`: where the density is largest.
  public let location: Tensor
  /// Of distances from the location, nats, as given: broadcasts to `[batch, n]`.
  public let logVariance: Tensor
  /// Where values lie.
  public let ball: PoincareBall
  public let batchShape: Shape
  public let eventShape: Shape

  /// Around a point of the ball.
  ///
  /// - Parameters:
  ///   - location: `[batch, n]`; moved inside the margin where it is beyond
  ///   - logVariance: `[batch, n]` or what broadcasts with it
  public init(
    location: Tensor, logVariance: Tensor, ball: PoincareBall = PoincareBall(),
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "WrappedNormal", [location, logVariance], eventRank: 1, file: file, line: line)
    self.location = ball.inside(location).broadcast(to: batchShape + eventShape)
    self.logVariance = logVariance
    self.ball = ball
  }

  public var dtype: DType { location.dtype }
  public var support: Support { ball.support }
  /// The location: of the density with respect to volume.
  public var mode: Tensor { location }

  /// The normal of vectors from the location.
  private var tangent: DiagonalNormal {
    DiagonalNormal(mean: location.zerosLike, logVariance: logVariance)
  }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let v = ball.logarithm(at: location, of: value)
    return tangent.logProbability(of: v) - ball.logGrowth(v)
  }

  private func wrapped(_ v: Tensor) -> Tensor {
    ball.inside(ball.exponential(at: location, of: v))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    wrapped(tangent.reparameterizedSample(sampleShape, using: &random))
  }

  /// The density comes from the vector, which nothing is lost of.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (v, density) = tangent.sampleAndLogProbability(sampleShape, using: &random)
    return (wrapped(v), density - ball.logGrowth(v))
  }
}

extension WrappedNormal: DetachableDistribution {
  public var detached: WrappedNormal {
    WrappedNormal(location: location.detached, logVariance: logVariance.detached, ball: ball)
  }
}

extension WrappedNormal: GeodesicDistribution {
  public func path(from start: Tensor, to end: Tensor, steps: Int) -> Tensor {
    ball.path(from: start, to: end, steps: steps)
  }
}
