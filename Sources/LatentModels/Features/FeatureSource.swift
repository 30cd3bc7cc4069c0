// Where the network of an objective that looks through one comes from: another run, or chance. Random filters are
// features too (Ustyuzhaninov et al. 2017, "What does it take to generate natural textures?"): weaker ones than
// trained filters, but there is always some.

import LatentAutodiff
import LatentLayers
import LatentNumerics

/// The network of another run, to be looked through.
public struct RunFeatures: Sendable {
  /// The run's encoder.
  public let network: any FeatureNetwork
  /// One example of the data that it was trained on.
  public let inputShape: Shape

  /// A network for data of this shape.
  public init(network: any FeatureNetwork, inputShape: Shape) {
    self.network = network
    self.inputShape = inputShape
  }

  /// The encoder of a model that was trained on data of this shape.
  /// - Throws: `ModelRequirementError`, which names the encoder of a model that cannot be looked through.
  public init(
    _ model: some LatentVariableModel, inputShape: Shape, run: String
  ) throws {
    guard let model = model as? any FeatureModel else {
      throw ModelRequirementError(
        purpose: "features of the run \(run)", found: "\(type(of: model))",
        expected: "a model whose encoder is a FeatureNetwork")
    }
    self.init(network: model.featureNetwork, inputShape: inputShape)
  }

  /// What the layers make of data of a shape, which are zeros; none where the network cannot take them.
  func layers(for shape: Shape) -> [Feature] {
    network.features(of: .zeros([1] + shape, network.dtype))
  }
}

/// A word for the network that an objective looks through: `random`, `random:SEED`, or the folder of a run.
enum FeatureSource {
  case random(seed: UInt64)
  case run(String)

  /// The word for random features, of seed 0 unless one is said; a folder of this name is `./random`.
  static let randomName = "random"
  /// Channels of the random network's convolutions.
  static let channels = [32, 64, 128]
  /// Widths of the random network's hidden layers, for data that are no pictures or cannot be halved.
  static let hidden = [256, 256]

  /// Nil for a seed that is none, and for nothing.
  init?(_ word: String) {
    let parts = word.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    switch (parts.first.map(String.init), parts.count) {
    case (FeatureSource.randomName, 1): self = .random(seed: 0)
    case (FeatureSource.randomName, _):
      guard let seed = UInt64(parts[1]) else { return nil }
      self = .random(seed: seed)
    default:
      if word.isEmpty { return nil }
      self = .run(word)
    }
  }

  /// A critic that nobody trains: convolutions of stride 2, as many as the picture can be halved.
  static func randomNetwork(for shape: Shape, seed: UInt64) -> any FeatureNetwork {
    var random = RandomStream(seed: seed).split("features")
    return PictureCritic(shape, channels: channels, hidden: hidden, using: &random)
  }
}

extension ObjectiveDescription {
  /// Whether a word says where features come from.
  func check(features word: String) throws {
    try check(
      FeatureSource(word) != nil, "features", "'\(word)'",
      "random, random:SEED or the folder of a run")
  }

  /// The network that a valid word stands for, and what its layers make of the data.
  /// - Throws: `SettingError` where it cannot take the data, and what opening a run throws.
  func openFeatures(
    _ word: String, _ facts: TrainingFacts
  ) throws -> (network: any FeatureNetwork, layers: [Feature]) {
    let shape = facts.inputShape
    let opened: RunFeatures
    switch FeatureSource(word) {
    case .random(let seed)?:
      opened = RunFeatures(
        network: FeatureSource.randomNetwork(for: shape, seed: seed), inputShape: shape)
    case .run(let name)?:
      guard let open = facts.openFeatures else {
        throw SettingError(
          key: "objective.features", found: "'\(word)'",
          expected: "random or random:SEED: nothing opens runs here")
      }
      opened = try open(name)
    case nil:
      throw SettingError(
        key: "objective.features", found: "'\(word)'", expected: "a valid description")
    }
    let layers = opened.layers(for: shape)
    if layers.isEmpty {
      throw SettingError(
        key: "objective.features", found: "the run \(word) on data of shape \(opened.inputShape)",
        expected: "one whose encoder takes data of shape \(shape)"
          + (shape.rank == 3
            ? ": of \(shape[2]) channels, and of this size where it is fully connected" : ""))
    }
    return (opened.network, layers)
  }

  /// - Throws: `SettingError`, which lists the layers that there are.
  func check(_ layers: [LayerWeight], in found: [Feature], _ key: String = "layers") throws {
    do {
      _ = try found.chosen(layers)
    } catch let error as UnknownLayer {
      throw SettingError(
        key: "objective.\(key)", found: "'\(error.name)'",
        expected: "layers of \(error.names.joined(separator: ", "))")
    }
  }
}
