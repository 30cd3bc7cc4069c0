// The number of spatial axes as a type: layers over one, two and three of them are one generic layer,
// and each refuses inputs that it was not meant for.

import LatentAutodiff
import LatentNumerics

/// How many spatial axes the inputs of a layer have.
public protocol SpatialRank: Sendable {
  /// How many axes are spatial.
  static var axes: Int { get }
}

/// `[batch, length, channels]`.
public enum OneAxis: SpatialRank { public static let axes = 1 }
/// `[batch, height, width, channels]`.
public enum TwoAxes: SpatialRank { public static let axes = 2 }
/// `[batch, depth, height, width, channels]`.
public enum ThreeAxes: SpatialRank { public static let axes = 3 }

extension SpatialRank {
  static func check(_ x: Tensor, _ name: String) {
    require(
      x.rank == axes + 2,
      "\(name) over \(axes) spatial axes of input \(x.shape): expected \(axes + 2) axes, "
        + "[batch, spatial..., channels]")
  }
}
