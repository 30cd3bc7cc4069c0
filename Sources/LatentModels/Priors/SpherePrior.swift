// Latents on a sphere: where spherical autoencoders have their codes, and what they generate from.

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

/// The prior of models whose codes lie on a sphere.
public struct SpherePrior: Prior {
  /// The shape of one latent.
  public let eventShape: Shape
  /// The length of one latent.
  public let radius: Double

  /// Over latents of this shape and length.
  public init(_ eventShape: Shape, radius: Double) {
    self.eventShape = eventShape
    self.radius = radius
  }

  /// Over latents of this shape whose root mean square is 1, where a normal draw lies that was put there
  /// (`Tensor.onSphere`).
  public init(_ eventShape: Shape) {
    self.init(eventShape, radius: Double(eventShape.count).squareRoot())
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}

  public func callAsFunction(
    encoder: some Encoder, dtype: DType, _ context: inout LayerContext
  ) -> any Distribution {
    UniformSphere(eventShape: eventShape, radius: radius, dtype: dtype)
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
