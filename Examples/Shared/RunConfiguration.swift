// What a run was asked to do: saved with every checkpoint, so that the other tools need no flags.

import Foundation
import Latent

/// The settings of `latent-train`, as JSON under the name "run" in checkpoints.
public struct RunConfiguration: Codable, Sendable, Equatable {
  public var data: String
  public var transform: String
  public var model: ModelDescription
  public var beta: Double
  public var freeBits: Double
  public var warmupSteps: Int
  public var samples: Int
  public var optimizer: String
  public var learningRate: Double
  public var schedule: String
  public var clip: Double?
  public var average: Double?
  public var batchSize: Int
  public var epochs: Int
  public var validation: Double
  public var patience: Int?
  public var seed: UInt64

  public init(
    data: String, transform: String, model: ModelDescription, beta: Double, freeBits: Double,
    warmupSteps: Int, samples: Int, optimizer: String, learningRate: Double, schedule: String,
    clip: Double?, average: Double?, batchSize: Int, epochs: Int, validation: Double,
    patience: Int?, seed: UInt64
  ) {
    self.data = data
    self.transform = transform
    self.model = model
    self.beta = beta
    self.freeBits = freeBits
    self.warmupSteps = warmupSteps
    self.samples = samples
    self.optimizer = optimizer
    self.learningRate = learningRate
    self.schedule = schedule
    self.clip = clip
    self.average = average
    self.batchSize = batchSize
    self.epochs = epochs
    self.validation = validation
    self.patience = patience
    self.seed = seed
  }

  /// The name of the text in a checkpoint.
  public static let textName = "run"

  public func encoded() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  public init(from checkpoint: Checkpoint, path: String) throws {
    guard let text = checkpoint.texts[RunConfiguration.textName],
      let value = try? JSONDecoder().decode(RunConfiguration.self, from: Data(text.utf8))
    else {
      throw CommandError(
        "checkpoint \(path) does not say how its run was made: it was not written by latent-train",
        .dataError)
    }
    self = value
  }

  public func makeOptimizer() throws -> any Optimizer {
    switch optimizer {
    case "adam": Adam(learningRate: learningRate)
    case "adamw": Adam.adamW(learningRate: learningRate)
    case "adamax": Adamax(learningRate: learningRate)
    case "sgd": SGD(learningRate: learningRate, momentum: 0.9)
    case "rmsprop": RMSprop(learningRate: learningRate)
    default:
      throw CommandError(
        "optimizer '\(optimizer)': expected adam, adamw, adamax, sgd or rmsprop", .usage)
    }
  }

  public func makeSchedule(stepsPerEpoch: Int) throws -> any LearningRateSchedule {
    let (product, overflow) = epochs.multipliedReportingOverflow(by: stepsPerEpoch)
    let total = overflow ? .max : max(1, product)
    switch schedule {
    case "constant": return ConstantSchedule()
    case "cosine": return CosineSchedule(warmup: total / 20, total: total, floor: 0.01)
    case "step": return StepSchedule(every: max(1, total / 3))
    case "plateau": return ReduceOnPlateau(decay: 0.5, patience: 3)
    default:
      throw CommandError(
        "schedule '\(schedule)': expected constant, cosine, step or plateau", .usage)
    }
  }
}
