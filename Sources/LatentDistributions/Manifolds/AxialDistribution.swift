// Distributions on the unit sphere that are symmetric around a direction: posteriors of latents without a length
// (Davidson et al. 2018, "Hyperspherical variational auto-encoders"; De Cao and Aziz 2020, "The power spherical
// distribution"). A draw is an angle from the direction and a uniform way to go; the angle alone knows the
// concentration.
//
// Densities are with respect to the area of the sphere.

import Foundation
import LatentAutodiff
import LatentNumerics

/// The von Mises-Fisher distribution, e^(k mu.z) up to a factor.
public typealias VonMisesFisher = AxialDistribution<VonMisesFisherFamily>

/// The power spherical distribution, (1 + mu.z)^k up to a factor.
public typealias PowerSpherical = AxialDistribution<PowerSphericalFamily>

/// A distribution on the unit sphere around a direction.
///
/// Draws are reparameterised: the angle implicitly, through its distribution function, so that no correction is
/// missing where it comes from rejection. Second derivatives of draws are not known, and trap.
public struct AxialDistribution<Family: PolarFamily>: ReparameterizedDistribution,
  EvaluableDistribution, DistributionWithMode
{
  /// Of length 1, `[batch, m]`.
  public let direction: Tensor
  /// From 0, which is the uniform distribution, on; `[batch]`.
  public let concentration: Tensor
  /// How the density falls with the angle.
  public let family: Family
  public let batchShape: Shape
  public let eventShape: Shape

  /// Around a direction.
  ///
  /// - Parameters:
  ///   - direction: `[batch, m]`, m at least 2, whose lengths are taken off; vectors shorter than 1e-15 count as the
  ///     first unit vector
  ///   - concentration: `[batch]`, not negative, or what broadcasts to it
  public init(
    direction: Tensor, concentration: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      direction.rank >= 1 && direction.shape[-1] >= 2 && direction.dtype == concentration.dtype,
      "AxialDistribution: directions \(direction.shape), \(direction.dtype), and concentrations "
        + "\(concentration.shape), \(concentration.dtype): expected [..., 2 or more] of one type",
      file: file, line: line)
    let lead = direction.shape.prefix(direction.rank - 1)
    guard let batch = lead.broadcast(with: concentration.shape) else {
      fatalError(
        "AxialDistribution: directions \(direction.shape) and concentrations "
          + "\(concentration.shape) do not broadcast", file: file, line: line)
    }
    batchShape = batch
    eventShape = direction.shape.suffix(1)
    family = Family(dimension: direction.shape[-1])
    self.direction = direction.unitVectors.broadcast(to: batch + eventShape)
    self.concentration = concentration.broadcast(to: batch)
  }

  private init(_ direction: Tensor, _ concentration: Tensor, _ family: Family) {
    self.direction = direction
    self.concentration = concentration
    self.family = family
    batchShape = concentration.shape
    eventShape = direction.shape.suffix(1)
  }

  public var dtype: DType { direction.dtype }
  public var support: Support { .interval(-1...1) }
  /// The direction.
  public var mode: Tensor { direction }

  private var logArea: Double { logSphereArea(family.dimension) }

  /// A cumulant of the statistic, elementwise, whose derivative is the next one.
  private static func cumulant(_ family: Family, _ order: Int, _ concentration: Tensor) -> Tensor {
    elementwise("cumulant", of: concentration, { family.cumulant(order, $0) }) {
      cumulant(family, order + 1, $0)
    }
  }

  /// From the squared sine and cosine of half the angle.
  private func logDensity(sine: Tensor, cosine: Tensor) -> Tensor {
    concentration * family.statistic(sine: sine, cosine: cosine)
      - AxialDistribution.cumulant(family, 0, concentration) - logArea
  }

  /// Of values of length 1; whether they have it is not looked at.
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    // Chords: 1 - mu.z would cancel where z is near mu.
    return logDensity(
      sine: square(value - direction).sum(axes: [-1]) / 4,
      cosine: square(value + direction).sum(axes: [-1]) / 4)
  }

  /// Angles of this shape, and unit vectors at right angles to the direction.
  private func polarDraw(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (angle: Tensor, way: Tensor) {
    let (shape, family) = (sampleShape + batchShape, family)
    let angle = PolarAngle(family: family).draws(shape, concentration, using: &random) {
      family.drawAngle($0, using: &$1)
    } expectation: {
      family.cumulant(1, $0)
    }
    let way = random.normalTensor(shape.appending(family.dimension - 1), dtype).unitVectors
    return (angle, rotated(way))
  }

  /// Vectors `[..., m - 1]` at right angles to an axis become ones at right angles to the direction, by the reflection
  /// that takes that one of e_1 and -e_1 there which is farther away: mu = e_1 is no special case, and nothing is
  /// divided by less than 1. Which of the two is as good, because vectors of all ways are as probable.
  private func rotated(_ way: Tensor) -> Tensor {
    let size = family.dimension
    let first = direction.sliced(-1, 0..<1)
    let sign = Tensor.where(first.detached .>= 0, first.onesLike, -first.onesLike).detached
    let rest = direction.sliced(-1, 1..<size)
    let share = (rest * way).sum(axes: [-1], keepingDimensions: true) / (1 + sign * first)
    let normal = Tensor.concatenate([first + sign, rest], axis: -1)
    return way.padded(axis: -1, before: 1, after: 0) - normal * share
  }

  private func point(_ angle: Tensor, _ way: Tensor) -> Tensor {
    let angle = angle.expandingDimension(at: angle.rank)
    return cos(angle) * direction + sin(angle) * way
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let (angle, way) = polarDraw(sampleShape, using: &random)
    return point(angle, way)
  }

  /// The density comes from the angle.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let (angle, way) = polarDraw(sampleShape, using: &random)
    let half = angle * 0.5
    return (point(angle, way), logDensity(sine: square(sin(half)), cosine: square(cos(half))))
  }

  /// k E[T] - log E[e^(k T)], the divergence from the uniform distribution; its derivative is k Var[T].
  private var divergenceFromUniform: Tensor {
    let family = family
    return elementwise("sphere divergence", of: concentration) {
      let divergence = $0 * family.cumulant(1, $0) - family.cumulant(0, $0)
      // Not below 0 by rounding; NaN stays.
      return divergence < 0 ? 0 : divergence
    } derivative: {
      $0 * AxialDistribution.cumulant(family, 2, $0)
    }
  }

  public var entropy: Tensor? { logArea - divergenceFromUniform }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? UniformSphere, q.radius == 1 else { return nil }
    requireSameEvent(as: q)
    return divergenceFromUniform.broadcast(to: commonBatch(with: q))
  }
}

extension AxialDistribution: DetachableDistribution {
  public var detached: AxialDistribution {
    AxialDistribution(direction.detached, concentration.detached, family)
  }
}
