// Who moves which parameters, how, and when. In the plain case there is one player, and it moves them
// all.

import LatentLayers
import LatentModels
import LatentNumerics
import LatentOptimizers

/// A player of a run: a turn of the objective with its own rule, moments, schedule and clipping.
public struct Player: Sendable {
  /// The turn that it takes.
  public let turn: Turn
  /// How gradients become steps, with its moments.
  public internal(set) var optimizer: any Optimizer
  /// The factor on the learning rate.
  public var schedule: any LearningRateSchedule
  /// A bound on the gradients of this player, where wanted.
  public var clipping: GradientClipping?

  /// Which of the trained parameters it moves, in their order; nil: all of them.
  var chosen: [Bool]?
  let baseLearningRate: Double

  /// The player's name.
  public var name: String { turn.name }

  init(
    _ turn: Turn, optimizer: any Optimizer, schedule: any LearningRateSchedule,
    clipping: GradientClipping?
  ) {
    self.turn = turn
    self.optimizer = turn.optimizer ?? optimizer
    self.schedule = schedule
    self.clipping = clipping
    baseLearningRate = self.optimizer.learningRate
  }

  func learningRate(step: Int) -> Double { baseLearningRate * schedule.factor(step: step) }

  /// The rule's summary with the base learning rate, whatever the schedule wrote last.
  var optimizerSummaryAtBase: String {
    var optimizer = optimizer
    optimizer.learningRate = baseLearningRate
    return optimizer.summary
  }

  mutating func restoreOptimizer(
    _ state: [String: NDArray], step: Int, for model: some Module
  ) throws {
    try optimizer.restore(state, step: step, for: model)
  }
}

/// What one player did in a step.
public struct PlayerReport: Sendable, Equatable {
  /// The player's name.
  public let name: String
  /// What it minimised, nats per example.
  public let loss: Double
  /// The norm of its gradients together, before clipping.
  public let gradientNorm: Double
  /// The rate of this step, with the schedule's factor.
  public let learningRate: Double
}

/// Parameters that cannot be frozen.
public enum FrozenPartsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// A pattern that stands for no parameter and no buffer.
  case noParameter(pattern: PathPattern, paths: [String])
  /// A player that would have nothing left to move.
  case nothingToMove(player: String, frozen: [PathPattern])

  public var description: String {
    switch self {
    case .noParameter(let pattern, let paths):
      "no parameter is called '\(pattern)': there are \(paths.joined(separator: ", "))"
    case .nothingToMove(let player, let frozen):
      "with \(frozen.map(\.description).joined(separator: ", ")) frozen the player \(player) has nothing "
        + "left to move"
    }
  }
}
