// The uniform distribution on a sphere: the prior of latents that are directions.

import Foundation
import LatentAutodiff
import LatentNumerics

/// log of the area of the unit sphere in so many dimensions: log 2 + m/2 log pi - log Gamma(m/2).
func logSphereArea(_ dimension: Int) -> Double {
  let half = Double(dimension) / 2
  return logTwo + half * Foundation.log(Double.pi) - SpecialFunctions.logGamma(half)
}

/// The same density everywhere on a sphere around 0, with respect to its area. All elements of the event are one
/// vector.
public struct UniformSphere: ReparameterizedDistribution, EvaluableDistribution {
  public let batchShape: Shape
  public let eventShape: Shape
  public let dtype: DType
  /// The length of its vectors.
  public let radius: Double

  /// On the sphere of this radius over events of `eventShape`, the same for every element of `batchShape`.
  public init(
    eventShape: Shape, radius: Double = 1, batchShape: Shape = [], dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    require(radius > 0, "a sphere of radius \(radius)", file: file, line: line)
    self.eventShape = eventShape
    self.radius = radius
    self.batchShape = batchShape
    self.dtype = dtype
  }

  public var support: Support { .interval(-radius...radius) }

  /// The logarithm of the sphere's area.
  public var logArea: Double {
    logSphereArea(eventShape.count) + Double(eventShape.count - 1) * Foundation.log(radius)
  }

  /// -log area, of values on the sphere; whether they lie there is not looked at.
  public func logProbability(of value: Tensor) -> Tensor {
    requireEvent(value)
    let leading = value.shape.prefix(value.rank - eventShape.rank)
    return Tensor(
      repeating: -logArea, shape: leading.broadcast(with: batchShape) ?? leading, dtype)
  }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    let shape = sampleShape + batchShape
    let vectors = random.normalTensor(shape.appending(eventShape.count), dtype).unitVectors
    return (vectors * radius).reshaped(shape + eventShape)
  }

  public var entropy: Tensor? { Tensor(repeating: logArea, shape: batchShape, dtype) }

  public func closedFormKL(to other: any Distribution) -> Tensor? {
    guard let q = other as? UniformSphere, q.radius == radius else { return nil }
    requireSameEvent(as: q)
    return .zeros(commonBatch(with: q), dtype)
  }
}

extension UniformSphere: DetachableDistribution {
  public var detached: UniformSphere { self }
}

extension Tensor {
  /// Vectors along the last axis at length 1. What is shorter than 1e-15 has no direction, and counts as the first
  /// unit vector.
  var unitVectors: Tensor {
    let squares = square(self).sum(axes: [-1], keepingDimensions: true)
    let isLong = squares.detached .> 1e-30
    let size = shape[-1]
    let first = Tensor([1] + [Double](repeating: 0, count: size - 1)).converted(to: dtype)
    let safe = Tensor.where(isLong, squares, squares.onesLike)
    return Tensor.where(isLong, self * reciprocalSqrt(safe), first)
  }
}
