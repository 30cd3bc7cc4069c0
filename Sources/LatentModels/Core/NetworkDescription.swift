// A ready network in words: its sizes as a plain value that can be written to a file, checked before
// anything is allocated, and built. Each network brings its own; none is known here but by the list.

import Foundation
import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The sizes of a ready network.
///
/// Stored properties are the keys of files and of the command line, beside `architecture`, `inputShape`
/// and `likelihood` of the `ModelDescription` that holds the network.
public protocol NetworkDescription: Sendable, Hashable, Codable, CustomStringConvertible {
  /// The word for the network in files.
  static var architecture: String { get }
  /// The names to ask for it, with the settings each stands for; one of them is `architecture`.
  static var presets: [NetworkPreset] { get }

  /// The likelihoods that its decoder can have.
  static var likelihoods: [ModelDescription.Likelihood] { get }
  /// The names of the posteriors that its encoder can end in; nil, which is the default, where any will do.
  static var posteriors: [String]? { get }
  /// The names of the priors that it can have; nil, which is the default, where any will do.
  static var priors: [String]? { get }

  /// Checks every number, each alone and with the data's shape, whose sizes are positive.
  /// - Throws: `ModelDescriptionError`.
  func validate(inputShape: [Int]) throws
  /// The shape of one latent. Called with valid settings only.
  func latentShape(inputShape: [Int]) -> [Int]
  /// Weights and biases without those of the posterior's head and of the prior, in double, because products
  /// of sizes that fit need not fit themselves. `posteriorOutputs` are the numbers that the encoder ends in,
  /// at each place where latents keep one. Called with valid settings only.
  func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, likelihood: ModelDescription.Likelihood
  ) -> Double
  /// The network between these ends, with first weights from `random`. Called with valid settings only.
  func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    likelihood: ModelDescription.Likelihood, using random: inout RandomStream
  ) -> any LatentVariableModel
}

extension NetworkDescription {
  public static var posteriors: [String]? { nil }
  public static var priors: [String]? { nil }
}

/// A network whose decoder ends in a `LikelihoodHead`, whichever it is.
public protocol HeadedNetworkDescription: NetworkDescription {
  /// As of `NetworkDescription`, without those of the heads.
  func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double
  /// As of `NetworkDescription`, with this head.
  func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel
}

extension HeadedNetworkDescription {
  public static var likelihoods: [ModelDescription.Likelihood] {
    ModelDescription.Likelihood.allCases.filter { $0.head != nil }
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, likelihood: ModelDescription.Likelihood
  ) -> Double {
    let head = likelihood.requiredHead
    return parameterCount(
      inputShape: inputShape, posteriorOutputs: posteriorOutputs,
      outputsPerElement: head.outputsPerElement) + Double(head.parameterCount)
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    likelihood: ModelDescription.Likelihood, using random: inout RandomStream
  ) -> any LatentVariableModel {
    makeModel(
      inputShape: inputShape, posterior: posterior, prior: prior, head: likelihood.requiredHead,
      using: &random)
  }
}

/// A name under which a ready network is asked for.
public struct NetworkPreset: Sendable {
  /// The word to ask for it.
  public let name: String
  /// What it is, in a few words for help texts.
  public let summary: String
  /// The likelihood that goes with it unless another is asked for.
  public let likelihood: ModelDescription.Likelihood
  /// The posterior that goes with it.
  public let posterior: any PosteriorDescription
  /// The settings for data of a shape. Whether they suit it, `ModelDescription.validate()` says.
  public let network: @Sendable (_ inputShape: [Int]) -> any NetworkDescription

  /// `network` gets the shape of an example and gives the settings for such data.
  public init(
    _ name: String, _ summary: String, likelihood: ModelDescription.Likelihood = .bernoulli,
    posterior: any PosteriorDescription = DiagonalPosterior(),
    network: @escaping @Sendable (_ inputShape: [Int]) -> any NetworkDescription
  ) {
    self.name = name
    self.summary = summary
    self.likelihood = likelihood
    self.posterior = posterior
    self.network = network
  }
}

extension ModelDescription {
  /// Every ready network. A new one is a file with its description, and a line here.
  public static let networks: [any NetworkDescription.Type] = [
    MLPNetwork.self, GatedMLPNetwork.self, ConvNetwork.self, ConvMapNetwork.self,
    ResidualNetwork.self, SparseNetwork.self, TransformerTextNetwork.self, GRUTextNetwork.self,
    LadderMLPNetwork.self, LadderConvNetwork.self,
  ]

  /// The names of all ready networks.
  public static let presets: [NetworkPreset] = networks.flatMap { $0.presets }
}

// MARK: - What descriptions share

