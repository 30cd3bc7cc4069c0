// Averages of loss terms, in nats per example.

import LatentAutodiff
import LatentModels

/// What one training step did.
public struct StepReport: Sendable {
  /// The number of the step, from 0.
  public let step: Int
  /// Examples of the batch.
  public let examples: Int
  /// What was minimised, nats per example; NaN at a step at which only other players moved.
  public let loss: Double
  /// The loss with the warm-up of the objective over.
  public let lossAfterWarmup: Double
  /// Its parts by name, nats per example; then the losses of other players, by their names, with theirs.
  public let terms: [(name: String, value: Double)]
  /// The norm of all gradients together, before clipping; of the first player that moved.
  public let gradientNorm: Double
  /// The rate of this step, with the schedule's factor.
  public let learningRate: Double
  /// What each player did that moved, where the trainer says it.
  public let players: [PlayerReport]
  /// Whether a non-finite number made the trainer leave the parameters alone.
  public internal(set) var wasSkipped: Bool

  /// `lossAfterWarmup` is the loss itself where none is given.
  public init(
    step: Int, examples: Int, loss: Double, lossAfterWarmup: Double? = nil,
    terms: [(name: String, value: Double)] = [], gradientNorm: Double = .nan, learningRate: Double,
    players: [PlayerReport] = [], wasSkipped: Bool = false
  ) {
    self.step = step
    self.examples = examples
    self.loss = loss
    self.lossAfterWarmup = lossAfterWarmup ?? loss
    self.terms = terms
    self.gradientNorm = gradientNorm
    self.learningRate = learningRate
    self.players = players
    self.wasSkipped = wasSkipped
  }

  /// The loss, but for a step at which the first player did not move.
  var ownLoss: Double? { loss.isNaN && !wasSkipped && !players.isEmpty ? nil : loss }

  /// Whether data are more probable than certain, which no probability allows.
  var hasNegativeLoss: Bool {
    terms.contains { $0.name == "reconstruction" && $0.value < 0 }
  }
}

/// A running mean of named terms, weighted by examples. The loss is the first term, "loss".
public struct TermAverage: Sendable, Equatable, Codable {
  /// The loss, then its parts, in the order they were met.
  public private(set) var names: [String] = []
  private(set) var sums: [Double] = []
  /// The examples of each term: a player that moves seldom has terms of fewer.
  private(set) var counts: [Int] = []
  /// The number of examples that were averaged.
  public private(set) var examples = 0

  /// Of nothing yet.
  public init() {}

  /// `counts` are as `examples` where nothing else is said.
  init(names: [String], sums: [Double], counts: [Int]? = nil, examples: Int) {
    self.names = names
    self.sums = sums
    self.counts = counts ?? names.map { _ in examples }
    self.examples = examples
  }

  /// Takes in the mean loss and terms of `count` more examples; nil where they have no loss.
  public mutating func add(
    _ loss: Double?, _ terms: [(name: String, value: Double)] = [], examples count: Int
  ) {
    let values = (loss.map { [("loss", $0)] } ?? []) + terms.map { ($0.name, $0.value) }
    for (name, value) in values {
      if let index = names.firstIndex(of: name) {
        sums[index] += value * Double(count)
        counts[index] += count
      } else {
        names.append(name)
        sums.append(value * Double(count))
        counts.append(count)
      }
    }
    examples += count
  }

  /// The mean of the term of this name; nil where there is none.
  public subscript(name: String) -> Double? {
    names.firstIndex(of: name).map { sums[$0] / Double(max(1, counts[$0])) }
  }

  /// The number of examples that the term of this name was averaged over.
  func examples(of name: String) -> Int { names.firstIndex(of: name).map { counts[$0] } ?? 0 }
  /// As saved.
  var termCounts: [Int] { counts }

  /// The mean loss, nats per example; NaN of nothing.
  public var loss: Double { self["loss"] ?? .nan }
  /// The name of a term that is NaN or infinite, of the loss where no other is to blame.
  var nonFiniteTerm: String? {
    let found = values.filter { !$0.value.isFinite }.map(\.name)
    return loss.isFinite ? nil : found.first { $0 != "loss" } ?? "loss"
  }
  /// All terms with their means, nats per example.
  public var values: [(name: String, value: Double)] { names.map { ($0, self[$0] ?? .nan) } }
}

/// The averages of one epoch.
public struct EpochMetrics: Sendable, Equatable {
  /// From 1.
  public let epoch: Int
  /// Steps done so far.
  public let step: Int
  /// Over the steps of the epoch.
  public let training: TermAverage
  /// The training loss with the warm-up of the objective over; measured after the epoch where its first
  /// player did not move and there is no validation set. Nil where a log was read, which does not hold it.
  public let trainingLossAfterWarmup: Double?
  /// Over the validation set, where there is one.
  public let validation: TermAverage?
  /// The rate of the epoch's last step.
  public let learningRate: Double
  /// What the epoch took, validation included.
  public let seconds: Double

  /// For training loops of one's own.
  public init(
    epoch: Int, step: Int, training: TermAverage, trainingLossAfterWarmup: Double? = nil,
    validation: TermAverage? = nil, learningRate: Double, seconds: Double
  ) {
    self.epoch = epoch
    self.step = step
    self.training = training
    self.trainingLossAfterWarmup = trainingLossAfterWarmup
    self.validation = validation
    self.learningRate = learningRate
    self.seconds = seconds
  }

  /// What the best checkpoint, early stopping and the plateau schedule look at: the validation loss or,
  /// where there is none, the training loss with the warm-up over. The plain training loss would
  /// favour the first epochs of a warm-up, whose divergence is nearly free.
  public var selectionLoss: Double {
    validation?.loss ?? trainingLossAfterWarmup ?? training.loss
  }
}

extension LossTerms {
  var numbers: [(name: String, value: Double)] { terms.map { ($0.name, $0.value.item) } }
}
