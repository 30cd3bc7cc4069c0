// How the learning rate moves over a run: a factor on the base rate as a function of the step, so
// that a resumed run needs no replay. Only the plateau rule has a state, and that is saved.

import Foundation
import LatentNumerics

/// A factor on the learning rate.
public protocol LearningRateSchedule: Sendable, Codable {
  /// The factor for update `step` (0 for the first).
  func factor(step: Int) -> Double
  /// Hears the validation loss after each epoch.
  mutating func observe(validationLoss: Double)
}

extension LearningRateSchedule {
  public mutating func observe(validationLoss: Double) {}
}

/// Always 1.
public struct ConstantSchedule: LearningRateSchedule {
  /// The base rate throughout.
  public init() {}
  public func factor(step: Int) -> Double { 1 }
}

/// Multiplied by `decay` after every `every` updates.
public struct StepSchedule: LearningRateSchedule {
  /// Updates between two changes.
  public let every: Int
  /// What the rate is multiplied by at each change.
  public let decay: Double

  /// Traps unless `every` is positive.
  public init(
    every: Int, decay: Double = 0.1, file: StaticString = #fileID, line: UInt = #line
  ) {
    require(
      every > 0, "a step schedule changes every \(every) updates: expected at least 1", file: file,
      line: line)
    self.every = every
    self.decay = decay
  }

  public func factor(step: Int) -> Double { pow(decay, Double(step / max(1, every))) }
}

/// A linear rise over `warmup` updates, then half a cosine down to `floor` at `total`
/// (Loshchilov and Hutter 2017, without restarts).
public struct CosineSchedule: LearningRateSchedule {
  /// Updates of the linear rise.
  public let warmup: Int
  /// The update at which the floor is reached.
  public let total: Int
  /// The factor at the end and after it.
  public let floor: Double

  /// No rise and a floor of 0 unless given.
  public init(warmup: Int = 0, total: Int, floor: Double = 0) {
    self.warmup = warmup
    self.total = total
    self.floor = floor
  }

  public func factor(step: Int) -> Double {
    if step < warmup { return Double(step + 1) / Double(warmup) }
    let progress = min(1, Double(step - warmup) / Double(max(1, total - warmup)))
    return floor + (1 - floor) * 0.5 * (1 + cos(.pi * progress))
  }
}

/// Multiplied by `decay` when the validation loss has not fallen by more than `threshold`
/// (relative) for more than `patience` epochs. PyTorch's ReduceLROnPlateau, but that a loss which is NaN
/// or infinite is not heard: it says nothing about progress.
public struct ReduceOnPlateau: LearningRateSchedule {
  /// What the rate is multiplied by at each reduction.
  public let decay: Double
  /// Epochs without progress that are waited for.
  public let patience: Int
  /// The relative fall that counts as progress.
  public let threshold: Double
  /// The factor never falls below it.
  public let floor: Double
  /// The lowest loss so far, nats.
  public private(set) var best = Double.greatestFiniteMagnitude
  /// Epochs without progress so far.
  public private(set) var badEpochs = 0
  /// The factor at the moment.
  public private(set) var current = 1.0

  /// With PyTorch's defaults.
  public init(
    decay: Double = 0.1, patience: Int = 10, threshold: Double = 1e-4, floor: Double = 0
  ) {
    self.decay = decay
    self.patience = patience
    self.threshold = threshold
    self.floor = floor
  }

  public func factor(step: Int) -> Double { current }

  public mutating func observe(validationLoss: Double) {
    guard validationLoss.isFinite else { return }
    if validationLoss < best - Swift.abs(best) * threshold {
      best = validationLoss
      badEpochs = 0
    } else {
      badEpochs += 1
    }
    if badEpochs > patience {
      current = max(floor, current * decay)
      badEpochs = 0
    }
  }
}