extension NetworkDescription {
  func check(
    _ condition: Bool, _ key: String, _ found: Any, _ expected: @autoclosure () -> String
  ) throws {
    if !condition {
      throw ModelDescriptionError(key: key, found: "\(found)", expected: expected())
    }
  }

  /// A positive size within the bound of all sizes.
  func check(size: Int, _ key: String) throws {
    try check(size > 0, key, size, "a positive number")
    let limit = ModelDescription.maximumParameters
    try check(size <= limit, key, size, "at most \(limit)")
  }

  /// A number of layers.
  func check(depth: Int, _ key: String) throws {
    try check(depth > 0, key, depth, "a positive number")
    let limit = ModelDescription.maximumDepth
    try check(depth <= limit, key, depth, "at most \(limit)")
  }

  func check(widths: [Int], _ key: String) throws {
    let depth = ModelDescription.maximumDepth
    try check(widths.count <= depth, key, "a list of \(widths.count)", "at most \(depth) widths")
    try check(widths.allSatisfy { $0 > 0 }, key, widths, "positive widths")
    let limit = ModelDescription.maximumParameters
    try check(widths.allSatisfy { $0 <= limit }, key, widths, "widths of at most \(limit)")
  }

  /// Sequences, whose vectors of a width are no more numbers than a model may have.
  func check(inputShape: [Int], vectorsOf width: Int) throws {
    try check(
      inputShape.count == 1, "inputShape", inputShape,
      "sequences [length] for the network \(Self.architecture)")
    let limit = ModelDescription.maximumParameters / width
    try check(
      inputShape[0] <= limit, "inputShape", inputShape, "at most \(limit) vectors of \(width)")
  }

  /// Pictures whose sides can be halved so often.
  func check(inputShape: [Int], halvings: Int) throws {
    try check(
      inputShape.count == 3, "inputShape", inputShape,
      "pictures [height, width, channels] for the network \(Self.architecture)")
    let divides =
      halvings < 30 && inputShape[0] % (1 << halvings) == 0
      && inputShape[1] % (1 << halvings) == 0
    try check(
      divides, "inputShape", inputShape,
      "height and width that the network \(Self.architecture) can halve "
        + (halvings == 1 ? "once" : "\(halvings) times"))
  }
}

extension NetworkDescription {
  /// `conv(channels: [32, 64], hidden: 256, latentSize: 16)`: the settings that there are.
  public var description: String {
    let settings = Mirror(reflecting: self).children.compactMap { label, value -> String? in
      if Mirror(reflecting: value).displayStyle == .optional, "\(value)" == "nil" { return nil }
      return "\(label ?? ""): \(value)"
    }
    return "\(Self.architecture)(\(settings.joined(separator: ", ")))"
  }
}

extension KeyedDecodingContainer {
  /// One of the words of a type; another is refused with the list of them.
  func decodeWord<Word: RawRepresentable<String> & CaseIterable>(forKey key: Key) throws -> Word {
    let text = try decode(String.self, forKey: key)
    guard let word = Word(rawValue: text) else {
      throw ModelDescriptionError(
        key: key.stringValue, found: "'\(text)'",
        expected: Word.allCases.map(\.rawValue).joined(separator: ", "))
    }
    return word
  }
}

/// Tokens of the ready networks of text.
let byteValues = 256

/// How often the sides of a picture can be halved until the smaller one would be below `least`; 0 where
/// the shape is no picture.
func halvings(of inputShape: [Int], least: Int) -> Int {
  guard inputShape.count == 3 else { return 0 }
  var (height, width, count) = (inputShape[0], inputShape[1], 0)
  while height % 2 == 0 && width % 2 == 0 && min(height, width) / 2 >= least {
    (height, width, count) = (height / 2, width / 2, count + 1)
  }
  return count
}

/// Parameters of layers with a bias.
enum LayerParameters {
  static func linear(_ inputs: Int, _ outputs: Int) -> Double {
    (Double(inputs) + 1) * Double(outputs)
  }

  /// Linear layers through these widths.
  static func linear(_ widths: [Int]) -> Double {
    zip(widths, widths.dropFirst()).reduce(0) { $0 + linear($1.0, $1.1) }
  }

  /// Convolutions of kernel 4 through these channels, or transposed ones.
  static func convolutions(_ channels: [Int]) -> Double {
    zip(channels, channels.dropFirst()).reduce(0) { $0 + convolution($1.0, $1.1, kernel: 4) }
  }

  /// A convolution over two axes, or a transposed one.
  static func convolution(_ channels: Int, _ outputs: Int, kernel: Int) -> Double {
    (Double(channels) * Double(kernel * kernel) + 1) * Double(outputs)
  }
}
