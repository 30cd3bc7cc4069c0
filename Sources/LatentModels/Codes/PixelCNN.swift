// A network over a map of codes that sees only what is above a place and to its left (van den Oord et al. 2016,
// "Conditional image generation with PixelCNN decoders", section 2.2): a vertical stack looks at all rows above, a
// horizontal one at its own row, and neither has a blind spot.
//
//   y = tanh(W_f * x + V_f c) . sigma(W_g * x + V_g c)      (equations 2 and 4)
//
// Masks are not needed: the first layer of each stack sees its input moved down by one row, or to the right by one place,
// and every later one looks backwards only.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// Two halves of the last axis, of which one says how much of the other passes: `[..., 2 size] -> [..., size]`.
private func gated(_ x: Tensor) -> Tensor {
  let halves = x.split(into: 2, axis: -1)
  return tanh(halves[0]) * sigmoid(halves[1])
}

/// One layer of both stacks.
public struct PixelLayer: Module {
  /// Over this row and those above: `[batch, height, width, channels] -> [batch, height, width, 2 channels]`.
  public var vertical: Conv2D
  /// Over this place and those to the left, likewise.
  public var horizontal: Conv2D
  /// From the vertical stack to the horizontal one, place by place.
  public var link: Linear
  /// From the condition to what is added before the gates of either stack.
  public var condition: Linear
  /// What the horizontal stack adds to its input.
  public var output: Linear

  /// With filters that are `kernel` wide, an odd number, as if they were square.
  init(channels: Int, kernel: Int, conditions: Int, using random: inout RandomStream) {
    let reach = kernel / 2 + 1
    vertical = Conv2D(
      channels, 2 * channels, kernel: [reach, kernel], padding: [0, kernel / 2], using: &random)
    horizontal = Conv2D(channels, 2 * channels, kernel: [1, reach], using: &random)
    link = Linear(2 * channels, 2 * channels, using: &random)
    condition = Linear(conditions, 4 * channels, bias: false, using: &random)
    output = Linear(channels, channels, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&vertical, "vertical")
    visitor.visit(&horizontal, "horizontal")
    visitor.visit(&link, "link")
    visitor.visit(&condition, "condition")
    visitor.visit(&output, "output")
  }

  /// What the condition `[batch, conditions]` adds before the gates, `[batch, 1, 1, 2 channels]` each.
  func additions(_ z: Tensor) -> (vertical: Tensor, horizontal: Tensor) {
    let halves = condition(z).reshaped([z.shape[0], 1, 1, condition.outputSize])
      .split(into: 2, axis: -1)
    return (halves[0], halves[1])
  }

  /// From features `[batch, rows + reach - 1, width, channels]` to those of the rows, and what the horizontal stack is
  /// told of them.
  func down(_ window: Tensor, _ addition: Tensor) -> (features: Tensor, link: Tensor) {
    let raw = vertical(window)
    return (gated(raw + addition), link(raw))
  }

  /// From features of places and of `reach - 1` to their left.
  func right(_ window: Tensor, _ link: Tensor, _ addition: Tensor) -> Tensor {
    gated(horizontal(window) + link + addition)
  }
}

/// The logits of each code of a map from those above it and to its left.
public struct PixelCNN: AutoregressiveNetwork {
  /// `[codes, channels]`.
  public var codes: Embedding
  /// In the order they are called.
  public var layers: [PixelLayer]
  /// Of the horizontal stack, place by place.
  public var hidden: Linear
  /// To the logits.
  public var output: Linear
  /// Where codes stand.
  public let map: CodeMap

  /// For codes of a map and conditions of so many numbers.
  public init(
    _ map: CodeMap, _ size: PixelCNNSize = PixelCNNSize(), conditions: Int,
    using random: inout RandomStream
  ) {
    self.map = map
    let channels = size.channels
    codes = Embedding(
      count: map.codes, size: channels, initializer: .normal(deviation: 0.1), using: &random)
    layers = (0..<size.layers).map { _ in
      PixelLayer(
        channels: channels, kernel: size.kernel, conditions: conditions, using: &random)
    }
    hidden = Linear(channels, channels, activation: .relu, initializer: .heUniform, using: &random)
    output = Linear(channels, map.codes, using: &random)
  }

  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {
    visitor.visit(&codes, "codes")
    visitor.visit(&layers, "layers")
    visitor.visit(&hidden, "hidden")
    visitor.visit(&output, "output")
  }

  public var length: Int { map.length }
  public var classCount: Int { map.codes }

  /// How far filters look back, themselves included.
  private func reach(_ layer: PixelLayer) -> Int { layer.horizontal.weight.shape[2] }

  private func logits(of features: Tensor) -> Tensor { output(hidden(relu(features))) }

  public func logits(_ z: Tensor, _ x: Tensor, _ context: inout LayerContext) -> Tensor {
    let rows = x.shape[0]
    let known = codes(x, &context).reshaped([rows, map.height, map.width, codes.weight.shape[1]])
    var (above, left) = (known.movedOn(axis: 1), known.movedOn(axis: 2))
    for layer in layers {
      let additions = layer.additions(z)
      let before = reach(layer) - 1
      let down = layer.down(above.padded(axis: 1, before: before, after: 0), additions.vertical)
      let right = layer.right(
        left.padded(axis: 2, before: before, after: 0), down.link, additions.horizontal)
      above = down.features
      left = left + layer.output(right)
    }
    return logits(of: left).reshaped([rows, length, classCount])
  }

