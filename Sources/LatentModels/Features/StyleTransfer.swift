// The content of one picture in the style of another (Gatys, Ecker and Bethge 2015, "A neural algorithm of artistic
// style"): what is minimised over the numbers of a third one.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `contentWeight * sum_l w_l |F_l(p) - F_l(content)|² / (C_l H_l W_l) + styleWeight * sum_l w_l |G_l(p) - G_l(style)|²` of
/// a picture p (equations 1, 4 and 7 of the paper, with means in place of halved sums, and the Gram matrices of
/// ``gramMatrices(_:)``).
///
/// ```swift
/// let transfer = try StyleTransfer(through: encoder, content: content, style: style)
/// let result = LBFGS().minimize([content]) { transfer($0[0]).total }
/// ```
public struct StyleTransfer: Sendable {
  /// A layer that the picture is compared in.
  private struct Target: Sendable {
    let name: String
    let weight: Double
    /// The content's activations, or the Gram matrices of the style.
    let values: Tensor
  }

  private let network: FrozenFeatures
  private let content, style: [Target]
  private let contentWeight, styleWeight: Double
  /// Of the content, hence of every picture.
  private let shape: Shape

  /// Looks at both pictures, `[1, height, width, channels]`, which may differ in size.
  ///
  /// - Parameters:
  ///   - contentLayers: where there are none, the last layer that keeps places
  ///   - styleLayers: where there are none, all layers that keep places
  /// - Throws: `UnknownLayer` for a layer that the network does not have for the picture.
  public init(
    through network: any FeatureNetwork, content: Tensor, style: Tensor,
    contentLayers: [LayerWeight] = [], styleLayers: [LayerWeight] = [], contentWeight: Double = 1,
    styleWeight: Double = StyleTransfer.standardStyleWeight
  ) throws {
    self.network = FrozenFeatures(network)
    shape = content.shape
    self.contentWeight = contentWeight
    self.styleWeight = styleWeight
    let seen = network.features(of: content)
    let chosen = try seen.chosen(contentLayers)
    self.content = (contentLayers.isEmpty ? chosen.suffix(1) : chosen).map {
      Target(name: $0.feature.name, weight: $0.weight, values: $0.feature.values)
    }
    // By the layers of the picture that is made, which has the content's size.
    let layers = try seen.chosen(styleLayers).map { LayerWeight($0.feature.name, $0.weight) }
    let textures = network.features(of: style)
    self.style =
      layers.isEmpty
      ? []
      : try textures.chosen(layers).map {
        Target(name: $0.feature.name, weight: $0.weight, values: gramMatrices($0.feature.values))
      }
  }

  /// The weight of the style unless another is given.
  public static let standardStyleWeight = 300.0

  /// The names of the layers that are compared.
  public var layers: (content: [String], style: [String]) {
    (content.map(\.name), style.map(\.name))
  }

  /// The weighted sum, and the two without their weights under the names `content` and `style`, of a picture
  /// `[1, height, width, channels]`. Traps where it has not the content's size.
  public func callAsFunction(_ picture: Tensor) -> LossTerms {
    require(
      picture.shape == shape, "a picture of shape \(picture.shape) with the content of \(shape)")
    let features = network.features(of: picture)
    func sum(_ targets: [Target], _ difference: (Tensor, Tensor) -> Tensor) -> Tensor {
      targets.reduce(Tensor.zeros([], picture.dtype)) { sum, target in
        guard let feature = features.first(where: { $0.name == target.name }) else {
          fatalError("the layer \(target.name) of a picture of shape \(picture.shape)")
        }
        return sum + difference(feature.values, target.values).mean().weighted(target.weight)
      }
    }
    let place = sum(content, meanSquareDifference)
    let texture = sum(style) { square(gramMatrices($0) - $1).sum(axes: [1, 2]) }
    return LossTerms(
      total: place.weighted(contentWeight) + texture.weighted(styleWeight),
      terms: [("content", place), ("style", texture)])
  }
}
