// Latents on a sphere: where spherical autoencoders have their codes, and what they generate from.

import Foundation
import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

extension Tensor {
  /// Each event, the last `eventRank` axes, put on the sphere whose radius is the root of its number of elements: its
  /// root mean square is 1, as of a draw of N(0, I) for many elements. Zeros stay zeros, and what has a root mean square
  /// below 1e-10 counts as if it had that.
  func onSphere(eventRank: Int = 1) -> Tensor {
    let axes = Array(rank - eventRank..<rank)
    let squares = square(self).mean(axes: axes, keepingDimensions: true)
    return self * reciprocalSqrt(maximum(squares, squares.zerosLike + 1e-20))
  }
}

/// The uniform distribution on the sphere of radius sqrt(L) in L dimensions, where a normal draw lies that was put there
/// (`Tensor.onSphere`).
public struct SphereUniform: ReparameterizedDistribution {
  public var batchShape: Shape { [] }
  public let eventShape: Shape
  public let dtype: DType

  /// Over events of this shape, of L elements.
  public init(eventShape: Shape, dtype: DType = .float32) {
    self.eventShape = eventShape
    self.dtype = dtype
  }

  public var support: Support { .reals }

  public func reparameterizedSample(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> Tensor {
    random.normalTensor(sampleShape + eventShape, dtype).onSphere(eventRank: eventShape.rank)
  }

  /// The density is one of the sphere's surface, not of the space around it.
  public func sampleAndLogProbability(
    _ sampleShape: Shape, using random: inout RandomStream
  ) -> (value: Tensor, logProbability: Tensor) {
    let z = reparameterizedSample(sampleShape, using: &random)
    return (z, Tensor(repeating: -logArea, shape: sampleShape, dtype))
  }

  /// The logarithm of the area: `log 2 + L/2 log pi - log Gamma(L/2) + (L - 1)/2 log L`.
  private var logArea: Double {
    let size = Double(eventShape.count)
    return Foundation.log(2) + size / 2 * Foundation.log(Double.pi) - lgamma(size / 2)
      + (size - 1) / 2 * Foundation.log(size)
  }
}

/// The prior of models whose codes lie on the sphere.
public struct SpherePrior: Prior {
  /// The shape of one latent.
  public let eventShape: Shape

  /// Over latents of this shape.
  public init(_ eventShape: Shape) { self.eventShape = eventShape }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    SphereUniform(eventShape: eventShape, dtype: dtype)
  }
}

extension LatentSpace {
  /// The sphere on which the root mean square of a latent's numbers is 1.
  public static let wideSphere = LatentSpace("the sphere of root mean square 1")
}

/// The uniform distribution on that sphere, in words.
public struct SpherePointPrior: PriorDescription {
  public static let name = "sphere-point"
  public static let origin = Origin(
    "uniform on the sphere of codes without a length", paper: "arXiv 2602.15030", equation: "f",
    test: "LatentModelsTests/SphericalAutoencoderTests.swift")

  public init() {}
  public var space: LatentSpace { .wideSphere }
  public func makePrior(
    latentShape: Shape, inputShape: Shape, using random: inout RandomStream
  ) -> any Prior { SpherePrior(latentShape) }
}