  // MARK: One code after the other

  /// What each layer looks back to.
  public struct Progress: Sendable {
    /// Of each layer, `[rows, 1, 1, 2 channels]`.
    fileprivate let additions: [(vertical: Tensor, horizontal: Tensor)]
    fileprivate var position = 0
    /// The vectors of this row's codes so far, `[rows, 1, 1, channels]` each.
    fileprivate var row: [Tensor] = []
    /// The last rows that the vertical stack saw, of each layer.
    fileprivate var above: [Tensor]
    /// What it tells the horizontal one of this row, of each layer.
    fileprivate var links: [Tensor] = []
    /// The last places that the horizontal stack saw, of each layer.
    fileprivate var left: [Tensor] = []
    fileprivate let zero: Tensor
  }

  public func start(_ z: Tensor) -> Progress {
    let zero = Tensor.zeros([z.shape[0], 1, 1, codes.weight.shape[1]], codes.weight.dtype)
    return Progress(
      additions: layers.map { $0.additions(z) },
      above: layers.map { zero.repeated(reach($0) - 1, axis: 1).repeated(map.width, axis: 2) },
      zero: zero)
  }

  /// The vertical stack once for each row, the horizontal one for each place: every feature is computed once.
  public func next(_ previous: Tensor?, _ progress: inout Progress) -> Tensor {
    let column = progress.position % map.width
    if let previous {
      progress.row.append(codes(previous).reshaped(progress.zero.shape))
    }
    if column == 0 { startRow(&progress) }
    var left = progress.row.last ?? progress.zero
    for (index, layer) in layers.enumerated() {
      let window = Tensor.concatenate([progress.left[index], left], axis: 2)
      let link = progress.links[index].sliced(2, column..<column + 1)
      progress.left[index] = window.sliced(2, 1..<window.shape[2])
      left = left + layer.output(layer.right(window, link, progress.additions[index].horizontal))
    }
    progress.position += 1
    return logits(of: left).reshaped([left.shape[0], classCount])
  }

  private func startRow(_ progress: inout Progress) {
    let isFirst = progress.row.isEmpty
    var above =
      isFirst
      ? progress.zero.repeated(map.width, axis: 2) : Tensor.concatenate(progress.row, axis: 2)
    progress.row = []
    progress.links = []
    progress.left = layers.map { progress.zero.repeated(reach($0) - 1, axis: 2) }
    for (index, layer) in layers.enumerated() {
      let window = Tensor.concatenate([progress.above[index], above], axis: 1)
      let down = layer.down(window, progress.additions[index].vertical)
      progress.above[index] = window.sliced(1, 1..<window.shape[1])
      progress.links.append(down.link)
      above = down.features
    }
  }
}

extension Tensor {
  /// Moved by one along an axis, the last element of which falls out; zeros come in.
  fileprivate func movedOn(axis: Int) -> Tensor {
    let length = shape[axis]
    if length == 1 { return zerosLike }
    return sliced(axis, 0..<length - 1).padded(axis: axis, before: 1, after: 0)
  }

  /// An axis of size 1, so many times.
  fileprivate func repeated(_ count: Int, axis: Int) -> Tensor {
    broadcast(to: shape.replacing(axis, with: count))
  }
}

/// The sizes of a ``PixelCNN``.
public struct PixelCNNSize: Sendable, Hashable {
  /// Numbers of a place.
  public var channels: Int
  /// Layers of both stacks.
  public var layers: Int
  /// How wide filters are, an odd number; they look back half as far.
  public var kernel: Int

  /// Small sizes unless others are given.
  public init(channels: Int = 32, layers: Int = 5, kernel: Int = 5) {
    (self.channels, self.layers, self.kernel) = (channels, layers, kernel)
  }
}

extension PixelCNNSize: CodeNetworkSize {
  func validate(_ check: (Bool, String, Any, String) throws -> Void) rethrows {
    try check((1...4096).contains(channels), "channels", channels, "1 to 4096")
    try check((1...1000).contains(layers), "layers", layers, "1 to 1000")
    try check(
      (3...63).contains(kernel) && kernel % 2 == 1, "kernel", kernel, "an odd number, 3 to 63")
  }

  func parameterCount(_ map: CodeMap, conditions: Int) -> Double {
    let (size, width, reach) = (Double(channels), Double(kernel), Double(kernel / 2 + 1))
    let filters = (size * reach * width + 1) * 2 * size + (size * reach + 1) * 2 * size
    let rest =
      LayerParameters.linear(2 * channels, 2 * channels) + Double(conditions) * 4 * size
      + LayerParameters.linear(channels, channels)
    return Double(map.codes) * size + Double(layers) * (filters + rest)
      + LayerParameters.linear([channels, channels, map.codes])
  }

  func makeNetwork(
    _ map: CodeMap, conditions: Int, using random: inout RandomStream
  ) -> PixelCNN { PixelCNN(map, self, conditions: conditions, using: &random) }
}
