// A ready-made model in words, so that a checkpoint knows what it holds and the command-line tools
// need no flags to open it.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// The architecture of a ready-made model; JSON in checkpoints and configuration files.
public struct ModelDescription: Sendable, Hashable, Codable {
  public enum Architecture: String, Sendable, Hashable, Codable, CaseIterable {
    /// Fully connected, diagonal normal posterior.
    case mlp
    /// Fully connected, a point instead of a posterior: a plain autoencoder.
    case mlpAutoencoder = "mlp-autoencoder"
  }

  public enum Likelihood: String, Sendable, Hashable, Codable, CaseIterable {
    case bernoulli
    case continuousBernoulli = "continuous-bernoulli"
    /// Normal with one learned standard deviation.
    case normal
    /// Normal with standard deviation 1.
    case unitNormal = "unit-normal"
  }

  public var architecture: Architecture
  /// Shape of one example, channels last.
  public var inputShape: [Int]
  public var latentSize: Int
  /// Widths of the encoder's hidden layers; the decoder has them in reverse.
  public var hidden: [Int]
  public var likelihood: Likelihood

  public init(
    architecture: Architecture = .mlp, inputShape: [Int], latentSize: Int = 20,
    hidden: [Int] = [400], likelihood: Likelihood = .bernoulli
  ) {
    self.architecture = architecture
    self.inputShape = inputShape
    self.latentSize = latentSize
    self.hidden = hidden
    self.likelihood = likelihood
  }

  /// The largest number of parameters a described model may have: a file's description is
  /// checked against this before anything is allocated.
  public static let maximumParameters = 1 << 30

  /// Checks every number. - Throws: `ModelDescriptionError`.
  public func validate() throws {
    func check(_ condition: Bool, _ key: String, _ found: String, _ expected: String) throws {
      if !condition { throw ModelDescriptionError(key: key, found: found, expected: expected) }
    }
    try check(
      (1...Shape.maximumRank - 2).contains(inputShape.count) && inputShape.allSatisfy { $0 > 0 },
      "inputShape", "\(inputShape)", "1 to \(Shape.maximumRank - 2) positive sizes")
    try check(latentSize > 0, "latentSize", "\(latentSize)", "a positive number")
    try check(hidden.allSatisfy { $0 > 0 }, "hidden", "\(hidden)", "positive widths")
    let limit = ModelDescription.maximumParameters
    let inputs = inputShape.reduce((1, false)) { product, size in
      let (value, overflow) = product.0.multipliedReportingOverflow(by: size)
      return (value, product.1 || overflow)
    }
    try check(
      !inputs.1 && inputs.0 <= limit, "inputShape", "\(inputShape)", "at most \(limit) elements")
    try check(latentSize <= limit, "latentSize", "\(latentSize)", "at most \(limit)")
    try check(
      hidden.allSatisfy { $0 <= limit }, "hidden", "\(hidden)", "widths of at most \(limit)")
    try check(
      parameterCount(inputs: inputs.0) <= Double(limit), "hidden", "\(hidden)",
      "at most \(limit) parameters in all")
  }

  /// Weights and biases of the networks, in double: sizes that fit may have products that do not.
  private func parameterCount(inputs: Int) -> Double {
    func layers(_ widths: [Int]) -> Double {
      zip(widths, widths.dropFirst()).reduce(0) { $0 + (Double($1.0) + 1) * Double($1.1) }
    }
    let outputs = architecture == .mlp ? 2 * latentSize : latentSize
    let scales = likelihood == .normal ? 1.0 : 0
    return layers([inputs] + hidden + [outputs])
      + layers([latentSize] + hidden.reversed() + [inputs]) + scales
  }

  /// The described model with first weights from `random`.
  /// - Throws: `ModelDescriptionError`.
  public func makeModel(using random: inout RandomStream) throws -> any LatentVariableModel {
    try validate()
    switch likelihood {
    case .bernoulli: return model(BernoulliHead(), &random)
    case .continuousBernoulli: return model(ContinuousBernoulliHead(), &random)
    case .normal: return model(NormalHead(.shared()), &random)
    case .unitNormal: return model(NormalHead(.fixed(1)), &random)
    }
  }

  private func model(
    _ head: some LikelihoodHead, _ random: inout RandomStream
  ) -> any LatentVariableModel {
    let shape = Shape(inputShape)
    let prior = StandardNormalPrior([latentSize])
    switch architecture {
    case .mlp:
      let encoder = MLPEncoder(
        inputShape: shape, hidden: hidden, latentSize: latentSize, using: &random)
      return VAE(encoder: encoder, decoder: decoder(head, shape, &random), prior: prior)
    case .mlpAutoencoder:
      let encoder = MLPPointEncoder(
        inputShape: shape, hidden: hidden, latentSize: latentSize, using: &random)
      return VAE(encoder: encoder, decoder: decoder(head, shape, &random), prior: prior)
    }
  }

  private func decoder<Head: LikelihoodHead>(
    _ head: Head, _ shape: Shape, _ random: inout RandomStream
  ) -> MLPDecoder<Head> {
    MLPDecoder(
      latentSize: latentSize, hidden: hidden.reversed(), outputShape: shape, head: head,
      using: &random)
  }
}

/// A described model that cannot be built.
public struct ModelDescriptionError: Error, Sendable, Equatable, CustomStringConvertible {
  public let key: String
  public let found: String
  public let expected: String

  public var description: String { "model description: \(key) is \(found), expected \(expected)" }
}
