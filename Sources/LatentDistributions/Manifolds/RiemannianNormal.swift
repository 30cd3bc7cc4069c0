// The normal distribution of largest entropy on the Poincare ball (Pennec 2006; Mathieu et al. 2019, equation 8):
//
//   log p(z) = -d(location, z)^2 / (2 scale^2) - log S - log Z(scale),   S the area of the unit sphere,
//   Z(scale) = integral over r > 0 of e^(-r^2 / (2 scale^2)) (sinh(sqrt c r) / sqrt c)^(n - 1)
//
// with respect to the volume of the ball. Z has a closed form that is an alternating sum and cancels for small
// scales; here it is a quadrature, as are its derivatives, the moments of r^2.

import Foundation
import LatentAutodiff
import LatentNumerics

/// A normal on the Poincare ball whose density depends on the distance from its location alone.
public struct RiemannianNormal: ReparameterizedDistribution, EvaluableDistribution,
  DistributionWithMode
{
  /// A point of the ball, `[batch, n]`.
  public let location: Tensor
  /// The logarithm of the scale of distances, `[batch]`.
  public let logScale: Tensor
  /// Where values lie.
  public let ball: PoincareBall
  public let batchShape: Shape
  public let eventShape: Shape

  /// Around a point of the ball.
  ///
  /// - Parameters:
  ///   - location: `[batch, n]`; moved inside the margin where it is beyond
  ///   - logScale: `[batch]` or what broadcasts to it
  public init(
    location: Tensor, logScale: Tensor, ball: PoincareBall = PoincareBall(),
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (batchShape, eventShape) = parameterShapes(
      "RiemannianNormal", [location, logScale.expandingDimension(at: logScale.rank)], eventRank: 1,
      file: file, line: line)
    self.location = ball.inside(location).broadcast(to: batchShape + eventShape)
    self.logScale = logScale.broadcast(to: batchShape)
    self.ball = ball
  }

  public var dtype: DType { location.dtype }
  public var support: Support { ball.support }
  /// The location: of the density with respect to volume.
  public var mode: Tensor { location }

  private var radius: BallRadius {
    BallRadius(dimension: eventShape.count, curvature: ball.curvature)
  }

  /// -1 / (2 scale^2), `[batch]`: what r^2 is multiplied by.
  private var precision: Tensor { exp(logScale * -2) * -0.5 }

  private func logDensity(squaredDistance: Tensor) -> Tensor {
    squaredDistance * precision - RiemannianNormal.cumulant(radius, 0, precision)
      - logSphereArea(eventShape.count)
  }

  /// A cumulant of r^2, elementwise, whose derivative is the next one.
  private static func cumulant(_ radius: BallRadius, _ order: Int, _ precision: Tensor) -> Tensor {
    elementwise("cumulant of radii", of: precision, { radius.cumulant(order, $0) }) {
      cumulant(radius, order + 1, $0)
    }
  }

  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    return logDensity(squaredDistance: ball.squaredDistance(location, value))
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor { sampleAndLogProbability(sampleShape, using: &random).value }

  /// The density comes from the radius.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (shape, radius) = (sampleShape + batchShape, radius)
    let r = radius.draws(shape, precision, using: &random) {
      radius.draw($0, logNormalizer: radius.cumulant(0, $0), using: &$1)
    } expectation: {
      radius.cumulant(1, $0)
    }
    let way = random.normalTensor(shape + eventShape, dtype).unitVectors
    let point = ball.exponential(at: location, of: way * r.expandingDimension(at: r.rank))
    return (ball.inside(point), logDensity(squaredDistance: square(r)))
  }
}

extension RiemannianNormal: DetachableDistribution {
  public var detached: RiemannianNormal {
    RiemannianNormal(location: location.detached, logScale: logScale.detached, ball: ball)
  }
}

/// Distances from the location: (sinh(sqrt c r) / sqrt c)^(n - 1) e^(k r^2), log-concave, k = -1 / (2 scale^2).
struct BallRadius: LineFamily {
  let dimension: Int
  let curvature: Double

  private var rings: Double { Double(dimension - 1) }
  private var root: Double { curvature.squareRoot() }

  func logBase(_ r: Double) -> Double {
    if r < 0 { return -.infinity }
    if rings == 0 { return 0 }
    if root == 0 { return rings * Foundation.log(r) }
    // log sinh x = x + log(1 - e^-2x) - log 2.
    let x = root * r
    let rest: Double = Foundation.log(-Foundation.expm1(-2 * x))
    return rings * (x + rest - logTwo - Foundation.log(root))
  }

  func statistic(_ r: Double) -> Double { r * r }

  /// Where r tanh(sqrt c r) / sqrt c = (n - 1) scale^2, by Newton's rule from a bound above: x tanh x is a parabola
  /// near 0 and a straight line soon after.
  func mode(_ k: Double) -> Double {
    let target = -rings / (2 * k)
    if target == 0 { return 0 }
    if root == 0 { return target.squareRoot() }
    // x tanh x is at least x - 1/2 and at least x^2 / (1 + x).
    let aim = target * curvature
    let parabola: Double = (aim + (aim * aim + 4 * aim).squareRoot()) / 2
    var x: Double = min(aim + 0.5, parabola)
    for _ in 0..<60 {
      let t = Foundation.tanh(x)
      let step = (x * t - aim) / (t + x * (1 - t * t))
      x -= step
      if abs(step) < 1e-15 * x { break }
    }
    return x / root
  }

  /// The density falls from its mode on at least as e^(k (r - mode)^2).
  func interval(around s: Double, _ k: Double) -> (low: Double, high: Double) {
    (0, max(s, mode(k)) + (-60 / k).squareRoot())
  }
}
