// Hierarchies in words: what the two ready ones share, and the fully connected one.

import LatentAutodiff
import LatentDistributions
import LatentLayers
import LatentNumerics

/// A ready network with several levels of latents, which bring their own normals.
protocol LadderNetwork: HeadedNetworkDescription {
  /// Widths of the levels' features and states, from the data up.
  var widths: [Int] { get }
  /// Latents of each level.
  var latents: [Int] { get }
  var path: HierarchyPath { get }
  var merging: HierarchyMerging { get }
}

extension LadderNetwork {
  public static var posteriors: [String]? { [DiagonalPosterior.name] }
  public static var priors: [String]? { [StandardPrior.name] }

  public func latentShape(inputShape: [Int]) -> [Int] { [latents.reduce(0, +)] }

  func checkLevels() throws {
    try check(widths: widths, "widths")
    try check(widths: latents, "latents")
    try check(!latents.isEmpty, "latents", latents, "at least one level")
    try check(
      widths.count == latents.count, "widths", widths,
      "one for each of the \(latents.count) levels of latents")
    let total = latents.reduce(0.0) { $0 + Double($1) }
    let limit = ModelDescription.maximumParameters
    try check(total <= Double(limit), "latents", latents, "at most \(limit) altogether")
  }

  /// Weights and biases between the features of the data and the decoder.
  var levelParameterCount: Double {
    let ends = zip(widths, latents).map { LayerParameters.linear($0, 2 * $1) }
    let steps = latents.indices.map { level in
      LayerParameters.linear(
        TopDown.inputs(of: level, widths: widths, latents: latents, path: path),
        widths[max(0, level - 1)])
    }
    let residuals =
      merging == .residual
      ? zip(widths, latents).dropLast().map { 2 * Double($0) * Double($1) } : []
    return LayerParameters.linear(widths)
      + (ends + ends.dropLast() + steps + residuals).reduce(0, +)
  }

  /// The model between these ends.
  func makeModel(
    bottom: some Encoder<Delta>, output: some Decoder, activation: Activation,
    using random: inout RandomStream
  ) -> any LatentVariableModel {
    HierarchicalModel(
      encoder: LadderEncoder(
        bottom: bottom, widths: widths, latents: latents, merging: merging, activation: activation,
        using: &random),
      decoder: output,
      prior: TopDown(
        widths: widths, latents: latents, path: path, activation: activation, using: &random),
      merging: merging)
  }
}

/// Fully connected levels of latents.
public struct LadderMLPNetwork: LadderNetwork {
  public static let architecture = "ladder-mlp"
  public static let presets = [
    NetworkPreset(architecture, "several levels of latents, fully connected") { _ in
      LadderMLPNetwork()
    }
  ]

  /// Widths between the data and the lowest level; the decoder has them in reverse.
  public var hidden: [Int]
  /// Widths of the levels' features and states, from the data up.
  public var widths: [Int]
  /// Latents of each level.
  public var latents: [Int]
  /// What follows each hidden layer.
  public var activation: HiddenActivation
  /// What levels depend on.
  public var path: HierarchyPath
  /// How the posterior is put together.
  public var merging: HierarchyMerging

  /// `widths` and `latents` have one number for each level.
  public init(
    hidden: [Int] = [400], widths: [Int] = [200, 100], latents: [Int] = [16, 8],
    activation: HiddenActivation = .relu, path: HierarchyPath = .topDown,
    merging: HierarchyMerging = .precision
  ) {
    self.hidden = hidden
    self.widths = widths
    self.latents = latents
    self.activation = activation
    self.path = path
    self.merging = merging
  }

  public func validate(inputShape: [Int]) throws {
    try check(widths: hidden, "hidden")
    try checkLevels()
  }

  public func parameterCount(
    inputShape: [Int], posteriorOutputs: Int, outputsPerElement: Int
  ) -> Double {
    let inputs = inputShape.reduce(1, *)
    return LayerParameters.linear([inputs] + hidden + [widths[0]]) + levelParameterCount
      + LayerParameters.linear([widths[0]] + hidden.reversed() + [inputs * outputsPerElement])
  }

  public func makeModel(
    inputShape: Shape, posterior: some PosteriorHead, prior: some Prior,
    head: some LikelihoodHead, using random: inout RandomStream
  ) -> any LatentVariableModel {
    let bottom = MLPPointEncoder(
      inputShape: inputShape, hidden: hidden, latentSize: widths[0],
      activation: activation.function, using: &random)
    let output = MLPDecoder(
      latentSize: widths[0], hidden: hidden.reversed(), outputShape: inputShape, head: head,
      activation: activation.function, using: &random)
    return makeModel(
      bottom: bottom, output: output, activation: activation.function, using: &random)
  }

  // MARK: Files

  private enum CodingKeys: String, CodingKey {
    case hidden, widths, latents, activation, path, merging
  }

  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    hidden = try values.decode([Int].self, forKey: .hidden)
    widths = try values.decode([Int].self, forKey: .widths)
    latents = try values.decode([Int].self, forKey: .latents)
    activation = try values.decodeWord(forKey: .activation)
    path = try values.decodeWord(forKey: .path)
    merging = try values.decodeWord(forKey: .merging)
  }
}
