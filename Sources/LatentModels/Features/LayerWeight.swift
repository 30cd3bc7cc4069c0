// Which layers of a network are looked at, and how much each counts.

import LatentAutodiff
import LatentNumerics

/// A layer by its name and what it counts: `convolutions.0`, or `convolutions.0=0.5`.
public struct LayerWeight: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The layer's name.
  public let name: String
  /// What it counts, 0 or more.
  public let weight: Double

  /// A layer that counts 1 unless told otherwise. Traps where the weight is negative.
  public init(_ name: String, _ weight: Double = 1) {
    require(weight >= 0 && weight.isFinite, "the layer \(name) with the weight \(weight)")
    self.name = name
    self.weight = weight
  }

  /// Reads `NAME` or `NAME=WEIGHT`; nil where the text is neither, or the weight negative.
  public init?(parsing text: String) {
    let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let weight = parts.count == 2 ? Double(parts[1]) : 1
    guard let weight, weight >= 0, weight.isFinite, !parts[0].isEmpty else { return nil }
    self.init(String(parts[0]), weight)
  }

  public init(from decoder: any Swift.Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    guard let layer = LayerWeight(parsing: text) else {
      let path = decoder.codingPath.filter { $0.intValue == nil }.map(\.stringValue)
      throw SettingError(
        key: path.joined(separator: "."), found: "'\(text)'",
        expected: "layers such as convolutions.0, or convolutions.0=0.5 with a weight")
    }
    self = layer
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  public var description: String { weight == 1 ? name : "\(name)=\(weight)" }
}

extension [Feature] {
  /// The layers that are asked for, with what each counts: where none are, all that keep places, or all where
  /// none does, each counting 1.
  /// - Throws: `UnknownLayer` for a name that is not there.
  func chosen(_ layers: [LayerWeight]) throws -> [(feature: Feature, weight: Double)] {
    if layers.isEmpty {
      let places = filter(\.hasPlaces)
      return (places.isEmpty ? self : places).map { ($0, 1) }
    }
    return try layers.map { layer in
      guard let feature = first(where: { $0.name == layer.name }) else {
        throw UnknownLayer(name: layer.name, names: map(\.name))
      }
      return (feature, layer.weight)
    }
  }
}

/// A layer that a network does not have for the data that it is shown.
public struct UnknownLayer: Error, Sendable, Equatable, CustomStringConvertible {
  /// The name that was asked for.
  public let name: String
  /// The names that there are.
  public let names: [String]

  public var description: String {
    "no layer is called '\(name)': there are \(names.joined(separator: ", "))"
  }
}

/// A weighted sum over layers of how different two pictures are in each.
struct LayerComparison: Sendable {
  let layers: [LayerWeight]
  /// How different two activations `[batch, ...]` of a layer are: `[batch]`.
  let difference: @Sendable (Tensor, Tensor) -> Tensor

  /// Of features of one network and the same layers; `[batch]`. Traps where a layer is not there.
  func callAsFunction(_ first: [Feature], _ second: [Feature]) -> Tensor {
    do {
      let terms = try zip(first.chosen(layers), second.chosen(layers)).map { first, second in
        difference(first.feature.values, second.feature.values).weighted(first.weight)
      }
      require(!terms.isEmpty, "features of a network without layers for these data")
      return terms.dropFirst().reduce(terms[0], +)
    } catch {
      fatalError("\(error)")
    }
  }
}

/// The mean square of the difference of activations `[batch, ...]`: |a - b|² over the number of elements of an
/// example (the feature reconstruction loss of Johnson et al. 2016), `[batch]`.
@Sendable func meanSquareDifference(_ first: Tensor, _ second: Tensor) -> Tensor {
  square(first - second).flattened(from: 1).mean(axes: [1])
}

/// The squared Frobenius norm of the difference of Gram matrices (the style reconstruction loss of Johnson et
/// al. 2016; Gatys et al. 2015, equation 4, have a quarter of it), `[batch]`.
@Sendable func gramDifference(_ first: Tensor, _ second: Tensor) -> Tensor {
  square(gramMatrices(first) - gramMatrices(second)).sum(axes: [1, 2])
}

/// The Gram matrices of activations: how often channels are large together, wherever in the picture.
///
/// `G = F F^T / (C H W)`, where the rows of F are the C channels of a layer at its H W places: `[batch, height,
/// width, channels] -> [batch, channels, channels]` (Gatys et al. 2015, equation 3, with the normaliser of Johnson et
/// al. 2016). Activations without places, `[batch, channels]`, have one. A constant activation a gives
/// `a²/C` everywhere.
public func gramMatrices(_ activations: Tensor) -> Tensor {
  let (batch, channels) = (activations.shape[0], activations.shape[-1])
  let rows = activations.reshaped([batch, -1, channels])
  return matmul(rows, rows, transpose: .left) / Double(channels * rows.shape[1])
}
