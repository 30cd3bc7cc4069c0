// A network that is looked through and stays as it is. Its parameters are buffers of whoever holds it: they are in
// every checkpoint, and no gradient is computed for them, no rule moves them.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// A feature network whose parameters and buffers never change.
///
/// Derivatives pass through it to what it is shown. It is evaluated as after training: batch statistics are the
/// saved ones and stay so.
public struct FrozenFeatures: FeatureNetwork {
  /// The network.
  public private(set) var network: any FeatureNetwork

  /// The network with the parameters that it has now.
  public init(_ network: any FeatureNetwork) { self.network = network }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visitConstants(of: &network)
  }

  public func features(of x: Tensor) -> [Feature] { network.features(of: x) }
}
