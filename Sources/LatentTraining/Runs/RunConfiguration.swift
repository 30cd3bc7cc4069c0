// What a run was asked to do: saved with every checkpoint, so that the other tools need no flags, and
// the same as what a configuration file holds.

import Foundation
import LatentDatasets
import LatentLayers
import LatentModels
import LatentOptimizers
import LatentStorage

/// The settings of `latent-train`, as JSON under the name "run" in checkpoints.
public struct RunConfiguration: Codable, Sendable, Equatable {
  /// The data by a word, such as `sprites:28`: what `DataSource` parses.
  public var data: String
  /// What bytes of the data stand for: as asked for or, in a run, as found; nil where they are no bytes.
  public var bytes: ByteScale?
  /// What happens to batches, by a word that `BatchTransforms` parses.
  public var transform = "none"
  /// Share of the training data kept aside.
  public var validation = 0.1
  /// The network, the shape of its data and its likelihood.
  public var model: ModelDescription
  /// What is minimised.
  public var objective = ObjectiveSettings()
  /// Parameters that stay as they are, by patterns of their paths.
  public var frozen: [PathPattern] = []
  /// What is trained beside the weights of another run in place of them.
  public var adapters = AdapterSettings()
  /// How gradients become steps.
  public var optimizer = OptimizerSettings()
  /// One of `schedules`.
  public var schedule = "constant"
  /// The epochs that the schedule is laid out for, where they are not those of the run.
  public var scheduleEpochs: Int?
  /// Examples of a step.
  public var batchSize = 128
  /// From the beginning of the run.
  public var epochs = 10
  /// Epochs without progress after which the run stops; never where nil.
  public var patience: Int?
  /// Of weights, order, noise and the validation part.
  public var seed: UInt64 = 0

  /// Standard settings for everything else.
  public init(data: String, model: ModelDescription) {
    self.data = data
    self.model = model
  }

  /// What is done where nothing is said, for data of the shape.
  public static func standard(inputShape: [Int]) throws -> RunConfiguration {
    RunConfiguration(
      data: "sprites:28", model: try ModelDescription(named: "mlp", inputShape: inputShape))
  }

  /// Free bits of new runs on text where nothing is said. A decoder that sees the letters before each one
  /// needs no latents to begin with, and the divergence empties them in the first steps (Bowman et al.
  /// 2016); what is free cannot be saved.
  public static let freeBitsOfText = 0.25

  /// Steps of the warm-up of new runs on anything but text where nothing is said. A network of first
  /// weights has no use for latents yet, and the divergence empties them faster than it learns one
  /// (Sønderby et al. 2016).
  public static let warmupStepsOfNumbers = 500

  /// How gradients become steps.
  public struct OptimizerSettings: Codable, Sendable, Equatable {
    /// One of `optimizers`.
    public var name = "adam"
    /// Before the schedule's factor.
    public var learningRate = 1e-3
    /// The largest norm of all gradients together; any where nil.
    public var clip: Double?
    /// The decay of averaged weights; none where nil.
    public var average: Double?

    /// Absent numbers are written as null: a configuration shows every key there is.
    public func encode(to encoder: any Swift.Encoder) throws {
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(name, forKey: .name)
      try container.encode(learningRate, forKey: .learningRate)
      try container.encode(clip, forKey: .clip)
      try container.encode(average, forKey: .average)
    }
  }

  /// Low-rank adapters of a model that stays as it is.
  public struct AdapterSettings: Codable, Sendable, Equatable {
    /// The weights that are adapted, by patterns of their paths; where there are none, the model itself is
    /// trained.
    public var weights: [PathPattern] = []
    /// Of each correction.
    public var rank = 4
    /// What each product of factors is multiplied by.
    public var scale = 1.0

    /// Whether the model itself is trained.
    public var isEmpty: Bool { weights.isEmpty }
  }

  /// The name of the text in a checkpoint.
  public static let textName = "run"

  /// As JSON with sorted keys: the same settings are the same text.
  public func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  /// The names of the settings, in the order that files have them.
  public static let keys = CodingKeys.allCases.map(\.rawValue)

