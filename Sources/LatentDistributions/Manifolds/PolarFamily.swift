// How a density on a sphere falls with the angle from its direction: what distinguishes distributions that are
// symmetric around an axis.

import Foundation
import LatentAutodiff
import LatentNumerics

/// Densities e^(k T(angle)) on the unit sphere in `dimension` dimensions, up to a factor: k from 0 on is the
/// concentration, and T falls from 0 at angle 0.
///
/// An ``AxialDistribution`` is one of these around a direction.
public protocol PolarFamily: Sendable, Hashable {
  /// The family on the sphere in so many dimensions, 2 or more.
  init(dimension: Int)
  /// The number of coordinates of a point.
  var dimension: Int { get }
  /// T of an angle from 0 to pi.
  func statistic(_ angle: Double) -> Double
  /// T of the squared sine and cosine of half the angle, elementwise.
  func statistic(sine: Tensor, cosine: Tensor) -> Tensor
  /// The most probable angle, which is above 0 because there are more points at larger angles.
  func modalAngle(_ concentration: Double) -> Double
  /// The derivative of order `order` by the concentration of log E[e^(k T)], the expectation over the uniform
  /// distribution: itself for 0, the mean of T for 1, its variance for 2, and so on up to 4.
  func cumulant(_ order: Int, _ concentration: Double) -> Double
  /// An angle. The standard one is for densities whose logarithm is concave in the angle.
  func drawAngle(_ concentration: Double, using random: inout RandomStream) -> Double
}

extension PolarFamily {
  public func cumulant(_ order: Int, _ concentration: Double) -> Double {
    quadratureCumulant(order, concentration)
  }

  /// The same by quadrature, which every family can do.
  func quadratureCumulant(_ order: Int, _ concentration: Double) -> Double {
    PolarAngle(family: self).cumulant(order, concentration) - (order == 0 ? logRings : 0)
  }

  public func drawAngle(_ concentration: Double, using random: inout RandomStream) -> Double {
    let normalizer = cumulant(0, concentration) + logRings
    return PolarAngle(family: self).draw(concentration, logNormalizer: normalizer, using: &random)
  }

  /// log of the integral of sin^(m - 2) from 0 to pi: the areas of spheres in m and m - 1 dimensions.
  private var logRings: Double {
    logSphereArea(dimension) - logSphereArea(dimension - 1)
  }
}

/// The angle of a point of a sphere: its density has sin^(m - 2), the area of the ring at that angle, before e^(k T).
struct PolarAngle<Family: PolarFamily>: LineFamily {
  let family: Family

  func logBase(_ angle: Double) -> Double {
    if angle < 0 || angle > .pi { return -.infinity }
    return family.dimension == 2
      ? 0 : Double(family.dimension - 2) * Foundation.log(Foundation.sin(angle))
  }
  func statistic(_ angle: Double) -> Double { family.statistic(angle) }
  func mode(_ k: Double) -> Double { family.modalAngle(k) }
  func interval(around s: Double, _ k: Double) -> (low: Double, high: Double) { (0, .pi) }
}

/// e^(k (cos(angle) - 1)): the von Mises-Fisher distribution (Fisher 1953; Davidson et al. 2018).
///
/// The logarithm of the normaliser is that of 0F1(; m/2; k^2/4) = Gamma(m/2) (k/2)^(1 - m/2) I_{m/2-1}(k), and its
/// derivative the ratio of Bessel functions A = I_{m/2} / I_{m/2-1}, the length of the mean.
public struct VonMisesFisherFamily: PolarFamily {
  public let dimension: Int
  public init(dimension: Int) { self.dimension = dimension }

  private var order: Double { Double(dimension) / 2 - 1 }

  public func statistic(_ angle: Double) -> Double {
    let half = Foundation.sin(angle / 2)
    return -2 * half * half
  }
  public func statistic(sine: Tensor, cosine: Tensor) -> Tensor { sine * -2 }

