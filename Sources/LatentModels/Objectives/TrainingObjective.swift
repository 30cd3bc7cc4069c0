// What a trainer minimises. In the plain case that is one loss of the whole model; in general it is a
// game: several players, each with its part of the parameters and a loss of its own.

import LatentAutodiff
import LatentLayers
import LatentNumerics
import LatentOptimizers

/// A rule that trains a model in turns.
///
/// Conform to ``Objective`` where there is one loss of the model alone. A rule that brings modules along
/// (a critic, centres, a moving average) names them as `Parts`: they are saved, resumed and looked at
/// for numbers that are none as the model is. A rule with several players lists their `turns`.
public protocol TrainingObjective<Model>: Sendable {
  /// The models that it can train.
  associatedtype Model: Module
  /// What it brings along: modules that are trained, and state in their buffers.
  associatedtype Parts: Module

  /// The parts as they start. Asked once, when a trainer is made; a resumed run loads them.
  func makeParts(for model: Model, using random: inout RandomStream) -> Parts
  /// The players, in the order of their turns; the first one's loss is the one that epochs are compared
  /// by and that validation computes.
  var turns: [Turn] { get }
  /// What a player sees of the turns before its own in the same step.
  var order: TurnOrder { get }
  /// Whether the player `turns[turn]` moves at this step. A function of the step and of saved state, so
  /// that a resumed run goes on where it was.
  func isDue(_ turn: Int, step: Int, _ parts: Parts) -> Bool
  /// The loss of the player `turns[turn]` on x `[batch, ...]`; other fields of the batch are in the
  /// context. Only the player's own parameters carry derivatives: all others are constants.
  func loss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms
  /// Called after each step with the model that it has made: a rule that promises something of the parameters,
  /// such as a norm, sees to it here, but for the frozen ones.
  func settle(_ model: inout Model, _ parts: Parts, except frozen: [PathPattern])
  /// Whether `settle` changes anything: what cannot be changed cannot be trained by such a rule.
  var settlesParameters: Bool { get }
  /// The fewest examples that a batch must have: 2 where examples are compared with each other. `fit` refuses
  /// smaller batches, `evaluate` smaller sets.
  var smallestBatch: Int { get }
  /// The rule and its numbers, for logs and checkpoints.
  var summary: String { get }
}

extension TrainingObjective {
  public var turns: [Turn] { [.model] }
  public var order: TurnOrder { .simultaneous }
  public var smallestBatch: Int { 1 }
  public func settle(_ model: inout Model, _ parts: Parts, except frozen: [PathPattern]) {}
  public var settlesParameters: Bool { false }
  public func isDue(_ turn: Int, step: Int, _ parts: Parts) -> Bool {
    step % max(1, turns[turn].every) == 0
  }
}

extension TrainingObjective {
  /// The loss of a player with what layers noted during the pass. The first player bears it: each layer's loss
  /// counts once in a step.
  package func wholeLoss(
    of turn: Int, _ model: Model, _ parts: Parts, _ x: Tensor, _ context: inout LayerContext
  ) -> LossTerms {
    var terms = loss(of: turn, model, parts, x, &context)
    let noted = context.takeLosses()
    if turn == 0 { terms.add(noted) }
    return terms
  }
}

/// One player's part in a step.
public struct Turn: Sendable {
  /// The player's name, in logs, errors and checkpoints.
  public let name: String
  /// The parameters that it moves, by their paths; those of the objective's parts begin with
  /// `objective.`.
  public let parameters: [PathPattern]
  /// Those of them that it leaves to others.
  public let spared: [PathPattern]
  /// It moves at every so many steps.
  public let every: Int
  /// Its own update rule; nil for one like the trainer's.
  public let optimizer: (any Optimizer)?

  /// Traps unless `every` is positive and there are parameters to move.
  public init(
    _ name: String, moves parameters: [PathPattern], but spared: [PathPattern] = [],
    every: Int = 1, optimizer: (any Optimizer)? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    require(
      every > 0 && !parameters.isEmpty,
      "the player \(name) moves \(parameters) every \(every) steps", file: file, line: line)
    self.name = name
    self.parameters = parameters
    self.spared = spared
    self.every = every
    self.optimizer = optimizer
  }

  /// The turn without the parameters that these patterns stand for.
  func sparing(_ patterns: [PathPattern]) -> Turn {
    Turn(
      name, moves: parameters, but: spared + patterns, every: every, optimizer: optimizer)
  }

  /// Whether it moves the parameter of this path.
  package func moves(_ path: String) -> Bool { parameters.match(path) && !spared.match(path) }

  /// Paths of the objective's parts begin with this name.
  public static let partsName = "objective"

  /// All parameters of the model and of the objective.
  public static let model = Turn("model", moves: ["**"])
}

/// What players see of each other within a step.
public enum TurnOrder: Sendable, Hashable {
  /// All losses are of the parameters before the step.
  case simultaneous
  /// Each player moves before the next one's loss is computed.
  case successive
}

/// An objective that brings nothing along.
public struct NoParts: Module {
  /// Nothing.
  public init() {}
  public mutating func visitParameters(_ visitor: inout some ParameterVisitor) {}
}

extension TrainingObjective where Parts == NoParts {
  /// Nothing.
  public func makeParts(for model: Model, using random: inout RandomStream) -> NoParts { NoParts() }
}