  /// The settings that a checkpoint holds.
  /// - Throws: `RunError.wrongSettings`, which says what of them cannot be read or is out of range.
  public init(from checkpoint: Checkpoint, path: String) throws {
    func wrong(_ reason: String) -> RunError { .wrongSettings(path: path, reason: reason) }
    guard let text = checkpoint.texts[RunConfiguration.textName] else {
      throw wrong(" does not say how its run was made: it was not written by latent-train")
    }
    let newer = "; a newer latent-train may have written it"
    do {
      self = try JSONDecoder().decode(RunConfiguration.self, from: Data(text.utf8))
      try validate()
    } catch let error as SettingError {
      throw wrong(": \(error.key) is \(error.found), expected \(error.expected)")
    } catch let error as ModelDescriptionError {
      throw wrong(": model.\(error.key) is \(error.found), expected \(error.expected)\(newer)")
    } catch let error as DatasetError {
      throw wrong(": \(error)\(newer)")
    } catch let error as DecodingError {
      throw wrong(": \(RunConfiguration.sentence(error))\(newer)")
    }
  }

  /// What the settings of a checkpoint lack.
  private static func sentence(_ error: DecodingError) -> String {
    func name(_ path: [any CodingKey]) -> String {
      path.isEmpty ? "the text of its settings" : path.map(\.stringValue).joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, let context):
      return "\(name(context.codingPath + [key])) is missing from the settings of its run"
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      return "\(name(context.codingPath)) cannot be read (\(context.debugDescription))"
    @unknown default: return "\(error)"
    }
  }

  // MARK: Checks

  /// The names of optimisers.
  public static let optimizers = ["adam", "adamw", "adamax", "sgd", "rmsprop"]
  /// The names of learning-rate schedules.
  public static let schedules = ["constant", "cosine", "step", "plateau"]

  /// Checks everything but the model, which `ModelDescription.validate()` checks.
  /// - Throws: `SettingError`, or `DatasetError` for the texts that describe data and transform.
  public func validate() throws {
    func check(_ holds: Bool, _ key: String, _ found: Any, _ expected: String) throws {
      if !holds { throw SettingError(key: key, found: "\(found)", expected: expected) }
    }
    func count(_ key: String, _ value: Int, least: Int = 1, most: Int = 1_000_000_000) throws {
      let range = least...most
      try check(range.contains(value), key, value, "\(least) to \(range.upperBound)")
    }
    func word(_ key: String, _ value: String, _ words: [String]) throws {
      try check(words.contains(value), key, "'\(value)'", words.joined(separator: ", "))
    }
    try objective.description.validate()
    try word("optimizer.name", optimizer.name, RunConfiguration.optimizers)
    let rate = optimizer.learningRate
    try check(rate > 0 && rate.isFinite, "optimizer.learningRate", rate, "more than 0")
    if let clip = optimizer.clip {
      try check(clip > 0 && clip.isFinite, "optimizer.clip", clip, "more than 0")
    }
    if let decay = optimizer.average {
      try check(decay > 0 && decay < 1, "optimizer.average", decay, "between 0 and 1")
    }
    try count("adapters.rank", adapters.rank)
    let scale = adapters.scale
    try check(scale > 0 && scale.isFinite, "adapters.scale", scale, "more than 0")
    try word("schedule", schedule, RunConfiguration.schedules)
    if let scheduleEpochs { try count("scheduleEpochs", scheduleEpochs) }
    try check(validation >= 0 && validation < 1, "validation", validation, "0 ..< 1")
    try count("batchSize", batchSize)
    try count("epochs", epochs)
    if let patience { try count("patience", patience) }
    _ = try BatchTransforms.parse(transform)
    // Bytes are no gray values, nor the other way round.
    let isText = try DataSource(parsing: data).isText
    let network = type(of: model.network)
    let isForText = network.likelihoods.contains(.categorical)
    let names = ModelDescription.presets.filter { $0.likelihood == .categorical }.map(\.name)
    try check(
      !isText || isForText, "model.architecture", "'\(network.architecture)'",
      names.joined(separator: ", ") + " for text")
    try check(
      isText || !isForText, "data", "'\(data)'",
      "\(DataSource.textForm) for the network \(network.architecture)")
    try check(!isText || transform == "none", "transform", "'\(transform)'", "none for text")
  }

  /// Whether examples are texts.
  public var isText: Bool { model.likelihood == .categorical }

  /// The optimiser of these settings.
  /// - Throws: `SettingError`.
  public func makeOptimizer() throws -> any Optimizer {
    let rate = optimizer.learningRate
    switch optimizer.name {
    case "adam": return Adam(learningRate: rate)
    case "adamw": return Adam.adamW(learningRate: rate)
    case "adamax": return Adamax(learningRate: rate)
    case "sgd": return SGD(learningRate: rate, momentum: 0.9)
    case "rmsprop": return RMSprop(learningRate: rate)
    default:
      throw SettingError(
        key: "optimizer.name", found: "'\(optimizer.name)'",
        expected: RunConfiguration.optimizers.joined(separator: ", "))
    }
  }

  /// Whether the learning rate of a step depends on the number of epochs.
  public var scheduleHasLength: Bool { ["cosine", "step"].contains(schedule) }

  /// The schedule of these settings, for epochs of so many steps.
  /// - Throws: `SettingError`.
  public func makeSchedule(stepsPerEpoch: Int) throws -> any LearningRateSchedule {
    let (product, overflow) = (scheduleEpochs ?? epochs).multipliedReportingOverflow(
      by: stepsPerEpoch)
    let total = overflow ? .max : max(1, product)
    switch schedule {
    case "constant": return ConstantSchedule()
    case "cosine": return CosineSchedule(warmup: total / 20, total: total, floor: 0.01)
    case "step": return StepSchedule(every: max(1, total / 3))
    case "plateau": return ReduceOnPlateau(decay: 0.5, patience: 3)
    default:
      throw SettingError(
        key: "schedule", found: "'\(schedule)'",
        expected: RunConfiguration.schedules.joined(separator: ", "))
    }
  }

  // MARK: Files

  private enum CodingKeys: String, CodingKey, CaseIterable {
    case data, bytes, transform, validation, model, objective, frozen, adapters, optimizer,
      schedule, scheduleEpochs
    case batchSize, epochs, patience, seed
  }

  /// Where objective and optimiser were not groups yet, in checkpoints of the first versions.
  private enum FlatKeys: String, CodingKey {
    case beta, freeBits, warmupSteps, samples, optimizer, learningRate, clip, average
  }

  public init(from decoder: any Swift.Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    data = try values.decode(String.self, forKey: .data)
    // The first versions divided all bytes, and said nothing of it.
    bytes =
      values.contains(.bytes)
      ? try values.decodeIfPresent(ByteScale.self, forKey: .bytes) : .pictures
    transform = try values.decode(String.self, forKey: .transform)
    validation = try values.decode(Double.self, forKey: .validation)
    model = try values.decode(ModelDescription.self, forKey: .model)
    schedule = try values.decode(String.self, forKey: .schedule)
    scheduleEpochs = try values.decodeIfPresent(Int.self, forKey: .scheduleEpochs)
    batchSize = try values.decode(Int.self, forKey: .batchSize)
    epochs = try values.decode(Int.self, forKey: .epochs)
    patience = try values.decodeIfPresent(Int.self, forKey: .patience)
    seed = try values.decode(UInt64.self, forKey: .seed)
    frozen = try values.decodeIfPresent([PathPattern].self, forKey: .frozen) ?? []
    adapters = try values.decodeIfPresent(AdapterSettings.self, forKey: .adapters) ?? .init()
    if values.contains(.objective) {
      objective = try values.decode(ObjectiveSettings.self, forKey: .objective)
      optimizer = try values.decode(OptimizerSettings.self, forKey: .optimizer)
    } else {
      let flat = try decoder.container(keyedBy: FlatKeys.self)
      var elbo = ELBODescription()
      elbo.beta = .constant(try flat.decode(Double.self, forKey: .beta))
      elbo.freeBits = try flat.decode(Double.self, forKey: .freeBits)
      elbo.warmupSteps = try flat.decode(Int.self, forKey: .warmupSteps)
      elbo.samples = try flat.decode(Int.self, forKey: .samples)
      objective = ObjectiveSettings(elbo)
      optimizer.name = try flat.decode(String.self, forKey: .optimizer)
      optimizer.learningRate = try flat.decode(Double.self, forKey: .learningRate)
      optimizer.clip = try flat.decodeIfPresent(Double.self, forKey: .clip)
      optimizer.average = try flat.decodeIfPresent(Double.self, forKey: .average)
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(data, forKey: .data)
    try values.encode(bytes, forKey: .bytes)
    try values.encode(transform, forKey: .transform)
    try values.encode(validation, forKey: .validation)
    try values.encode(model, forKey: .model)
    try values.encode(objective, forKey: .objective)
    try values.encode(frozen, forKey: .frozen)
    try values.encode(adapters, forKey: .adapters)
    try values.encode(optimizer, forKey: .optimizer)
    try values.encode(schedule, forKey: .schedule)
    try values.encode(scheduleEpochs, forKey: .scheduleEpochs)
    try values.encode(batchSize, forKey: .batchSize)
    try values.encode(epochs, forKey: .epochs)
    try values.encode(patience, forKey: .patience)
    try values.encode(seed, forKey: .seed)
  }
}
