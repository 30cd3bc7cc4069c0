// The gated recurrent units of text in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `GRUTextEncoder` and `GRUTextDecoder` of bytes; the length is that of the data.
public struct GRUTextNetwork: NetworkDescription {
  public static let architecture = "gru-text"
  public static let presets = [
    NetworkPreset(architecture, "recurrent networks of text", likelihood: .categorical) { _ in
      GRUTextNetwork()
    }
  ]
  public static let likelihoods = [ModelDescription.Likelihood.categorical]

  /// Width of the bytes' vectors.
  public var width: Int
  /// Width of the state, in each direction of the encoder.
  public var hidden: Int
  /// Recurrent layers of encoder and decoder each.
  public var layers: Int
  /// Latents of a text.
  public var latentSize: Int

  /// `width` is that of the tokens' vectors, `hidden` that of the states.
  public init(width: Int = 128, hidden: Int = 256, layers: Int = 1, latentSize: Int = 32) {
    self.width = width
    self.hidden = hidden
    self.layers = layers
    self.latentSize = latentSize
  }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws {
    try check(size: width, "width")
    try check(size: hidden, "hidden")
    try check(depth: layers, "layers")
    try check(size: latentSize, "latentSize")
    try check(inputShape: inputShape, vectorsOf: width)
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, likelihood: ModelDescription.Likelihood
  ) -> Double {
    /// Every layer sees the states of the one before it, from all directions.
    func recurrence(directions: Int) -> Double {
      func layer(_ inputs: Int) -> Double {
        let gates = 3 * hidden
        return Double(directions)
          * (LayerParameters.linear(inputs, gates) + LayerParameters.linear(hidden, gates))
      }
      return layer(width) + Double(layers - 1) * layer(directions * hidden)
    }
    let tokens = Double(byteValues) * Double(width)
    let encoder =
      tokens + recurrence(directions: 2)
      + LayerParameters.linear(2 * hidden, posteriorOutputs)
    // One linear layer gives the first states of all layers.
    let initial = Double(layers) * LayerParameters.linear(latentSize, hidden)
    return encoder + tokens + Double(width) + LayerParameters.linear(latentSize, width) + initial
      + recurrence(directions: 1) + LayerParameters.linear(hidden, byteValues)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    likelihood: ModelDescription.Likelihood,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = GRUTextEncoder(
      vocabulary: byteValues, width: width, hidden: hidden, layers: layers, latentSize: latentSize,
      posterior: posterior, using: &random)
    let decoder = GRUTextDecoder(
      latentSize: latentSize, length: inputShape[0], vocabulary: byteValues, width: width,
      hidden: hidden, layers: layers, using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }
}
