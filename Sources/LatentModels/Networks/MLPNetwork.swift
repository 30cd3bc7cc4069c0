// The fully connected networks in words.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// `MLPEncoder` and `MLPDecoder`: the network of Kingma and Welling (2014).
public struct MLPNetwork: HeadedNetworkDescription {
  public static let architecture = "mlp"
  public static let presets = [
    NetworkPreset(architecture, "fully connected") { _ in MLPNetwork() },
    NetworkPreset(
      autoencoder, "the same with a point as posterior: a plain autoencoder",
      posterior: PointPosterior()
    ) { _ in MLPNetwork() },
  ]

  /// The name of the plain autoencoder; it was an architecture in files of the first versions.
  static let autoencoder = "mlp-autoencoder"

  /// Widths of the encoder's hidden layers.
  public var hidden: [Int]
  /// Latents of an example.
  public var latentSize: Int
  /// What follows each hidden layer.
  public var activation: HiddenActivation
  /// Widths of the decoder's hidden layers, where they are not the encoder's in reverse.
  public var decoderHidden: [Int]?

  /// `hidden` are the widths of the encoder's layers; the decoder has them in reverse unless it has its own.
  public init(
    hidden: [Int] = [400], latentSize: Int = 20, activation: HiddenActivation = .relu,
    decoderHidden: [Int]? = nil
  ) {
    self.hidden = hidden
    self.latentSize = latentSize
    self.activation = activation
    self.decoderHidden = decoderHidden
  }

  private var decoderWidths: [Int] { decoderHidden ?? hidden.reversed() }

  public func latentShape(inputShape: [Int]) -> [Int] { [latentSize] }

  public func validate(inputShape: [Int]) throws {
    try check(size: latentSize, "latentSize")
    try check(widths: hidden, "hidden")
    if let decoderHidden { try check(widths: decoderHidden, "decoderHidden") }
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear([inputs] + hidden + [posteriorOutputs])
      + LayerParameters.linear([latentSize] + decoderWidths + [inputs * outputsPerElement])
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    let encoder = DenseEncoder<MLP, _>(
      inputShape: inputShape, hidden: hidden, latentSize: latentSize, posterior: posterior,
      activation: activation.function, using: &random)
    let decoder = MLPDecoder(
      latentSize: latentSize, hidden: decoderWidths, outputShape: inputShape, head: head,
      activation: activation.function, using: &random)
    return VAE(encoder: encoder, decoder: decoder, prior: prior)
  }

  // MARK: Files

  private enum CodingKeys: String, CodingKey { case hidden, latentSize, activation, decoderHidden }

  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    hidden = try values.decode([Int].self, forKey: .hidden)
    latentSize = try values.decode(Int.self, forKey: .latentSize)
    // The first versions had one activation, and decoders that mirror their encoders.
    activation = values.contains(.activation) ? try values.decodeWord(forKey: .activation) : .relu
    decoderHidden = try values.decodeIfPresent([Int].self, forKey: .decoderHidden)
  }

  /// Widths that are not given are written as null: a configuration shows every key there is.
  public func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(hidden, forKey: .hidden)
    try values.encode(latentSize, forKey: .latentSize)
    try values.encode(activation, forKey: .activation)
    try values.encode(decoderHidden, forKey: .decoderHidden)
  }
}

/// What follows the hidden layers of a ready network, in words.
public enum HiddenActivation: String, Sendable, Hashable, Codable, CaseIterable {
  /// The function of this name.
  case relu, tanh, sigmoid, gelu, silu, softplus, elu

  /// The function itself.
  public var function: Activation {
    switch self {
    case .relu: .relu
    case .tanh: .tanh
    case .sigmoid: .sigmoid
    case .gelu: .gelu
    case .silu: .silu
    case .softplus: .softplus
    case .elu: .elu
    }
  }
}