  /// Where (m - 2) cot = k sin: cos = 2k / (m - 2 + sqrt((m - 2)^2 + 4 k^2)), solved for the tangent of its half.
  public func modalAngle(_ concentration: Double) -> Double {
    let rings = Double(dimension - 2)
    if rings == 0 { return 0 }
    let root = (rings * rings + 4 * concentration * concentration).squareRoot()
    // 1 - cos and 1 + cos over the same denominator.
    let far = rings + rings * rings / (root + 2 * concentration)
    let near = rings + root + 2 * concentration
    return 2 * Foundation.atan((far / near).squareRoot())
  }

  public func cumulant(_ order: Int, _ concentration: Double) -> Double {
    switch order {
    case 0: SpecialFunctions.logScaledHypergeometric(order: self.order, concentration)
    case 1: -SpecialFunctions.besselIRatio(order: self.order, concentration).complement
    case 2: SpecialFunctions.besselIRatio(order: self.order, concentration).derivative
    default: quadratureCumulant(order, concentration)
    }
  }

  /// Rejection after Ulrich (1984) and Wood (1994): with a symmetric beta variable e, the proposal is
  /// (1 - (1 + b) e) / (1 - (1 - b) e) = cos(angle), here as the tangent of half the angle.
  public func drawAngle(_ concentration: Double, using random: inout RandomStream) -> Double {
    let rings = Double(dimension - 1)
    let root = (4 * concentration * concentration + rings * rings).squareRoot()
    let b = rings / (2 * concentration + root)
    let a = (rings + 2 * concentration + root) / 4
    let d = 4 * a * b / (1 + b) - rings * Foundation.log(rings)
    while true {
      let (e, rest) = random.nextSymmetricBeta(dimension)
      let t = 2 * a * b / (rest + b * e)
      if rings * Foundation.log(t) - t + d >= Foundation.log(random.nextUniform()) {
        return 2 * Foundation.atan2((b * e).squareRoot(), rest.squareRoot())
      }
    }
  }
}

extension RandomStream {
  /// e and 1 - e, e of Beta((m - 1)/2, (m - 1)/2): (1 - x)/2, x being a coordinate of a uniform point of the sphere in
  /// m dimensions (Ulrich 1984). Takes two draws.
  fileprivate mutating func nextSymmetricBeta(_ dimension: Int) -> (Double, Double) {
    let angle = 2 * Double.pi * nextUniform()
    let u = nextUniform()
    // The squared length of the point's first two coordinates has 1 - u^(2 / (m - 2)).
    let squared =
      dimension == 2 ? 1 : -Foundation.expm1(2 * Foundation.log(u) / Double(dimension - 2))
    let x = Foundation.cos(angle) * squared.squareRoot()
    return ((1 - x) / 2, (1 + x) / 2)
  }
}

/// ((1 + cos(angle)) / 2)^k: the power spherical distribution (De Cao and Aziz 2020).
///
/// (1 + cos(angle)) / 2 has Beta((m - 1)/2 + k, (m - 1)/2), whence the normaliser and the moments of its logarithm.
public struct PowerSphericalFamily: PolarFamily {
  public let dimension: Int
  public init(dimension: Int) { self.dimension = dimension }

  private var half: Double { Double(dimension - 1) / 2 }

  public func statistic(_ angle: Double) -> Double {
    // cos^2 is small near pi, 1 - sin^2 is exact near 0.
    let sine = Foundation.sin(angle / 2)
    let cosine = Foundation.cos(angle / 2)
    return angle < 1 ? Foundation.log1p(-sine * sine) : 2 * Foundation.log(cosine)
  }

  public func statistic(sine: Tensor, cosine: Tensor) -> Tensor {
    let isNear = sine.detached .< 0.5
    let near = log(onePlus: -Tensor.where(isNear, sine, sine.zerosLike))
    return Tensor.where(isNear, near, log(Tensor.where(isNear, cosine.onesLike, cosine)))
  }

  /// Where (m - 2) cot = k tan of half the angle.
  public func modalAngle(_ concentration: Double) -> Double {
    let rings = Double(dimension - 2)
    return rings == 0 ? 0 : 2 * Foundation.atan((rings / (rings + 2 * concentration)).squareRoot())
  }

  public func cumulant(_ order: Int, _ concentration: Double) -> Double {
    let difference = SpecialFunctions.polygammaDifference(order - 1, half + concentration, half)
    return order == 0
      ? SpecialFunctions.polygammaDifference(-1, half, half) - difference : -difference
  }
}
