// The Transformers of text in words. Every key of a file is a plain value, so the width inside a
// block is written out instead of following from the others.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `TransformerTextEncoder` and `TransformerTextDecoder` of bytes; the length is that of the data.
public struct TransformerTextNetwork: NetworkDescription {
  public static let architecture = "transformer-text"
  public static let presets = [
    NetworkPreset(architecture, "Transformers of text, byte by byte", likelihood: .categorical) {
      _ in TransformerTextNetwork()
    },
    NetworkPreset(
      "seq", "the same: width 128, 2 layers a side, 32 latents", likelihood: .categorical
    ) { _ in TransformerTextNetwork() },
  ]
  public static let likelihoods = [ModelDescription.Likelihood.categorical]

  /// The size of the vectors at each position.
  public var width: Int
  /// Heads of attention, which divide the width.
  public var heads: Int
  /// Blocks of the encoder, and of the decoder.
  public var layers: Int
  /// Width of the network inside a block.
  public var hidden: Int
  /// Latents of a text.
  public var latentSize: Int
  /// On which side of a part its layer norm stands.
  public var norm: TransformerBlock.NormPlacement
  /// How positions are told apart.
  public var positions: PositionEncoding.Policy
  /// The probability of an element to become zero in training.
  public var dropout: Double

  /// Small sizes unless others are given.
  public init(
    width: Int = 128, heads: Int = 4, layers: Int = 2, hidden: Int = 512, latentSize: Int = 32,
    norm: TransformerBlock.NormPlacement = .before, positions: PositionEncoding.Policy = .learned,
    dropout: Double = 0
  ) {
    self.width = width
    self.heads = heads
    self.layers = layers
    self.hidden = hidden
    self.latentSize = latentSize
    self.norm = norm
    self.positions = positions
    self.dropout = dropout
  }

  /// Reads the settings of a file.
  ///
  /// - Throws: `ModelDescriptionError` for a word that is none of its kind, `DecodingError`.
  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    width = try values.decode(Int.self, forKey: .width)
    heads = try values.decode(Int.self, forKey: .heads)
    layers = try values.decode(Int.self, forKey: .layers)
    hidden = try values.decode(Int.self, forKey: .hidden)
    latentSize = try values.decode(Int.self, forKey: .latentSize)
    norm = try values.decodeWord(forKey: .norm)
    positions = try values.decodeWord(forKey: .positions)
    dropout = try values.decode(Double.self, forKey: .dropout)
  }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws {
    try check(size: width, "width")
    try check(size: heads, "heads")
    try check(width % heads == 0, "heads", heads, "a number that divides the width \(width)")
    try check(
      positions != .rotary || width / heads % 2 == 0, "positions", positions.rawValue,
      "heads of an even size for these: found \(width) in \(heads)")
    try check(depth: layers, "layers")
    try check(size: hidden, "hidden")
    try check(size: latentSize, "latentSize")
    try check(dropout >= 0 && dropout < 1, "dropout", dropout, "0 ..< 1")
    // Positions that are not learned are a table all the same.
    try check(inputShape: inputShape, vectorsOf: width)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, likelihood: ModelDescription.Likelihood
  ) -> Double {
    let norm = 2 * Double(width)
    let block =
      2 * norm + LayerParameters.linear(width, 3 * width) + LayerParameters.linear(width, width)
      + LayerParameters.linear([width, hidden, width])
    let table = positions == .learned ? Double(inputShape[0]) * Double(width) : 0
    let trunk = Double(byteValues) * Double(width) + table + Double(layers) * block + norm
    let head = LayerParameters.linear(width, posteriorOutputs)
    let startAndCondition = Double(width) + LayerParameters.linear(latentSize, width)
    return 2 * trunk + head + startAndCondition
      + LayerParameters.linear(width, byteValues)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    likelihood: ModelDescription.Likelihood,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let size = TransformerSize(
      width: width, heads: heads, layers: layers, hidden: hidden, norm: norm, positions: positions,
      dropout: dropout)
    let encoder = TransformerTextEncoder(
      length: inputShape[0], vocabulary: byteValues, latentSize: latentSize, size,
      posterior: posterior, using: &random)
    let decoder = TransformerTextDecoder(
      latentSize: latentSize, length: inputShape[0], vocabulary: byteValues, size, using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
