// Networks that are looked through: what their layers make of data says more about how alike two pictures are
// than pixels do (Gatys et al. 2015; Johnson et al. 2016; Hou et al. 2017). Any trained module can be one.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// What one layer of a network makes of data.
public struct Feature: Sendable {
  /// The layer's name, such as `convolutions.0`: the beginning of the paths of its parameters.
  public let name: String
  /// `[batch, height, width, channels]` where the layer keeps places, else `[batch, width]`.
  public let values: Tensor

  /// The activations of the layer of this name.
  public init(_ name: String, _ values: Tensor) {
    self.name = name
    self.values = values
  }

  /// Whether the layer keeps places.
  public var hasPlaces: Bool { values.rank == 4 }
}

/// A module whose layers can be looked at: the encoders of the ready networks, critics, and anything made one by
/// ``FeatureFunction``.
public protocol FeatureNetwork: Module {
  /// What its layers make of x `[batch, ...]`, from the first to the last. Layers that x is too small or of
  /// another shape for are left out: convolutions take pictures of any size, fully connected layers do not.
  func features(of x: Tensor) -> [Feature]
}

extension FeatureNetwork {
  /// The features of a module within this one, with its name before theirs.
  func features(_ name: String, _ network: some FeatureNetwork, of x: Tensor) -> [Feature] {
    network.features(of: x).map { Feature("\(name).\($0.name)", $0.values) }
  }
}

/// Any module with a function that says what its layers make of data.
///
/// ```swift
/// let features = FeatureFunction(blocks) { blocks, x in
///   [Feature("first", blocks.first(x)), Feature("second", blocks.second(blocks.first(x)))]
/// }
/// ```
public struct FeatureFunction<Base: Module>: FeatureNetwork {
  /// The module, whose parameters have the paths that they have in it.
  public var base: Base
  private let function: @Sendable (Base, Tensor) -> [Feature]

  /// `function` gets the module and x `[batch, ...]`; it leaves out layers that x does not suit.
  public init(_ base: Base, _ function: @escaping @Sendable (Base, Tensor) -> [Feature]) {
    self.base = base
    self.function = function
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    base.visitParameters(&visitor)
  }

  public func features(of x: Tensor) -> [Feature] { function(base, x) }
}

/// A model whose encoder can be looked through; `VAE` conforms where its encoder is a ``FeatureNetwork``.
public protocol FeatureModel: LatentVariableModel {
  /// The encoder.
  var featureNetwork: any FeatureNetwork { get }
}

extension VAE: FeatureModel where E: FeatureNetwork {
  public var featureNetwork: any FeatureNetwork { encoder }
}
