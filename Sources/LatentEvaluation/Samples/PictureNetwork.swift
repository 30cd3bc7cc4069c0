// The network whose last layer samples are compared in. It is small and of this library's own making: it has seen
// digits and coloured shapes, clean and spoiled. Numbers over its features are no FID, which is the distance over the
// pool3 layer of one certain Inception network.

import LatentAutodiff
import LatentLayers
import LatentModels
import LatentNumerics

/// Three convolutions of stride 2 and one linear layer: `[batch, 32, 32, 3] -> [batch, 64]`.
///
/// The features are the linear layer's outputs as they are, without an activation: a distance between normals has less
/// to say of numbers that are cut off at zero.
public struct PictureNetwork: FeatureNetwork {
  /// Pixels along each edge of the pictures that it takes.
  public static let side = 32
  /// Channels of the pictures that it takes.
  public static let channels = 3
  /// The number of features.
  public static let features = 64
  /// Outputs of the convolutions.
  static let widths = [24, 48, 64]

  /// Each halves the picture.
  public var convolutions: [Conv2D]
  /// From the smallest picture to the features.
  public var projection: Linear

  /// A network that has seen nothing.
  public init(using random: inout RandomStream) {
    convolutions = zip([Self.channels] + Self.widths, Self.widths).map {
      Conv2D(
        $0, $1, kernel: 4, stride: 2, padding: 1, activation: .silu, initializer: .heUniform,
        using: &random)
    }
    let edge = Self.side >> Self.widths.count
    projection = Linear(
      edge * edge * Self.widths[Self.widths.count - 1], Self.features, initializer: .heUniform,
      using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&convolutions, "convolutions")
    visitor.visit(&projection, "projection")
  }

  /// The layers' outputs, `convolutions.0` to `projection`, for pictures `[batch, 32, 32, 3]` between -1 and 1; none
  /// for others.
  public func features(of x: Tensor) -> [Feature] {
    guard x.rank == 4, x.shape.suffix(3) == [Self.side, Self.side, Self.channels] else { return [] }
    var (found, next): ([Feature], Tensor) = ([], x)
    for (index, layer) in convolutions.enumerated() {
      next = layer(next)
      found.append(Feature("convolutions.\(index)", next))
    }
    return found + [Feature("projection", projection(next.flattened(from: 1)))]
  }

  /// Only the features of pictures `[batch, 32, 32, 3]` between -1 and 1: `[batch, 64]`.
  public func callAsFunction(_ x: Tensor) -> Tensor {
    projection(convolutions.reduce(x) { $1($0) }.flattened(from: 1))
  }
}
