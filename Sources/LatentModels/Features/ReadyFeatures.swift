// The ready networks as networks to look through: their hidden layers, after the activation, by the names that
// their parameters have.

import LatentAutodiff
import LatentLayers
import LatentNumerics

extension MLP: FeatureNetwork {
  /// Every layer: `0`, `1` and so on, for x `[batch, inputs]`.
  public func features(of x: Tensor) -> [Feature] {
    chain(layers, of: x, fits: { $0.takes($1) }) { $0($1) }
  }
}

extension GatedMLP: FeatureNetwork {
  /// Every layer: `0`, `1` and so on, for x `[batch, inputs]`.
  public func features(of x: Tensor) -> [Feature] {
    chain(layers, of: x, fits: { $0.both.takes($1) }) { $0($1) }
  }
}

extension DenseEncoder: FeatureNetwork where Hidden: FeatureNetwork {
  /// The hidden layers, `hidden.0` and so on; none where x has another number of elements than the network takes.
  public func features(of x: Tensor) -> [Feature] {
    features("hidden", hidden, of: x.flattened(from: 1))
  }
}

extension ConvEncoder: FeatureNetwork {
  /// `convolutions.0` and so on for pictures of any size, `hidden` for those of the network's own.
  public func features(of x: Tensor) -> [Feature] {
    let places = halvings(convolutions, of: x) { $0 }
    guard places.count == convolutions.count, let last = places.last?.values.flattened(from: 1),
      hidden.takes(last)
    else { return places }
    return places + [Feature("hidden", hidden(last))]
  }
}

extension ResidualEncoder: FeatureNetwork {
  /// `input`, the levels (`levels.0` and so on, before the step to the next) and `middle`, for pictures of any
  /// size.
  public func features(of x: Tensor) -> [Feature] {
    guard x.rank == 4, x.shape[-1] == input.weight.shape[-1] else { return [] }
    var found = [Feature("input", input(x))]
    var next = found[0].values
    for (index, level) in levels.enumerated() {
      let values = level.blocks.reduce(next) { $1($0) }
      found.append(Feature("levels.\(index)", values))
      next = level.resampling.map { $0(values) } ?? values
    }
    return found + [Feature("middle", middle(next))]
  }
}

extension CodeCritic: FeatureNetwork {
  /// The hidden layers: `layers.0` and so on, without the one that makes the logits.
  public func features(of x: Tensor) -> [Feature] {
    guard layers[0].takes(x.flattened(from: 1)) else { return [] }
    return activations(x).dropLast().enumerated().map { Feature("layers.\($0)", $1) }
  }
}

extension PictureCritic: FeatureNetwork {
  /// `convolutions.0` and so on for pictures of any size; of other data, and of pictures that are too small to
  /// be halved, the hidden layers `dense.layers.0` and so on.
  public func features(of x: Tensor) -> [Feature] {
    convolutions.isEmpty
      ? features("dense", dense, of: x)
      : halvings(convolutions, of: x) { leakyRelu($0, slope: 0.2) }
  }
}

extension Linear {
  fileprivate func takes(_ x: Tensor) -> Bool { x.rank == 2 && x.shape[-1] == inputSize }
}

extension FeatureNetwork {
  /// Layers one after the other, as far as each takes what the one before made.
  fileprivate func chain<Part>(
    _ layers: [Part], of x: Tensor, fits: (Part, Tensor) -> Bool, _ apply: (Part, Tensor) -> Tensor
  ) -> [Feature] {
    var (found, next): ([Feature], Tensor) = ([], x)
    for (index, layer) in layers.enumerated() {
      guard fits(layer, next) else { break }
      next = apply(layer, next)
      found.append(Feature("\(index)", next))
    }
    return found
  }

  /// Convolutions that halve pictures, as far as there is something to be halved.
  fileprivate func halvings(
    _ convolutions: [Conv2D], of x: Tensor, _ activation: (Tensor) -> Tensor
  ) -> [Feature] {
    chain(
      convolutions, of: x,
      fits: { layer, x in
        x.rank == 4 && x.shape[-1] == layer.weight.shape[-1] && min(x.shape[1], x.shape[2]) > 1
      }
    ) { activation($0($1)) }
    .map { Feature("convolutions.\($0.name)", $0.values) }
  }
}
